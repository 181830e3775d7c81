"""Screened top-k: a rough look at all items, whose error is bounded, and exact scores of those that may belong.

Some k items that look good are scored exactly; whose rough score and bound stay below the worst of these is not among
the k best. So the list is the one that exact scores of all items give, from a quarter of the bytes (see `eyes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

import numpy as np
import scipy.sparse as sp

from .eyes import ROUNDING, TOGETHER, Eye, Look, eyes_of, norms_of, parts_of, rounded_up
from .index import Mask, Top, top_k
from .types import Codes, Doubles, Floats

_BLOCK = 1_024
"""Items that are scored exactly at once."""
_FEW = 16
"""One item of so many may be scored exactly before another look is cheaper."""
_SHORTEST = 1e-24
"""Shorter items count as this long, beside 1 for the longest: so bounds are above what underflows."""
_HIDDEN = -1e30
"""Below every rough score but −inf."""


class ScreenedIndex:
    """Exact top-k for single queries. A score is a sum in double precision, rounded to float32 at the end.

    So it is the same whatever filters there are, and whichever other queries and items; of equal scores the lower place
    is first. Where so many scores are alike that no look tells them apart, each is summed, which is dearer.

    Args:
        vectors: (items, d) float32; kept, not copied. A copy of 8 bits a number is made beside it where numkong is
            installed; without it the rough look is a product in float32.

    Attributes:
        vectors: as given.
        longest: length of the longest of them.
        lengths: (items,) of all, the longest being 1 long.
        eyes: what looks at them, the cheapest first; none where no item has a length.
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        norms = np.concatenate([np.zeros(0), *(norms_of(part) for _, part in parts_of(self.vectors))])
        self.longest = float(norms.max(initial=0.0))
        self.eyes: list[Eye] = []
        if 0 < self.longest < np.inf:
            self.lengths = rounded_up(np.maximum(norms / self.longest, _SHORTEST))
            self.eyes = eyes_of(self.vectors, self.longest)

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """See `Index.top`."""
        values = np.full((len(queries), k), -np.inf, dtype=np.float32)
        places = np.full((len(queries), k), -1, dtype=np.int64)
        for row, sight in enumerate(self.sights(queries)):
            values[row], places[row] = sight.top(k, _stored(seen, row), available)
        return values, places

    def sights(self, queries: Floats) -> Iterator[Sight]:
        """Each of `queries` (n, d), to be asked of this index with filters of its own; some are looked for together."""
        for start in range(0, len(queries), TOGETHER):
            block = Block(self, queries[start : start + TOGETHER].astype(np.float64))
            yield from (Sight(block, row) for row in range(len(block.queries)))


@dataclass(frozen=True, eq=False)
class Block:
    """Queries (n, d) that are looked for together, when the first of them is asked."""

    index: ScreenedIndex
    queries: Doubles

    @cached_property
    def lengths(self) -> Doubles:
        """(n,) of the queries."""
        return norms_of(self.queries)

    @cached_property
    def directions(self) -> Doubles:
        """(n, d) the queries in length 1; zeros for those that have none."""
        sound = (self.lengths > 0) & (self.lengths < np.inf)
        return np.where(sound[:, None], self.queries, 0.0) / np.where(sound, self.lengths, 1.0)[:, None]

    @cached_property
    def looks(self) -> list[Look]:
        """The cheapest looks."""
        return self.index.eyes[0].look(self.directions)


