"""Time saved: how much longer the best control needs to reach what a transfer has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from ..metrics import Doubles
from ..resampling import LEVEL, resampled
from .result import TimeSavedRow
from .spec import Entry
from .stats import crossings, time_saved
from .tables import Table


def time_saved_rows(domain: str, tables: Mapping[float, Table], entries: Sequence[Entry]) -> list[TimeSavedRow]:
    """Rows of every transfer at every week above 0.

    The control curve is the best of all controls at each week. For the interval users are resampled, the same ones
    at all weeks, and both curves are drawn anew.

    Args:
        domain: target.
        tables: week → the headline's table, ascending.
        entries: all methods.
    """
    weeks = [w for w, t in tables.items() if _labels(t, entries, "control")]
    if not weeks or max(tables) <= 0:
        return []
    shared = reduce(np.intersect1d, [t.users for t in tables.values()])
    curve = np.array([max(_mean(tables[w], c) for c in _labels(tables[w], entries, "control")) for w in weeks])
    curves = _best(tables, weeks, entries, shared)
    rows = []
    for week in (w for w in tables if w > 0):
        for label in _labels(tables[week], entries, "transfer"):
            quality = _mean(tables[week], label)
            found = time_saved(weeks, curve.tolist(), week, quality)
            low, high = factor_interval(np.array(weeks), curves, week, _resampled(tables[week], [label], shared)[0])
            rows.append(TimeSavedRow(domain, label, week, quality, *found, min(low, found.factor), high))
    return rows


def factor_interval(weeks: Doubles, curves: Doubles, w: float, qualities: Doubles) -> tuple[float, float | None]:
    """95 % interval of reached / w over resamples.

    Args:
        weeks: (weeks,) ascending.
        curves: (resamples, weeks) best control.
        w: week of the method.
        qualities: (resamples,) of the method at `w`.

    Returns:
        Low (at most last week / w, where the study ends) and high; None when too many resamples never reach it.
    """
    reached = crossings(weeks, curves, qualities)
    factors = np.sort(np.where(np.isnan(reached), np.inf, reached / w))
    tail = int((1 - LEVEL) / 2 * len(factors))
    low, high = float(factors[tail]), float(factors[-1 - tail])
    return min(low, float(weeks[-1]) / w), None if np.isinf(high) else high


def _labels(table: Table, entries: Sequence[Entry], kind: str) -> list[str]:
    return [e.label for e in entries if e.kind == kind and e.label in table.values]


def _mean(table: Table, label: str) -> float:
    return float(np.nanmean(table.mean_of(label)))


def _best(
    tables: Mapping[float, Table], weeks: Sequence[float], entries: Sequence[Entry], users: np.ndarray
) -> Doubles:
    """(resamples, weeks) best control at each week, in each resample."""
    best = [_resampled(tables[w], _labels(tables[w], entries, "control"), users).max(axis=0) for w in weeks]
    return np.stack(best, axis=1)


def _resampled(table: Table, labels: Sequence[str], users: np.ndarray) -> Doubles:
    place = np.searchsorted(table.users, users)
    return resampled(np.stack([table.mean_of(label)[place] for label in labels]))
