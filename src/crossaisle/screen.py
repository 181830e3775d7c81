"""Screened top-k: a rough look at all items, whose error is bounded, and exact scores of those that may belong.

For item x ≈ s X and query q ≈ b Q, X and Q whole numbers of 8 bits, with the rests e = x − s X and f = q − b Q:

    x · q − s b X · Q = e · b Q + x · f,   so   |x · q − s b X · Q| ≤ ‖e‖ ‖b Q‖ + ‖x‖ ‖f‖   (Cauchy–Schwarz).

Some k items that look good are scored exactly; whose rough score and bound stay below the worst of these is not among
the k best. So the list is the one that exact scores of all items give, from a quarter of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isqrt
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .index import Mask, Top, best_of, top_k
from .types import Codes, Doubles, Floats

_BLOCK = 4_096
"""Items that are scored exactly, or rounded, at once."""
_TOGETHER = 4
"""Queries that numkong multiplies for the price of one."""
_FEW = 8
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
    """Rough scores of all items for a query of length 1: |rough − exact| ≤ lost · of_lost + length · of_length.

    Attributes:
        rough: (items,) float32 scores, the longest item being 1 long.
        of_lost: what the length of an item's rest is multiplied by.
        of_length: what an item's length is multiplied by.
    """

    rough: Floats
    of_lost: float
    of_length: float


class Eye(Protocol):
    """Looks at all items.

    Attributes:
        lost: (items,) lengths of what is not seen of each item, the longest item being 1 long.
    """

    @property
    def lost(self) -> Floats: ...  # noqa: D102

    def look(self, queries: Doubles) -> list[Look]:
        """One look for each of a few `queries` (n, d), whose length is 1."""
        ...


@dataclass(frozen=True)
class Question:
    """What one list is made of.

    Attributes:
        query: (d,).
        length: of the query.
        k: how many places.
        hidden: places that are left out.
        available: (items,) only these are found.
    """

    query: Doubles
    length: float
    k: int
    hidden: Codes
    available: Mask | None

    @property
    def direction(self) -> Doubles:
        """(d,) the query in length 1; zeros where it has none."""
        return self.query / self.length if 0 < self.length < np.inf else np.zeros_like(self.query)

    def left(self, n: int) -> Codes:
        """Those of `n` places that filters leave, in order."""
        left = np.ones(n, np.bool_) if self.available is None else self.available.copy()
        left[self.hidden] = False
        return np.flatnonzero(left)


class ScreenedIndex:
    """Exact top-k for single queries. A score is a sum in double precision, rounded to float32 at the end.

    So it is the same whatever filters there are, and whichever other queries and items; of equal scores the lower place
    is first. Where so many scores are alike that no look tells them apart, each is summed, which is dearer.

    Args:
        vectors: (items, d) float32; kept, not copied. A copy of 8 bits a number is made beside it where numkong is
            installed; without it the rough look is a product in float32.
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        norms = np.concatenate([np.zeros(0), *(_norms(part) for _, part in _parts(self.vectors))])
        self._longest = float(norms.max(initial=0.0))
        self._eyes: list[Eye] = []
        if 0 < self._longest < np.inf:
            self._lengths = _above(np.maximum(norms / self._longest, _SHORTEST))
            self._eyes = eyes_of(self.vectors, self._longest)

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """See `Index.top`."""
        values = np.full((len(queries), k), -np.inf, dtype=np.float32)
        places = np.full((len(queries), k), -1, dtype=np.int64)
        for start in range(0, len(queries), _TOGETHER):
            block = [
                Question(query, float(np.linalg.norm(query)), k, _stored(seen, row), available)
                for row, query in enumerate(queries[start : start + _TOGETHER].astype(np.float64), start)
            ]
            for row, (asked, look) in enumerate(zip(block, self._looks(block), strict=True), start):
                rivals = self._rivals(asked, look)
                scores = exact_scores(self.vectors, asked.query, rivals)
                values[row : row + 1], places[row : row + 1] = best_of(scores[None], rivals[None], k)
        return values, places

    def _looks(self, block: Sequence[Question]) -> Sequence[Look | None]:
        """The cheapest looks; None where exact scores of all that is left are as cheap."""
        available = block[0].available
        narrow = available is not None and np.count_nonzero(available) <= len(available) // _FEW
        if narrow or not self._eyes:
            return [None] * len(block)
        return self._eyes[0].look(np.stack([asked.direction for asked in block]))

    def _rivals(self, asked: Question, look: Look | None) -> Codes:
        """Places among which the k best are, in order: few, as a rule."""
        n = len(self.vectors)
        few = max(n // _FEW, 4 * asked.k)
        if look is not None and asked.length == 0:  # so is every score
            return asked.left(n)[: asked.k]
        if look is not None and asked.length < np.inf:
            for eye in self._eyes:
                seen = look if eye is self._eyes[0] else eye.look(asked.direction[None])[0]
                rivals = self._near(asked, eye, seen)
                if len(rivals) <= few:
                    return rivals
        return asked.left(n)

    def _near(self, asked: Question, eye: Eye, look: Look) -> Codes:
        """Places of all that may be among the k best, by what `eye` sees."""
        rough = look.rough
        rough[asked.hidden] = -np.inf
        if asked.available is not None:
            np.copyto(rough, -np.inf, where=~asked.available)
        good = good_ones(rough, asked.k)
        if len(good) < asked.k:
            return np.flatnonzero(rough > -np.inf)
        # What rounds to the same float32 as the worst of them may stand before it.
        worst = np.nextafter(exact_scores(self.vectors, asked.query, good).min(), np.float32(-np.inf))
        least = float(worst) / (self._longest * asked.length)
        most = float(eye.lost.max()) * look.of_lost + look.of_length
        near = np.flatnonzero(rough >= np.float32(max(least - most - _ROUNDING, _HIDDEN)))
        bound = eye.lost[near] * np.float64(look.of_lost) + self._lengths[near] * np.float64(look.of_length)
        return near[rough[near] + bound >= least]


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
        whole: (items, d) whole numbers.
        steps: (items,) what a whole number stands for, the longest item being 1 long.
        lost: see `Eye`.
    """

    whole: npt.NDArray[np.int8]
    steps: Floats
    lost: Floats

    @classmethod
    def of(cls, vectors: Floats, longest: float) -> Self:
        """The eye for `vectors`; see `eyes_of`.

        Raises:
            ModuleNotFoundError: numkong is not installed.
        """
        import numkong  # noqa: F401

        whole = np.empty(vectors.shape, dtype=np.int8)
        steps, lost = np.empty(len(vectors), dtype=np.float32), np.empty(len(vectors))
        for start, part in _parts(vectors):
            rows = slice(start, start + len(part))
            whole[rows], kept = _whole(part.astype(np.float64) / longest)
            steps[rows] = kept
            lost[rows] = _norms(part.astype(np.float64) / longest - steps[rows, None].astype(np.float64) * whole[rows])
        return cls(whole, steps, _above(lost))

    def look(self, queries: Doubles) -> list[Look]:
        """See `Eye.look`."""
        import numkong

        whole, steps = _whole(queries)
        # The items as they are and the queries packed: slower than the other way where all fits in the processor's
        # cache, twice as fast where it does not, and four queries cost what one costs.
        products = np.asarray(numkong.dots_packed(self.whole, numkong.dots_pack(whole, "int8")))
        return [self._look(*each) for each in zip(products.T, queries, whole, steps, strict=True)]

    def _look(self, products: npt.NDArray[np.int32], query: Doubles, whole: npt.NDArray[np.int8], step: float) -> Look:
        rough = products.astype(np.float32)
        rough *= self.steps
        rough *= np.float32(step)
        kept = step * whole.astype(np.float64)
        wider = 1 + 8 * _ROUNDING
        return Look(rough, _norm(kept) * wider, _norm(query - kept) * wider + 4 * _ROUNDING)


@dataclass(frozen=True)
class Singles:
    """The vectors themselves, multiplied in float32.

    Attributes:
        vectors: (items, d).
        longest: length of the longest of them.
        lost: see `Eye`; zeros.
    """

    vectors: Floats
    longest: float
    lost: Floats

    def look(self, queries: Doubles) -> list[Look]:
        """See `Eye.look`."""
        return [self._look(query) for query in queries]

    def _look(self, query: Doubles) -> Look:
        short = query.astype(np.float32)
        rough: Floats = self.vectors @ short
        rough /= np.float32(self.longest)
        steps = (len(query) + 4) * _STEP  # whatever the order of the sum (Higham 2002, section 3.1)
        return Look(rough, 0.0, 1.01 * steps + _norm(query - short) + _ROUNDING)


def _whole(rows: Doubles) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows (n, d) as whole numbers from −127 to 127, and (n,) what they are multiplied by."""
    steps = (np.abs(rows).max(axis=1, initial=0.0) / 127).astype(np.float32)
    divided = rows / np.maximum(steps.astype(np.float64), 1e-300)[:, None]
    return np.clip(np.rint(divided), -127, 127).astype(np.int8), steps


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
