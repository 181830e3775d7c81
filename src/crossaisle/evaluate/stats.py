"""How sure a number is: bootstrap intervals over users, paired differences, and time saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..metrics import Doubles
from ..resampling import LEVEL, RESAMPLES, resampled
from .result import Verdict

MIN_USERS = 10
"""With fewer users a bootstrap interval says nothing, so the verdict stays ``no difference``."""


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


def intervals(rows: Doubles, seed: int = 0, resamples: int = RESAMPLES) -> list[Interval]:
    """Mean and 95 % percentile bootstrap interval over users (Efron 1979) of every row.

    Args:
        rows: (m, users); users with NaN are left out of their row. Rows without NaN are resampled together, so
            that differences between them are paired.
        seed: of the resampling; equal input and seed, equal interval.
        resamples: bootstrap samples, at least 1000.

    Returns:
        m intervals; NaN where a row has no users.
    """
    found: list[Interval] = [Interval(float("nan"), float("nan"), float("nan"))] * len(rows)
    missing = np.isnan(rows)
    whole = np.flatnonzero(~missing.any(axis=1)) if rows.shape[1] else np.zeros(0, dtype=np.int64)
    parts = [(whole, rows[whole])] if len(whole) else []
    ragged = [i for i in range(len(rows)) if missing[i].any() and not missing[i].all()]
    parts += [(np.array([i]), rows[i : i + 1, ~missing[i]]) for i in ragged]
    for places, values in parts:
        ends = np.quantile(resampled(values, seed, resamples), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        for place, mean, low, high in zip(places, values.mean(axis=1), *ends, strict=True):
            found[place] = Interval(float(mean), min(float(low), float(mean)), max(float(high), float(mean)))
    return found


def interval(values: Doubles, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """`intervals` of one row.

    Args:
        values: (seeds, users) or (users,); seeds are averaged per user first, users with NaN are left out.
        seed: of the resampling.
        resamples: bootstrap samples, at least 1000.
    """
    return intervals(np.atleast_2d(np.asarray(values, dtype=np.float64)).mean(axis=0)[None, :], seed, resamples)[0]


def verdict_of(found: Interval, users: int) -> Verdict:
    """``helps`` when the interval of a difference is above 0, ``hurts`` below; with under 10 users neither."""
    if users < MIN_USERS:
        return "no difference"
    return "helps" if found.low > 0 else "hurts" if found.high < 0 else "no difference"


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
    found = interval(difference, seed, resamples)
    return Paired(*found, verdict_of(found, int(np.count_nonzero(~np.isnan(difference)))))


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
    reached = float(crossings(week, curve[None, :], np.array([quality]))[0])
    if np.isnan(reached):
        return TimeSaved(None, float(week[-1] / w), True)
    return TimeSaved(reached, reached / w, False)


def crossings(weeks: Doubles, curves: Doubles, qualities: Doubles) -> Doubles:
    """(n,) first week at which each of `curves` (n, weeks) reaches its quality (n,); NaN where it never does."""
    above = curves >= qualities[:, None]
    right = above.argmax(axis=1)
    left = np.maximum(right - 1, 0)
    row = np.arange(len(curves))
    rise = np.where(right > left, curves[row, right] - curves[row, left], 1.0)
    share = np.where(right > left, (qualities - curves[row, left]) / np.where(rise != 0, rise, 1.0), 0.0)
    reached = weeks[left] + share * (weeks[right] - weeks[left])
    return np.where(above.any(axis=1), reached, np.nan)
