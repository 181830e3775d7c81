"""Several targets together: whether transfer pays on the average, where it does not, and how much time it saves.

Means are over targets, each counting alike. The interval of a mean is over users with these targets fixed: the
targets' users are resampled independently in their own reports, so the half-widths of n intervals add up as
√(Σ h²) / n. Whether a further target would behave alike is another question, which the rows by target answer.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..metrics import Doubles
from ..resampling import RESAMPLES
from ..rng import generator
from .result import Report, Row, Verdict
from .stats import crossings, time_saved

SCHEMA_VERSION = 1
Headline = tuple[str, str, int]
"""Slice, metric, k."""


@dataclass(frozen=True)
class TargetRow:
    """One target at one week: the method that ships, the control that is best there on test, and their difference."""

    target: str
    week: float
    ship: float
    control: float
    best_control: str
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class WeekRow:
    """Means over targets at one week, with 95 % intervals over users, and how many targets were helped or hurt."""

    week: float
    ship: float
    ship_low: float
    ship_high: float
    control: float
    control_low: float
    control_high: float
    difference: float
    low: float
    high: float
    helps: int
    hurts: int


@dataclass(frozen=True)
class SavedRow:
    """Week at which the mean control curve reaches the mean of the shipped method at `week`, divided by `week`.

    `low` and `high` are the 95 % interval over targets (resampled with replacement); a control that never gets
    there counts with the last measured week, so that `factor` and `high` are lower bounds when `at_least`.
    """

    week: float
    quality: float
    reached: float | None
    factor: float
    at_least: bool
    low: float
    high: float


@dataclass(frozen=True)
class Across:
    """What several targets say together.

    Attributes:
        ship: label of the method that was named as the transfer.
        targets: domains, in the order given.
        slice: rows that count, with `metric` and `k`.
        weeks: means over targets.
        saved: time saved on the mean curves, for weeks above 0.
        by_target: the numbers behind.
    """

    ship: str
    targets: tuple[str, ...]
    slice: str
    metric: str
    k: int
    weeks: tuple[WeekRow, ...]
    saved: tuple[SavedRow, ...]
    by_target: tuple[TargetRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with ``schema_version`` first."""
        return {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}


def across(reports: Sequence[Report], ship: str = "blend", headline: Headline = ("new", "ndcg", 10)) -> Across:
    """Put the reports of several targets together.

    Args:
        reports: one for each target, of the same weeks.
        ship: label of the method that is judged.
        headline: slice, metric and k that count.

    Raises:
        ConfigError: no report, or reports without a week at which all have the method and a control.
    """
    found = [{r.week: r for r in target_rows(report, ship, headline)} for report in reports]
    shared = [w for w in (found[0] if found else {}) if all(w in rows for rows in found)]
    if not shared:
        raise ConfigError(
            f"the {len(reports)} reports share no week with {ship!r} and a control; run the same study on every target."
        )
    targets = tuple(next(iter(rows.values())).target for rows in found)
    rows = [[table[w] for w in shared] for table in found]
    weeks = tuple(_week(reports, [r[i] for r in rows], ship, headline) for i in range(len(shared)))
    flat = tuple(row for table in rows for row in table)
    return Across(ship, targets, *headline, weeks, _saved(shared, rows), flat)


def target_rows(report: Report, ship: str, headline: Headline) -> list[TargetRow]:
    """The shipped method against the best control at each week of one report, ascending."""
    made = []
    for g in report.guard:
        if (g.method, g.against, g.slice, g.metric, g.k) != (ship, "best_control", *headline) or g.week is None:
            continue
        mine, best = (_row(report, g.week, label, headline) for label in (ship, g.control))
        pair = (g.difference, g.low, g.high, g.verdict)
        made.append(TargetRow(g.domain, g.week, mine.value, best.value, g.control, *pair))
    return sorted(made, key=lambda row: row.week)


