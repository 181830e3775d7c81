"""Content: what the encoders read of items, side by side, in the widths that a network takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import polars as pl

from ..config import build
from ..types import Codes, Floats, Tensors
from .attributes import AttributeEncoder, hashes_of
from .method import Bools
from .text import TextEncoder


@dataclass(frozen=True)
class ContentOptions:
    """What of the items is read."""

    text: str | None = "minilm"
    """Text model: ``minilm``, a folder or a model's name; ``""`` reads no text."""
    text_fields: tuple[str, ...] = ("title", "description", "brand", "category")
    """Columns whose words are read together. Leave sizes and codes out: they cost time and say little."""
    text_dim: int = 64
    """Principal components of the text vectors that are kept."""
    max_levels: int = 5000
    """Commonest levels kept of each text attribute (brand, category, …)."""
    ids: Literal["auto", "never"] = "auto"
    """``auto``: items with no title, price or attribute are known by their ids instead, where somebody had them."""


@dataclass(frozen=True)
class Content:
    """n rows as arrays.

    Attributes:
        text: (n, t) float32, zero where a row has none.
        numeric: (n, p) float32 numbers on a common scale.
        levels: (n, c) codes of levels, 0 where missing or never seen.
    """

    text: Floats
    numeric: Floats
    levels: Codes

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: Codes) -> Content:
        """The rows `rows`."""
        return Content(self.text[rows], self.numeric[rows], self.levels[rows])

    def joined(self, other: Content) -> Content:
        """These rows, then those of `other`."""
        pairs = ((getattr(self, n), getattr(other, n)) for n in ("text", "numeric", "levels"))
        return Content(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class ContentReader:
    """Item rows → `Content`: text by a sentence encoder and its principal components, attributes as they are.

    Attributes:
        text: the text encoder; None where items have no text or none is wanted.
        centre: (e,) mean text vector.
        components: (e, t) principal components, columns of length 1 times a common scale.
        attributes: the attribute encoder.
        ids: sorted hashes of the ids of items that say nothing else of themselves, a level each; empty where none is.
    """

    text: TextEncoder | None
    centre: Floats
    components: Floats
    attributes: AttributeEncoder
    ids: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def fit(cls, items: pl.DataFrame, options: ContentOptions, had: Bools | None = None) -> tuple[Self, Content]:
        """Learn scales, levels and components from item rows; the content of those rows comes with it.

        Args:
            items: n rows.
            options: what is read.
            had: (n,) True for items that somebody had: their ids can be learned. None reads no ids.
        """
        named = np.zeros(len(items), np.bool_) if had is None or options.ids == "never" else had & ~told_of(items)
        ids = np.sort(hashes_of(items.filter(named)["item_id"])) if named.any() else np.zeros(0, dtype=np.int64)
        attributes = AttributeEncoder.fit(items, max_levels=options.max_levels)
        encoder = TextEncoder(options.text, fields=options.text_fields) if options.text else None
        if encoder is None or encoder.texts(items).null_count() == len(items):
            none = np.zeros((0, 0), dtype=np.float32)
            made = cls(None, np.zeros(0, dtype=np.float32), none, attributes, ids)
            return made, made.read(items)
        vectors, mask = encoder.encode(items)
        centre, components = principal(vectors[mask], options.text_dim)
        made = cls(encoder, centre, components, attributes, ids)
        return made, made._with_text(items, vectors, mask)

    @property
    def levels(self) -> tuple[int, ...]:
        """(c,) how many codes each column of `Content.levels` has."""
        return (*self.attributes.sizes, *((len(self.ids) + 1,) if len(self.ids) else ()))

    def known(self, items: pl.DataFrame) -> Bools:
        """(n,) True where an item row is known by its id."""
        return self._codes(items) > 0

    def read(self, items: pl.DataFrame) -> Content:
        """The content of item rows, seen before or not."""
        if self.text is None:
            nothing = np.zeros((len(items), 0), dtype=np.float32)
            return Content(nothing, self.attributes.encode(items)[0], self._levels(items))
        return self._with_text(items, *self.text.encode(items))

    def _with_text(self, items: pl.DataFrame, vectors: Floats, mask: Any) -> Content:
        text = ((vectors - self.centre) @ self.components) * mask[:, None]
        return Content(text.astype(np.float32), self.attributes.encode(items)[0], self._levels(items))

    def _levels(self, items: pl.DataFrame) -> Codes:
        found = self.attributes.levels(items)
        if not len(self.ids):
            return found
        return np.column_stack([found, self._codes(items)])

    def _codes(self, items: pl.DataFrame) -> Codes:
        """(n,) codes of item ids, 0 where unknown."""
        if not len(self.ids) or "item_id" not in items.columns or items.is_empty():
            return np.zeros(len(items), dtype=np.int64)
        hashes = hashes_of(items["item_id"])
        place = np.searchsorted(self.ids, hashes).clip(max=len(self.ids) - 1)
        codes: Codes = np.where(self.ids[place] == hashes, place + 1, 0)
        return codes

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and words to restore this reader."""
        tensors, meta = self.attributes.state()
        packed: Tensors = {f"attributes.{n}": t for n, t in tensors.items()}
        packed |= {"centre": self.centre, "components": self.components, "ids": self.ids}
        return packed, {"attributes": meta, "text": None if self.text is None else self.text.state()[1]}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        own = {n.removeprefix("attributes."): t for n, t in tensors.items() if n.startswith("attributes.")}
        text = None if meta["text"] is None else build(TextEncoder, meta["text"], "text encoder")
        attributes = AttributeEncoder.restore(own, meta["attributes"])
        return cls(text, tensors["centre"], tensors["components"], attributes, tensors["ids"])


def principal(vectors: Floats, dim: int) -> tuple[Floats, Floats]:
    """Mean (e,) and the first `dim` principal components (e, t) of rows, scaled so that scores have unit variance.

    One scale serves all components, so that distances keep their meaning.
    """
    centre = vectors.mean(axis=0)
    wide = (vectors - centre).astype(np.float64)
    values, axes = np.linalg.eigh(wide.T @ wide / max(len(vectors), 1))
    kept = axes[:, ::-1][:, : min(dim, len(axes))]
    sign = np.where(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])] < 0, -1.0, 1.0)
    scale = 1.0 / np.sqrt(max(float(values[::-1][: kept.shape[1]].mean()), 1e-12))
    return centre.astype(np.float32), (kept * sign * scale).astype(np.float32)


def told_of(items: pl.DataFrame) -> Bools:
    """(n,) whether an item row has a title, price or attribute."""
    told = items.drop("item", "item_id", "domain", "image", strict=False)
    if not told.width:
        return np.zeros(len(items), dtype=np.bool_)
    found: Bools = told.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return found
