"""Vectors of sampled items, without training: text by the default model, else the words and attributes themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ..encoders.content import ContentOptions, ContentReader, told_of
from ..errors import ConfigError
from ..models.base import item_rows
from ..models.profile import collaborative_vectors
from ..transfer.alike import shared_features
from ..types import Codes, Floats
from .sides import GapOptions, Ground, Side, some

WIDTH = 64


@dataclass(frozen=True)
class Items:
    """Sampled items of all domains.

    Attributes:
        codes: (n,) sorted item codes.
        vectors: (n, d) float32, centred on the World; d is 0 where no item says anything.
        own: domain → places in `codes` of what was drawn of its catalogue.
        how: what the vectors are made of, in words.
        note: a sentence where it is not what was asked for.
    """

    codes: Codes
    vectors: Floats
    own: Mapping[str, Codes]
    how: str
    note: str = ""

    def of(self, name: str) -> Floats:
        """(m, d) vectors of what was drawn of a domain."""
        return self.vectors[self.own[name]]


def told_items(ground: Ground) -> npt.NDArray[np.bool_]:
    """(world items,) whether an item says anything of itself."""
    return ground.once("told", lambda: told_of(ground.world.content))


def sampled(ground: Ground, sides: Sequence[Side], together: Mapping[str, Sequence[str]]) -> Items:
    """Draw items of every side and read them.

    Args:
        ground: what all measures share.
        sides: single domains.
        together: name → domains that are one side as well; their sample is drawn from theirs, in proportion to their
            catalogues.
    """
    told, most = told_items(ground), ground.options.items
    drawn = {s.name: some(s.catalogue[told[s.catalogue]], most, ground.draw("items", s.name)) for s in sides}
    codes = np.unique(np.concatenate([np.zeros(0, np.int64), *drawn.values()]))
    vectors, how, note = _read(ground, codes)
    speaks = np.abs(vectors).sum(axis=1) > 0
    own = {name: (place := np.searchsorted(codes, c))[speaks[place]] for name, c in drawn.items()}
    sizes = {s.name: int(told[s.catalogue].sum()) for s in sides}
    own |= {name: _together(own, sizes, names, most, ground.draw("items", name)) for name, names in together.items()}
    return Items(codes, vectors, own, how, note)


def _together(
    own: Mapping[str, Codes], sizes: Mapping[str, int], names: Sequence[str], most: int, draw: np.random.Generator
) -> Codes:
    places = np.concatenate([np.zeros(0, np.int64), *(own[n] for n in names)])
    weight = np.concatenate([np.zeros(0), *(np.full(len(own[n]), sizes[n] / max(len(own[n]), 1)) for n in names)])
    if len(places) <= most:
        return places
    return np.sort(draw.choice(places, most, replace=False, p=weight / weight.sum()))


def _read(ground: Ground, codes: Codes) -> tuple[Floats, str, str]:
    rows, note = item_rows(ground.world)[codes.tolist()], ""
    if not len(rows):
        return np.zeros((0, 0), dtype=np.float32), "nothing", ""
    if ground.options.text:
        try:
            _, content = ContentReader.fit(rows, ContentOptions(text=ground.options.text, text_dim=WIDTH, ids="never"))
        except ConfigError as error:
            if ground.options.text != GapOptions().text:
                raise
            note = f"Items are compared by their words and attributes: {error}"
        else:
            if content.text.shape[1]:
                return content.text, f"text by {ground.options.text}", ""
    return (*_words(rows, ground.seed), note)


def _words(rows: pl.DataFrame, seed: int) -> tuple[Floats, str]:
    """Singular vectors of the table items × words and levels, rows of length 1 (latent semantic analysis)."""
    table = shared_features(rows)
    if not table.nnz:
        return np.zeros((len(rows), 0), dtype=np.float32), "nothing"
    axes, _ = collaborative_vectors(table, WIDTH, seed)
    length = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    there = length > 0
    made = np.asarray(table @ axes) / np.maximum(length, 1e-9)[:, None]
    made = (made - made[there].mean(axis=0)) * there[:, None]
    return (made / max(float(made[there].std()), 1e-9)).astype(np.float32), "words and attributes"
