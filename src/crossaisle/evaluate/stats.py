"""How sure a number is: bootstrap intervals over users, paired differences, and time saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..metrics import Doubles
from ..rng import generator
from .result import Verdict

RESAMPLES = 2000
LEVEL = 0.95
MIN_USERS = 10
"""With fewer users a bootstrap interval says nothing, so the verdict stays ``no difference``."""
CELLS = 4_000_000


class Interval(NamedTuple):
    """A mean with its percentile interval over users."""

    mean: float
    low: float
    high: float


class Paired(NamedTuple):
    """Mean difference a − b with its interval; `verdict` by whether the interval excludes 0."""

    difference: float
    low: float
    high: float
    verdict: Verdict


class TimeSaved(NamedTuple):
    """When the control reaches a quality, and that time divided by the method's.

    Attributes:
        reached: week at which the control reaches it, None when it never does.
        factor: reached / week; a lower bound when `at_least`.
        at_least: the control never reached it, so the last measured week stands in.
    """

    reached: float | None
    factor: float
    at_least: bool


def interval(values: Doubles, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Mean and 95 % percentile bootstrap interval over users (Efron 1979).

    Args:
        values: (seeds, users) or (users,); seeds are averaged per user first, users with NaN are left out.
        seed: of the resampling; equal input and seed, equal interval.
        resamples: bootstrap samples, at least 1000.

    Returns:
        Mean, low, high; NaN when there are no users.
    """
    users = _per_user(values)
    if not len(users):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(_means(users, seed, resamples), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(users.mean()), float(low), float(high))


def paired(a: Doubles, b: Doubles, seed: int = 0, resamples: int = RESAMPLES) -> Paired:
    """Difference a − b over the same users, with its 95 % bootstrap interval.

    Args:
        a: (seeds, users) or (users,) values of the method.
        b: values of the control for the same users in the same order; its number of seeds may differ.
        seed: of the resampling.
        resamples: bootstrap samples.

    Returns:
        Difference, low, high and ``helps`` (interval above 0), ``hurts`` (below 0) or ``no difference``.

    Raises:
        ValueError: when the numbers of users differ.
    """
    if np.shape(a)[-1] != np.shape(b)[-1]:
        raise ValueError(
            f"a has {np.shape(a)[-1]} users and b {np.shape(b)[-1]}; give the same users in the same order."
        )
    difference = np.atleast_2d(a).mean(axis=0) - np.atleast_2d(b).mean(axis=0)
    mean, low, high = interval(difference, seed, resamples)
    verdict: Verdict = "no difference"
    if np.count_nonzero(~np.isnan(difference)) >= MIN_USERS:
        verdict = "helps" if low > 0 else "hurts" if high < 0 else "no difference"
    return Paired(mean, low, high, verdict)


def time_saved(weeks: Sequence[float], control_curve: Sequence[float], w: float, quality: float) -> TimeSaved:
    """How many times longer the best control takes to reach what the method has at week `w`.

    The control reaches `quality` where its curve first crosses it, with straight lines between the measured
    weeks.

    Args:
        weeks: measured weeks, ascending.
        control_curve: quality of the best control at each of them; NaN where no control could run.
        w: week of the method, above 0.
        quality: what the method has at `w`.

    Returns:
        A factor of 1 means no time saved, below 1 time lost. A control that has the quality at its first
        measured week gets that week, which is an upper bound of the true one.

    Raises:
        ValueError: for `w` ≤ 0, weeks out of order, or a curve without any number.
    """
    week, curve = np.asarray(weeks, dtype=np.float64), np.asarray(control_curve, dtype=np.float64)
    week, curve = week[~np.isnan(curve)], curve[~np.isnan(curve)]
    if w <= 0 or not len(week) or (np.diff(week) <= 0).any():
        raise ValueError(f"time saved needs a week above 0 (got {w}) and a measured curve over ascending weeks.")
    above = np.flatnonzero(curve >= quality)
    if not len(above):
        return TimeSaved(None, float(week[-1] / w), True)
    i = int(above[0])
    reached = float(week[0])
    if i > 0:
        share = (quality - curve[i - 1]) / (curve[i] - curve[i - 1])
        reached = float(week[i - 1] + share * (week[i] - week[i - 1]))
    return TimeSaved(reached, reached / w, False)


def _per_user(values: Doubles) -> Doubles:
    users: Doubles = np.atleast_2d(np.asarray(values, dtype=np.float64)).mean(axis=0)
    return users[~np.isnan(users)]


def _means(users: Doubles, seed: int, resamples: int) -> Doubles:
    """Means of `resamples` samples of users with replacement, in blocks so that memory stays small."""
    draw = generator(seed, "bootstrap")
    n, block = len(users), max(1, CELLS // len(users))
    parts = [
        users[draw.integers(0, n, size=(min(block, resamples - start), n))].mean(axis=1)
        for start in range(0, resamples, block)
    ]
    return np.concatenate(parts)
