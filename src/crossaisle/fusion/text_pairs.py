"""Pairs of texts that the same person bought, for tuning a text encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.world import World
from ..encoders.text import TextEncoder
from ..errors import MethodError
from ..models.base import item_rows
from ..rng import generator
from ..train.batches import Bools, among
from ..types import Codes, Floats
from .common import liked_rows

LEAST_PEOPLE = 20
"""Fewer people with two texts say too little."""
HELD_OUT, MOST_HELD_OUT = 0.1, 400
"""Share of the people who judge and do not train, and how many at most."""


@dataclass(frozen=True)
class Drawn:
    """Pairs of one batch, a person each.

    Attributes:
        one: (n,) numbers of texts.
        other: (n,) numbers of another text of the same person.
        known: (n, n) True where person a has other[b] as well, or person b has one[a]: no negative.
    """

    one: Codes
    other: Codes
    known: Bools

    def __len__(self) -> int:
        return len(self.one)

    def distinct(self) -> tuple[Codes, Codes]:
        """(m,) numbers of the texts, each once, and the (2n,) places of `one`, then `other`, among them."""
        return np.unique(np.concatenate([self.one, self.other]), return_inverse=True)


@dataclass(frozen=True, eq=False)
class TextPairs:
    """Who has which texts.

    Attributes:
        texts: (t,) distinct texts.
        owned: (people, t) CSR 1 + the code of the domain that the person first had the text in; two or more a row.
        weight: (t,) log of how often a text is drawn of those that a person has.
        across: share of the pairs that are of two domains where the person has such.
        held: how many people, the last rows, judge and do not train.
        seed: of what is drawn.
    """

    texts: tuple[str, ...]
    owned: sp.csr_matrix
    weight: Floats
    across: float
    held: int
    seed: int

    @classmethod
    def of(
        cls, world: World, sources: tuple[str, ...], encoder: TextEncoder, smoothing: float, across: float, seed: int
    ) -> Self:
        """What people of `sources` have, by the texts that `encoder` reads.

        Raises:
            MethodError: no text, or too few people with two.
        """
        texts = encoder.texts(item_rows(world))
        if texts.null_count() == len(texts):
            raise MethodError(
                f"no item has text in {', '.join(encoder.fields)}; add such a column to items, or name other fields."
            )
        rows = _bought(world, sources, texts)
        people = np.unique(rows["user"].to_numpy())
        if len(people) < LEAST_PEOPLE:
            raise MethodError(
                f"{len(people)} people have two different texts in what may be seen, and {LEAST_PEOPLE} are needed; "
                "name more sources, or a later cut."
            )
        people = generator(seed, "text people").permutation(people)
        held = min(MOST_HELD_OUT, round(HELD_OUT * len(people)))
        names, numbers = np.unique(rows["text"].to_numpy(), return_inverse=True)
        place = np.argsort(people)[np.searchsorted(np.sort(people), rows["user"].to_numpy())]
        home = rows["domain"].to_numpy().astype(np.int64) + 1
        owned = sp.csr_matrix((home, (place, numbers)), shape=(len(people), len(names)))
        trained = np.bincount(owned[: len(people) - held].indices, minlength=len(names))
        weight = ((smoothing - 1) * np.log(np.maximum(trained, 1))).astype(np.float32)
        return cls(tuple(names.tolist()), owned, weight, across, held, seed)

    @property
    def trained(self) -> sp.csr_matrix:
        """(people that train, t) those rows of `owned`."""
        return self.owned[: self.owned.shape[0] - self.held]

    def draw(self, step: int, size: int) -> Drawn:
        """The batch of `step`, of people drawn alike; depends on seed and step alone."""
        draw = generator(self.seed, "text pairs", str(step))
        return self._pairs(draw.integers(0, self.trained.shape[0], size), draw)

    def judges(self) -> Drawn:
        """A pair of each of the people held out."""
        people = np.arange(self.trained.shape[0], self.owned.shape[0])
        return self._pairs(people, generator(self.seed, "text judges"))

    def _pairs(self, people: Codes, draw: np.random.Generator) -> Drawn:
        owned = self.owned[people]
        row = np.repeat(np.arange(len(people)), np.diff(owned.indptr))
        # The greatest of log weights with Gumbel noise is a draw by weight.
        worth = self.weight[owned.indices] + draw.gumbel(size=len(row))
        first = _greatest(worth, row, owned.indptr)
        far = (draw.random(len(people)) < self.across)[row] & (owned.data != owned.data[first][row])
        worth = self.weight[owned.indices] + draw.gumbel(size=len(row)) + 1e6 * far
        worth[first] = -np.inf
        one, other = owned.indices[first], owned.indices[_greatest(worth, row, owned.indptr)]
        known = self._have(people, other) | self._have(people, one).T
        return Drawn(one.astype(np.int64), other.astype(np.int64), known)

    def _have(self, people: Codes, texts: Codes) -> Bools:
        found, place = np.unique(texts, return_inverse=True)
        return among(self.owned, people, found)[:, place]


def _bought(world: World, sources: tuple[str, ...], texts: pl.Series) -> pl.DataFrame:
    """``user``, ``text``, ``domain``: what each person has, once, of people who have two texts or more."""
    rows = liked_rows(world, sources).select("user", "item", "domain")
    named = rows.with_columns(text=texts.gather(rows["item"])).drop_nulls("text")
    once = named.unique(["user", "text"], keep="first", maintain_order=True)
    return once.filter(pl.len().over("user") > 1)


def _greatest(worth: Floats, row: Codes, starts: Codes) -> Codes:
    """(n,) place of the greatest `worth` of each row."""
    places: Codes = np.lexsort((worth, row))[starts[1:] - 1]
    return places
