"""Intervals that hold at every look: asymptotic confidence sequences of ratios of means, with the user as the unit.

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Time-uniform central limit theory and asymptotic confidence
sequences, Theorem 2.2 (normal mixture of Robbins 1970). All functions take arrays of any one shape, so that a whole
run, or thousands of simulated ones, is judged at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..types import Doubles

MIN_EFFECTIVE = 100.0
"""Effective number of users with something to count, (Σ y)² / Σ y², that each variant needs before its interval is
used: the sequences are asymptotic, and docs/results/experiments.md has what they do with rare and heavy-tailed sums."""


class Moments(NamedTuple):
    """Sums over the users of one variant: y is what is counted, x what it is divided by.

    Attributes:
        n: users.
        x: Σ x.
        y: Σ y.
        xx: Σ x².
        xy: Σ x y.
        yy: Σ y².
    """

    n: Doubles
    x: Doubles
    y: Doubles
    xx: Doubles
    xy: Doubles
    yy: Doubles

    @classmethod
    def of(cls, y: npt.ArrayLike, x: npt.ArrayLike) -> Moments:
        """Of the users along the last axis."""
        above, below = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        parts = (np.ones_like(above), below, above, below**2, below * above, above**2)
        return cls(*(part.sum(axis=-1) for part in parts))

    @property
    def rate(self) -> Doubles:
        """Σ y / Σ x; NaN without users."""
        return _divided(self.y, self.x)

    @property
    def variance(self) -> Doubles:
        """Of the rate, times n: the delta method, residuals y − R x over the mean of x (Deng et al. 2018, eq. 4)."""
        rate = self.rate
        squares = self.yy - 2 * rate * self.xy + rate**2 * self.xx
        return np.maximum(_divided(squares * self.n, self.x**2), 0.0)

    @property
    def effective(self) -> Doubles:
        """Kish's effective number of users with something to count."""
        return np.nan_to_num(_divided(self.y**2, self.yy))


class Bounds(NamedTuple):
    """An estimate and its confidence sequence at one moment; −∞ and ∞ where there is too little to say."""

    value: Doubles
    low: Doubles
    high: Doubles


def reach(n: npt.ArrayLike, alpha: float, best_at: float) -> Doubles:
    """Half width after n units, in standard deviations of one unit (eq. 8 there).

    √(2 (n ρ² + 1) / (n² ρ²) · log(√(n ρ² + 1) / α)), with ρ² such that it is narrowest near `best_at` units:
    (−2 log α + log(−2 log α + 1)) / best_at.
    """
    units = np.asarray(n, dtype=np.float64)
    level = -2 * np.log(alpha)
    rho = (level + np.log(level + 1)) / best_at
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = 2 * (units * rho + 1) / (units**2 * rho) * (0.5 * np.log(units * rho + 1) - np.log(alpha))
    return np.where(units > 0, np.sqrt(inside), np.inf)


def bounds_of(one: Moments, alpha: float, best_at: float) -> Bounds:
    """The rate of one variant."""
    return _bounds(one.rate, np.sqrt(one.variance) * reach(one.n, alpha, best_at), one.effective)


def difference(a: Moments, b: Moments, alpha: float, best_at: float) -> Bounds:
    """Rate of b less the rate of a, independent variants; `best_at` counts the users of both."""
    n = a.n + b.n
    spread = np.sqrt(n * (_divided(a.variance, a.n) + _divided(b.variance, b.n)))
    half = spread * reach(n, alpha, best_at)
    return _bounds(np.asarray(b.rate - a.rate), half, np.minimum(a.effective, b.effective))


def _bounds(value: Doubles, half: Doubles, effective: Doubles) -> Bounds:
    enough = effective >= MIN_EFFECTIVE
    return Bounds(value, np.where(enough, value - half, -np.inf), np.where(enough, value + half, np.inf))


def _divided(above: Doubles, below: Doubles) -> Doubles:
    base = np.asarray(below, dtype=np.float64)
    found: Doubles = np.divide(above, base, out=np.full(base.shape, np.nan), where=base > 0)
    return found
