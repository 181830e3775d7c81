"""Student: what the content of an item says of it, by linear maps learned from items that people have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from ..encoders.content import Content, ContentOptions, ContentReader
from ..types import Codes, Floats, Tensors

_BLOCK = 16_384
"""Items whose features are made at once."""


@dataclass(frozen=True, eq=False)
class Features:
    """Item rows → one dense row each: text vector, numbers, and 1 for each level it has of those that are kept.

    Attributes:
        reader: item rows → content.
        levels: (l,) kept levels, as places among the levels of all attributes side by side.
    """

    reader: ContentReader
    levels: Codes

    @classmethod
    def fit(cls, items: pl.DataFrame, learned: Codes, options: ContentOptions, most: int) -> tuple[Self, Content]:
        """Learn the reader from item rows; their content comes with it.

        Args:
            items: rows.
            learned: which of them are learned from: levels that two of them have are kept.
            options: of the reader.
            most: how many levels are kept, the commonest.
        """
        reader, content = ContentReader.fit(items, options)
        places = _places(content.levels[learned], reader)
        found, rows = np.unique(places[places >= 0], return_counts=True)
        often = np.lexsort((found, -rows))[:most]
        return cls(reader, np.sort(found[often[rows[often] > 1]]).astype(np.int64)), content

    def of(self, content: Content) -> Floats:
        """(n, d) float32."""
        places = _places(content.levels, self.reader)
        kept = np.zeros((len(content), len(self.levels)), dtype=np.float32)
        if len(self.levels):
            column = np.minimum(np.searchsorted(self.levels, places), len(self.levels) - 1)
            row, at = np.nonzero(self.levels[column] == places)
            kept[row, column[row, at]] = 1.0
        return np.concatenate([content.text, content.numeric, kept], axis=1)


@dataclass(frozen=True, eq=False)
class Student:
    """A linear map from the features of items.

    Attributes:
        features: item rows → features.
        weights: (d, g) float32.
        constants: (g,) float32.
    """

    features: Features
    weights: Floats
    constants: Floats

    def read(self, items: pl.DataFrame) -> Floats:
        """(n, g) what is said of item rows."""
        return self.says(self.features.reader.read(items))

    def says(self, content: Content) -> Floats:
        """(n, g) what is said of `content`."""
        made = np.empty((len(content), len(self.constants)), dtype=np.float32)
        for start in range(0, len(content), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(content)))
            made[rows] = self.features.of(content.take(rows)) @ self.weights + self.constants
        return made

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and words to restore this student."""
        reader, meta = self.features.reader.state()
        tensors: Tensors = {f"reader.{n}": t for n, t in reader.items()}
        tensors |= {"levels": self.features.levels, "weights": self.weights, "constants": self.constants}
        return tensors, meta

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        own = {n.removeprefix("reader."): t for n, t in tensors.items() if n.startswith("reader.")}
        features = Features(ContentReader.restore(own, meta), tensors["levels"])
        return cls(features, tensors["weights"], tensors["constants"])


def _places(levels: Codes, reader: ContentReader) -> Codes:
    """(n, c) places of `levels` (n, c) among the levels of all attributes side by side; −1 where there is none."""
    starts = np.concatenate([[0], np.cumsum(reader.attributes.sizes)])[: levels.shape[1]]
    return np.where(levels > 0, levels + starts, -1).astype(np.int64)