def _week(reports: Sequence[Report], rows: Sequence[TargetRow], ship: str, headline: Headline) -> WeekRow:
    week = rows[0].week
    mine = [_row(report, week, ship, headline) for report in reports]
    best = [_row(report, week, row.best_control, headline) for report, row in zip(reports, rows, strict=True)]
    difference = _mean([(r.difference, r.low, r.high) for r in rows])
    verdicts = [r.verdict for r in rows]
    return WeekRow(
        week,
        *_mean([(r.value, r.low, r.high) for r in mine]),
        *_mean([(r.value, r.low, r.high) for r in best]),
        *difference,
        verdicts.count("helps"),
        verdicts.count("hurts"),
    )


def _row(report: Report, week: float, method: str, headline: Headline) -> Row:
    wanted = (week, method, *headline)
    return next(r for r in report.rows if (r.week, r.method, r.slice, r.metric, r.k) == wanted)


def _mean(parts: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Mean of independent means and its interval."""
    n = len(parts)
    mean = sum(p[0] for p in parts) / n
    down = math.sqrt(sum((p[0] - p[1]) ** 2 for p in parts)) / n
    up = math.sqrt(sum((p[2] - p[0]) ** 2 for p in parts)) / n
    return mean, mean - down, mean + up


def _saved(weeks: Sequence[float], rows: Sequence[Sequence[TargetRow]]) -> tuple[SavedRow, ...]:
    mine = np.array([[r.ship for r in table] for table in rows])
    best = np.array([[r.control for r in table] for table in rows])
    draws = generator(0, "across").integers(0, len(rows), size=(RESAMPLES, len(rows)))
    week = np.asarray(weeks, dtype=np.float64)
    made = []
    for place, w in enumerate(weeks):
        if w <= 0:
            continue
        quality = float(mine[:, place].mean())
        point = time_saved(weeks, best.mean(axis=0).tolist(), w, quality)
        reached = crossings(week, best[draws].mean(axis=1), mine[draws, place].mean(axis=1))
        factors: Doubles = np.where(np.isnan(reached), week[-1], reached) / w
        low, high = np.quantile(factors, [0.025, 0.975])
        made.append(SavedRow(w, quality, point.reached, point.factor, point.at_least, float(low), float(high)))
    return tuple(made)


def to_markdown(found: Across) -> str:
    """The tables of `found`, for docs/results."""
    what = f"{found.slice} {found.metric}@{found.k}"
    lines = [
        f"Mean of {what} over {len(found.targets)} targets ({', '.join(found.targets)}), with 95 % intervals over "
        "users. The best control is chosen at every week and target on the test rows, which favours the controls.",
        "",
        *_table(
            ["week", found.ship, "best control", "difference", "targets helped", "hurt"],
            [
                (f"{r.week:g}", _with(r.ship, r.ship_low, r.ship_high), _with(r.control, r.control_low, r.control_high),
                 _with(r.difference, r.low, r.high, "+"), r.helps, r.hurts)
                for r in found.weeks
            ],
        ),
        "",
        "Time saved on the mean curves (interval over targets):",
        "",
        *_table(["week", found.ship, "best control has it at week", "time saved"], map(_saved_cells, found.saved)),
        "",
        "By target:",
        "",
        *_table(
            ["target", "week", found.ship, "best control", "which", "difference", "verdict"],
            [
                (r.target, f"{r.week:g}", f"{r.ship:.4f}", f"{r.control:.4f}", r.best_control,
                 _with(r.difference, r.low, r.high, "+"), r.verdict)
                for r in found.by_target
            ],
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _saved_cells(row: SavedRow) -> tuple[object, ...]:
    reached = "not within the study" if row.reached is None else f"{row.reached:.1f}"
    sign = "≥ " if row.at_least else ""
    return f"{row.week:g}", f"{row.quality:.4f}", reached, f"{sign}{row.factor:.2f} ({row.low:.2f} to {row.high:.2f})"


def _with(value: float, low: float, high: float, sign: str = "") -> str:
    return f"{value:{sign}.4f} ({low:{sign}.4f} to {high:{sign}.4f})"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [list(columns), ["---"] * len(columns), *([str(c) for c in row] for row in rows)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]