@dataclass(frozen=True, eq=False)
class Sight:
    """Row `row` of a block: one query."""

    block: Block
    row: int

    def top(self, k: int, hidden: Codes, available: Mask | None) -> Top:
        """Scores (k,) and places (k,) of the k best; see `index.Top`.

        Args:
            k: how many.
            hidden: places that are left out.
            available: (items,) only these are found.
        """
        rivals = self._rivals(k, hidden, available)
        scores = exact_scores(self.block.index.vectors, self.block.queries[self.row], rivals)
        order = np.argsort(-scores, kind="stable")[:k]
        values, places = np.full(k, -np.inf, dtype=np.float32), np.full(k, -1, dtype=np.int64)
        values[: len(order)], places[: len(order)] = scores[order], rivals[order]
        places[np.isneginf(values)] = -1
        return values, places

    def _rivals(self, k: int, hidden: Codes, available: Mask | None) -> Codes:
        """Places among which the k best are, in order: few, as a rule."""
        index, length = self.block.index, self.block.lengths[self.row]
        n = len(index.vectors)
        few = max(n // _FEW, 4 * k)
        narrow = available is not None and np.count_nonzero(available) <= few
        if not length and index.eyes:  # so is every score
            return _left(n, hidden, available)[:k]
        for eye in index.eyes if length < np.inf and not narrow else ():
            rivals = self._near(eye, k, hidden, available)
            if len(rivals) <= few:
                return rivals
        return _left(n, hidden, available)

    def _near(self, eye: Eye, k: int, hidden: Codes, available: Mask | None) -> Codes:
        """Places of all that may be among the k best, by what `eye` sees."""
        index, block = self.block.index, self.block
        first = eye is index.eyes[0]
        look = block.looks[self.row] if first else eye.look(block.directions[self.row : self.row + 1])[0]
        rough = look.rough()
        rough[hidden] = -np.inf
        if available is not None:
            np.copyto(rough, -np.inf, where=~available)
        good = good_ones(rough, k)
        if len(good) < k:
            return np.flatnonzero(rough > -np.inf)
        # What rounds to the same float32 as the worst of them may stand before it.
        worst = np.nextafter(exact_scores(index.vectors, block.queries[self.row], good).min(), np.float32(-np.inf))
        least = float(worst) / (index.longest * float(block.lengths[self.row]))
        lowest = (least - eye.most_lost * look.of_lost - look.of_length - ROUNDING) / look.unit
        near = np.flatnonzero(rough >= np.float32(max(lowest, _HIDDEN)))
        bound = eye.lost[near] * np.float64(look.of_lost) + index.lengths[near] * np.float64(look.of_length)
        return near[rough[near] * np.float64(look.unit) + bound >= least]


def exact_scores(vectors: Floats, query: Floats | Doubles, places: Codes) -> Floats:
    """(n,) float32: sums in double precision of the `vectors` (items, d) at `places` times one `query` (d,)."""
    wide = np.asarray(query, dtype=np.float64)
    found = np.empty(len(places), dtype=np.float32)
    with np.errstate(over="ignore"):  # infinite, as in float32
        for start in range(0, len(places), _BLOCK):
            part = vectors[places[start : start + _BLOCK]].astype(np.float64)
            found[start : start + _BLOCK] = np.vecdot(part, wide)
    return found


def good_ones(scores: Floats, k: int) -> Codes:
    """Places of k of the best `scores` (n,), or of all that are not −inf where these are fewer; cheaper than a sort.

    Every column of a table of √(n / k) rows gives its best one; the k best of these are, but for those that share a
    column, the k best of all.
    """
    height = isqrt(len(scores) // k)
    if height > 3:
        width = len(scores) // height
        table = scores[: height * width].reshape(height, width)
        columns = np.argpartition(table.max(axis=0), width - k)[width - k :]
        rows = table[:, columns].argmax(axis=0)
        if (table[rows, columns] > -np.inf).all():
            found: Codes = rows * width + columns
            return found
    best = top_k(scores[None].copy(), k)[1]
    return best[best >= 0]


def _left(n: int, hidden: Codes, available: Mask | None) -> Codes:
    """Those of `n` places that filters leave, in order."""
    left = np.ones(n, np.bool_) if available is None else available.copy()
    left[hidden] = False
    return np.flatnonzero(left)


def _stored(seen: sp.csr_matrix | None, row: int) -> Codes:
    """Columns that a row stores."""
    found: Codes = np.zeros(0, np.int64) if seen is None else seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
    return found
