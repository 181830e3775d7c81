"""Eyes: rough scores of all items for a query, from fewer bytes or in float32, and how far they may be off.

For item x ≈ s X and query q ≈ b Q, X and Q whole numbers of 8 bits, with the rests e = x − s X and f = q − b Q:

    x · q − s b X · Q = e · b Q + x · f,   so   |x · q − s b X · Q| ≤ ‖e‖ ‖b Q‖ + ‖x‖ ‖f‖   (Cauchy–Schwarz).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from .types import Doubles, Floats

_BLOCK = 1_024
"""Items that are rounded at once."""
TOGETHER = 4
"""Columns that numkong multiplies for the price of one."""
_ROW = 320
"""Bytes that a row may have: it ends a row by adding up, so that short ones are slow; so are rows of 512 and more."""
_STEP = 2.0**-24
"""Relative error of one float32 step."""
ROUNDING = 1e-6
"""Above the relative error of the float32 steps after a product of whole numbers."""


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
        whole: (rows, d) whole numbers, with rows of zeros after the items up to a multiple of `fold_of(1, d)`.
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

        fold = fold_of(1, vectors.shape[1])
        whole = np.zeros((-(-len(vectors) // fold) * fold, vectors.shape[1]), dtype=np.int8)
        steps, lost = np.empty(len(vectors), dtype=np.float32), np.empty(len(vectors))
        for start, part in parts_of(vectors):
            rows = slice(start, start + len(part))
            wide = part.astype(np.float64) / longest
            whole[rows], steps[rows] = _whole(wide)
            lost[rows] = norms_of(wide - steps[rows, None].astype(np.float64) * whole[rows])
        at_most = rounded_up(lost)
        return cls(whole, steps, at_most, float(at_most.max()))

    def look(self, queries: Doubles) -> list[Look]:
        """See `Eye.look`."""
        import numkong

        whole, steps = _whole(queries)
        n, d = whole.shape
        fold = fold_of(n, d)
        # One column for each place of an item in a row. The items as they are and the queries packed: that takes no
        # more memory, and is the faster way where the items do not stay in the processor's cache.
        columns = np.zeros((n, fold, fold, d), dtype=np.int8)
        columns[:, np.arange(fold), np.arange(fold)] = whole[:, None]
        packed = numkong.dots_pack(columns.reshape(n * fold, fold * d), "int8")
        products = np.asarray(numkong.dots_packed(self.whole.reshape(-1, fold * d), packed))
        products = products.reshape(-1, n, fold).swapaxes(0, 1)
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
        wider = 1 + 8 * ROUNDING
        return Look(rough, float(step), _norm(kept) * wider, _norm(query - kept) * wider + 4 * ROUNDING)


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
        length = 1.01 * steps + _norm(query - short) + ROUNDING
        return Look(lambda: self.vectors @ short, 1 / self.longest, 0.0, length)


def fold_of(n: int, d: int) -> int:
    """How many items of d bytes stand side by side in a row when `n` queries are looked for together."""
    return max(1, min(_ROW // (n * d), TOGETHER // n))


def _whole(rows: Doubles) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows (n, d) as whole numbers from −127 to 127, and (n,) what they are multiplied by."""
    steps = (np.abs(rows).max(axis=1, initial=0.0) / 127).astype(np.float32)
    divided = rows / np.maximum(steps.astype(np.float64), 1e-300)[:, None]
    return np.clip(np.rint(divided), -127, 127).astype(np.int8), steps


def parts_of(vectors: Floats) -> Iterator[tuple[int, Floats]]:
    """Blocks of rows, and where each begins."""
    for start in range(0, len(vectors), _BLOCK):
        yield start, vectors[start : start + _BLOCK]


def _norm(vector: Doubles) -> float:
    return float(np.linalg.norm(vector))


def norms_of(vectors: Floats | Doubles) -> Doubles:
    """(n,) lengths of the rows, in double precision."""
    found: Doubles = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return found


def rounded_up(values: Doubles) -> Floats:
    """In float32, not below."""
    return np.nextafter((values * (1 + ROUNDING)).astype(np.float32), np.float32(np.inf))
