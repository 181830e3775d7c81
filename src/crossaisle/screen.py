"""Screened top-k: a rough look at all items, whose error is bounded, and exact scores of those that may belong.

For item x ≈ s X and query q ≈ b Q, X and Q whole numbers of 8 bits, with the rests e = x − s X and f = q − b Q:

    x · q − s b X · Q = e · b Q + x · f,   so   |x · q − s b X · Q| ≤ ‖e‖ ‖b Q‖ + ‖x‖ ‖f‖   (Cauchy–Schwarz).

Some k items that look good are scored exactly; whose rough score and bound stay below the worst of these is not among
the k best. So the list is the one that exact scores of all items give, from a quarter of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .index import Mask, Top, top_k
from .types import Codes, Doubles, Floats

_BLOCK = 1_024
"""Items that are scored exactly, or rounded, at once."""
_TOGETHER = 4
"""Columns that numkong multiplies for the price of one."""
_ROW = 320
"""Bytes that a row may have: it ends a row by adding up, so that short ones are slow; so are rows of 512 and more."""
_FEW = 16
"""One item of so many may be scored exactly before another look is cheaper."""
_STEP = 2.0**-24
"""Relative error of one float32 step."""
_ROUNDING = 1e-6
"""Above the relative error of the float32 steps after a product of whole numbers."""
_SHORTEST = 1e-24
"""Shorter items count as this long, beside 1 for the longest: so bounds are above what underflows."""
_HIDDEN = -1e30
"""Below every rough score but −inf."""


@dataclass(frozen=True)
class Look:
    """Rough scores of all items for a query of length 1, the longest item being 1 long.

    |unit · rough − exact| ≤ lost · of_lost + length · of_length for every item.

    Attributes:
        rough: makes (items,) float32, anew at each call.
        unit: what they are to be multiplied by.
        of_lost: what the length of an item's rest is multiplied by.
        of_length: what an item's length is multiplied by.
    """

    rough: Callable[[], Floats]
    unit: float
    of_lost: float
    of_length: float


class Eye(Protocol):
    """Looks at all items.

    Attributes:
        lost: (items,) lengths of what is not seen of each item, the longest item being 1 long.
        most_lost: the greatest of them.
    """

    @property
    def lost(self) -> Floats: ...  # noqa: D102

    @property
    def most_lost(self) -> float: ...  # noqa: D102

    def look(self, queries: Doubles) -> list[Look]:
        """One look for each of a few `queries` (n, d), whose length is 1."""
        ...


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
        norms = np.concatenate([np.zeros(0), *(_norms(part) for _, part in _parts(self.vectors))])
        self.longest = float(norms.max(initial=0.0))
        self.eyes: list[Eye] = []
        if 0 < self.longest < np.inf:
            self.lengths = _above(np.maximum(norms / self.longest, _SHORTEST))
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
        for start in range(0, len(queries), _TOGETHER):
            block = Block(self, queries[start : start + _TOGETHER].astype(np.float64))
            yield from (Sight(block, row) for row in range(len(block.queries)))


@dataclass(frozen=True, eq=False)
class Block:
    """Queries (n, d) that are looked for together, when the first of them is asked."""

    index: ScreenedIndex
    queries: Doubles

    @cached_property
    def lengths(self) -> Doubles:
        """(n,) of the queries."""
        return _norms(self.queries)

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
        lowest = (least - eye.most_lost * look.of_lost - look.of_length - _ROUNDING) / look.unit
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


def eyes_of(vectors: Floats, longest: float) -> list[Eye]:
    """What looks at `vectors` (items, d), the cheapest first.

    Args:
        vectors: (items, d).
        longest: length of the longest of them.
    """
    eyes: list[Eye] = []
    with suppress(ModuleNotFoundError):  # without it dearer, and as exact
        eyes.append(Bytes.of(vectors, longest))
    if 1e-20 < longest < 1e20:  # else products could overflow or vanish in float32
        eyes.append(Singles(vectors, longest, np.broadcast_to(np.float32(0), len(vectors))))
    return eyes


@dataclass(frozen=True)
class Bytes:
    """Eight bits a number, multiplied by numkong.

    Attributes:
        whole: (rows, fold · d) whole numbers, `fold` items side by side in a row, zeros after the last.
        steps: (items,) what a whole number stands for, the longest item being 1 long.
        lost: see `Eye`.
        most_lost: see `Eye`.
    """

    whole: npt.NDArray[np.int8]
    steps: Floats
    lost: Floats
    most_lost: float

    @classmethod
    def of(cls, vectors: Floats, longest: float) -> Self:
        """The eye for `vectors`; see `eyes_of`.

        Raises:
            ModuleNotFoundError: numkong is not installed.
        """
        import numkong  # noqa: F401

        fold = min(max(_ROW // vectors.shape[1], 1), _TOGETHER)
        whole = np.zeros((-(-len(vectors) // fold) * fold, vectors.shape[1]), dtype=np.int8)
        steps, lost = np.empty(len(vectors), dtype=np.float32), np.empty(len(vectors))
        for start, part in _parts(vectors):
            rows = slice(start, start + len(part))
            whole[rows], kept = _whole(part.astype(np.float64) / longest)
            steps[rows] = kept
            lost[rows] = _norms(part.astype(np.float64) / longest - steps[rows, None].astype(np.float64) * whole[rows])
        above = _above(lost)
        return cls(whole.reshape(-1, fold * vectors.shape[1]), steps, above, float(above.max()))

    def look(self, queries: Doubles) -> list[Look]:
        """See `Eye.look`."""
        import numkong

        whole, steps = _whole(queries)
        n, d = whole.shape
        fold = self.whole.shape[1] // d
        # One column for each place of an item in a row. The items as they are and the queries packed: that takes no
        # more memory, and is the faster way where the items do not stay in the processor's cache.
        columns = np.zeros((n, fold, fold, d), dtype=np.int8)
        columns[:, np.arange(fold), np.arange(fold)] = whole[:, None]
        packed = numkong.dots_pack(columns.reshape(n * fold, fold * d), "int8")
        products = np.asarray(numkong.dots_packed(self.whole, packed)).reshape(-1, n, fold).swapaxes(0, 1)
        items = len(self.steps)
        return [
            self._look(found.reshape(-1)[:items], *each)
            for found, *each in zip(products, queries, whole, steps, strict=True)
        ]

    def _look(
        self, products: npt.NDArray[np.int32], query: Doubles, whole: npt.NDArray[np.int8], step: np.float32
    ) -> Look:
        def rough() -> Floats:
            made = products.astype(np.float32)
            made *= self.steps
            return made

        kept = step * whole.astype(np.float64)
        wider = 1 + 8 * _ROUNDING
        return Look(rough, float(step), _norm(kept) * wider, _norm(query - kept) * wider + 4 * _ROUNDING)


@dataclass(frozen=True)
class Singles:
    """The vectors themselves, multiplied in float32.

    Attributes:
        vectors: (items, d).
        longest: length of the longest of them.
        lost: see `Eye`; zeros.
        most_lost: see `Eye`; zero.
    """

    vectors: Floats
    longest: float
    lost: Floats
    most_lost: float = 0.0

    def look(self, queries: Doubles) -> list[Look]:
        """See `Eye.look`."""
        return [self._look(query) for query in queries]

    def _look(self, query: Doubles) -> Look:
        short = query.astype(np.float32)
        steps = (len(query) + 4) * _STEP  # whatever the order of the sum (Higham 2002, section 3.1)
        length = 1.01 * steps + _norm(query - short) + _ROUNDING
        return Look(lambda: self.vectors @ short, 1 / self.longest, 0.0, length)


def _whole(rows: Doubles) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows (n, d) as whole numbers from −127 to 127, and (n,) what they are multiplied by."""
    steps = (np.abs(rows).max(axis=1, initial=0.0) / 127).astype(np.float32)
    divided = rows / np.maximum(steps.astype(np.float64), 1e-300)[:, None]
    return np.clip(np.rint(divided), -127, 127).astype(np.int8), steps


def _left(n: int, hidden: Codes, available: Mask | None) -> Codes:
    """Those of `n` places that filters leave, in order."""
    left = np.ones(n, np.bool_) if available is None else available.copy()
    left[hidden] = False
    return np.flatnonzero(left)


def _stored(seen: sp.csr_matrix | None, row: int) -> Codes:
    """Columns that a row stores."""
    found: Codes = np.zeros(0, np.int64) if seen is None else seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
    return found


def _parts(vectors: Floats) -> Iterator[tuple[int, Floats]]:
    for start in range(0, len(vectors), _BLOCK):
        yield start, vectors[start : start + _BLOCK]


def _norm(vector: Doubles) -> float:
    return float(np.linalg.norm(vector))


def _norms(vectors: Floats | Doubles) -> Doubles:
    found: Doubles = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return found


def _above(values: Doubles) -> Floats:
    """In float32, not below."""
    return np.nextafter((values * (1 + _ROUNDING)).astype(np.float32), np.float32(np.inf))
