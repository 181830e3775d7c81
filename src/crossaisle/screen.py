"""Screened top-k: a rough look at all items, whose error is bounded, and exact scores of those that may belong.

For item x ≈ s X and query q ≈ b Q, X and Q whole numbers of 8 bits, with the rests e = x − s X and f = q − b Q:

    x · q − s b X · Q = e · b Q + x · f,   so   |x · q − s b X · Q| ≤ ‖e‖ ‖b Q‖ + ‖x‖ ‖f‖   (Cauchy–Schwarz).

The k items that look best are scored exactly; whose rough score and bound stay below the worst of these is not among
the k best. So the list is the one that exact scores of all items give, from a quarter of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import isqrt
from typing import Any, Protocol, Self

import numpy as np
import scipy.sparse as sp

from .index import Mask, Top, best_of, top_k
from .types import Codes, Doubles, Floats

_BLOCK = 4_096
"""Items that are scored exactly, or rounded, at once."""
_FEW = 8
"""One item of so many may be scored exactly before another look is cheaper."""
_ROUNDING = 1e-6
"""Above the relative error of the float32 steps after a product of whole numbers."""
_UNIT = 2.0**-24
"""Relative error of one float32 step."""
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

    def look(self, query: Doubles) -> Look:
        """Rough scores for a query (d,) of length 1."""
        ...


class ScreenedIndex:
    """Exact top-k for single queries. A score is a sum in double precision, rounded to float32 at the end.

    So it is the same whatever filters there are, and whichever other queries and items; of equal scores the lower place
    is first. Vectors of many equal scores, or so alike that no look tells them apart, cost a sum for each item.

    Args:
        vectors: (items, d) float32; kept, not copied. A copy of 8 bits a number is made beside it where numkong is
            installed; without it the rough look is a product in float32.
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        norms = np.concatenate([np.zeros(0), *(_norms(part) for _, part in _parts(self.vectors))])
        longest = float(norms.max(initial=0.0))
        self._longest = longest
        self._eyes: list[Eye] = []
        if 0 < longest < np.inf:
            self._lengths = _above(np.maximum(norms / longest, _SHORTEST))
            self._eyes = eyes_of(self.vectors, longest)

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """See `Index.top`."""
        values = np.full((len(queries), k), -np.inf, dtype=np.float32)
        places = np.full((len(queries), k), -1, dtype=np.int64)
        for row, query in enumerate(np.asarray(queries, dtype=np.float64)):
            hidden = None if seen is None else seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
            rivals = self._rivals(query, k, hidden, available)
            values[row : row + 1], places[row : row + 1] = best_of(
                exact_scores(self.vectors, query, rivals)[None], rivals[None], k
            )
        return values, places

    def _rivals(self, query: Doubles, k: int, hidden: Codes | None, available: Mask | None) -> Codes:
        """Places among which the k best are, in order: few, as a rule."""
        few = max(len(self.vectors) // _FEW, 4 * k)
        length = float(np.linalg.norm(query))
        if not length and self._eyes:  # all scores are 0
            return self._left(hidden, available)[:k]
        if np.isfinite(length) and (available is None or np.count_nonzero(available) > few):
            for eye in self._eyes:
                rivals = self._seen_by(eye, query, length, k, hidden, available)
                if len(rivals) <= few:
                    return rivals
        return self._left(hidden, available)

    def _seen_by(
        self, eye: Eye, query: Doubles, length: float, k: int, hidden: Codes | None, available: Mask | None
    ) -> Codes:
        """Places of all that may be among the k best, by what `eye` sees."""
        look = eye.look(query / length)
        rough = look.rough
        if hidden is not None:
            rough[hidden] = -np.inf
        if available is not None:
            np.copyto(rough, -np.inf, where=~available)
        good = good_ones(rough, k)
        if len(good) < k:
            return np.flatnonzero(rough > -np.inf)
        # What rounds to the same float32 as the worst of them may stand before it.
        worst = np.nextafter(exact_scores(self.vectors, query, good).min(), np.float32(-np.inf))
        least = float(worst) / (self._longest * length)
        most = float(eye.lost.max()) * look.of_lost + look.of_length
        near = np.flatnonzero(rough >= np.float32(max(least - most - _ROUNDING, _HIDDEN)))
        bound = eye.lost[near] * np.float64(look.of_lost) + self._lengths[near] * np.float64(look.of_length)
        return near[rough[near] + bound >= least]

    def _left(self, hidden: Codes | None, available: Mask | None) -> Codes:
        """Places that filters leave, in order."""
        left = np.ones(len(self.vectors), np.bool_) if available is None else available.copy()
        if hidden is not None:
            left[hidden] = False
        return np.flatnonzero(left)


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
    n = len(scores)
    height = isqrt(n // k)
    if height > 3:
        width = n // height
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
        packed: the whole numbers, in numkong's order.
        width: of a packed row.
        steps: (items,) what a whole number stands for, the longest item being 1 long.
        lost: see `Eye`.
    """

    packed: Any
    width: int
    steps: Floats
    lost: Floats

    @classmethod
    def of(cls, vectors: Floats, longest: float) -> Self:
        """The eye for `vectors`; see `eyes_of`."""
        import numkong

        n, d = vectors.shape
        width = -(-d // 64) * 64  # numkong is several times slower for a width between
        whole = np.zeros((n, width), dtype=np.int8)
        steps, lost = np.empty(n, dtype=np.float32), np.empty(n)
        for start, part in _parts(vectors):
            rows = slice(start, start + len(part))
            wide = part.astype(np.float64) / longest
            steps[rows] = np.abs(wide).max(axis=1) / 127
            wide_steps = np.maximum(steps[rows].astype(np.float64), 1e-300)[:, None]
            whole[rows, :d] = np.clip(np.rint(wide / wide_steps), -127, 127)
            lost[rows] = _norms(wide - wide_steps * whole[rows, :d])
        return cls(numkong.dots_pack(whole, "int8"), width, steps, _above(lost))

    def look(self, query: Doubles) -> Look:
        """See `Eye.look`."""
        import numkong

        step = np.abs(query).max() / 127
        whole = np.rint(query / step)
        padded = np.zeros((1, self.width), dtype=np.int8)
        padded[0, : len(whole)] = whole
        products = np.asarray(numkong.dots_packed(padded, self.packed))[0]
        rough = products.astype(np.float32)
        rough *= self.steps
        rough *= np.float32(step)
        seen = float(np.linalg.norm(step * whole)) * (1 + 4 * _ROUNDING)
        return Look(rough, seen, float(np.linalg.norm(query - step * whole)) * (1 + 4 * _ROUNDING) + 2 * _ROUNDING)


@dataclass(frozen=True)
class Singles:
    """The vectors themselves, multiplied in float32."""

    vectors: Floats
    longest: float
    lost: Floats

    def look(self, query: Doubles) -> Look:
        """See `Eye.look`."""
        short = query.astype(np.float32)
        rough = self.vectors @ short
        rough /= np.float32(self.longest)
        steps = (len(query) + 4) * _UNIT  # any order of sums (Higham 2002, section 3.1)
        return Look(rough, 0.0, 1.01 * steps + float(np.linalg.norm(query - short)) + _ROUNDING)


def _parts(vectors: Floats) -> Iterator[tuple[int, Floats]]:
    for start in range(0, len(vectors), _BLOCK):
        yield start, vectors[start : start + _BLOCK]


def _norms(vectors: Floats | Doubles) -> Doubles:
    found: Doubles = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return found


def _above(values: Doubles) -> Floats:
    """In float32, not below."""
    return np.nextafter((values * (1 + _ROUNDING)).astype(np.float32), np.float32(np.inf))
