"""Numbers with intervals, and the plain word of each; docs/gap.md gives the reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..types import Doubles as Doubles
from .report import Family, Measure, Word

Z = 1.959964
NONE = float("nan")


@dataclass(frozen=True)
class Found:
    """A number before it is put between two domains; attributes as in `Measure`."""

    name: str
    value: float = NONE
    low: float = NONE
    high: float = NONE
    null: float | None = None
    word: Word | None = None

    def said(self, word: Word | None) -> Found:
        """With its word."""
        return replace(self, word=word)

    def turned(self) -> Found:
        """A signed difference seen from the other side."""
        return replace(self, value=-self.value, low=-self.high, high=-self.low)

    def of(self, source: str, target: str, family: Family) -> Measure:
        """Put between two domains."""
        return Measure(source, target, family, **vars(self))


def distance(found: Found, near: float, far: float, enough: bool = True) -> Found:
    """With the word of a distance: close up to `near`, unrelated from `far` on.

    An interval that reaches from one to the other leaves nothing to say. Where `far` is not above `near`, the
    reference tells nothing and no distance is unrelated.
    """
    if not enough or math.isnan(found.value):
        return found.said("too little to say")
    far = far if far > near else math.inf
    if found.low <= near and found.high >= far:
        return found.said("too little to say")
    return found.said("close" if found.value <= near else "unrelated" if found.value >= far else "apart")


def affinity(found: Found, own: float, chance: float, enough: bool = True) -> Found:
    """With the word of a likeness: close from `own` on, unrelated where its interval reaches down to `chance`.

    Args:
        found: the likeness.
        own: what another sample of the target itself gives; NaN where it cannot be had: then nothing is close, and
            what may be chance is unrelated only up to `chance`.
        chance: what independent pairing gives.
        enough: whether there are people or items enough.
    """
    if not enough or math.isnan(found.value):
        return found.said("too little to say")
    if found.low <= chance:
        as_own = found.value > chance if math.isnan(own) else found.high >= own > chance
        return found.said("too little to say" if as_own else "unrelated")
    return found.said("close" if found.value >= own else "apart")


def difference(found: Found, enough: bool = True) -> Found:
    """With the word of a signed difference: close where its interval holds 0, apart elsewhere, never unrelated."""
    if not enough or math.isnan(found.value):
        return found.said("too little to say")
    return found.said("close" if found.low <= 0 <= found.high else "apart")


def share(name: str, part: float, whole: float) -> Found:
    """Part / whole with its Wilson interval (Wilson 1927)."""
    if whole <= 0:
        return Found(name)
    p, z2 = part / whole, Z * Z / whole
    centre, half = (p + z2 / 2) / (1 + z2), Z * math.sqrt(p * (1 - p) / whole + z2 / whole / 4) / (1 + z2)
    return Found(name, p, max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p)))


def around(name: str, value: float, error: float) -> Found:
    """`value` ± 1.96 standard errors."""
    return Found(name, value, value - Z * error, value + Z * error)


def spread(name: str, value: float, draws: Doubles, least: float = -math.inf) -> Found:
    """`value` with the middle 95 % of bootstrap `draws`, moved so that their mean is `value`.

    Resampling adds noise to both samples and so to their distance; without the move the interval would lie above it.
    """
    kept = draws[np.isfinite(draws)]
    if math.isnan(value) or not len(kept):
        return Found(name, value)
    low, high = np.quantile(kept - kept.mean() + value, [0.025, 0.975])
    return Found(name, value, max(least, min(float(low), value)), max(float(high), value))


def upper(draws: Doubles) -> float:
    """The value that 95 of 100 draws stay below; NaN without draws."""
    kept = draws[np.isfinite(draws)]
    return float(np.quantile(kept, 0.95)) if len(kept) else NONE
