"""Views of a Report: what tables, curves and sentences are made of. Terminal and page share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..evaluate.result import CostRow, GuardRow, Report, Row, ShipRow, TimeSavedRow

Step = tuple[float | None, int | None]
"""(week, shots), one of them None."""
METRICS = {"ndcg": "nDCG", "recall": "Recall", "precision": "Precision", "hit": "Hit rate", "mrr": "MRR", "map": "MAP"}
SLICES = {
    "new": "New to the user",
    "all": "All purchases",
    "repeat": "Repeat purchases",
    "head": "Head items",
    "middle": "Middle items",
    "tail": "Tail items",
    "cold_item": "Cold items",
    "cold_user": "Cold users",
    "warm_user": "Warm users",
    "twin_free": "Without twins",
}
Role = Literal["ship", "best control", "target_only", "other"]


@dataclass(frozen=True)
class Series:
    """One curve: `points` are (x, value, low, high) in ascending x."""

    name: str
    role: Role
    points: tuple[tuple[float, float, float, float], ...]


def domain(report: Report) -> str:
    """The target."""
    return str(report.protocol["target"])


def steps(report: Report) -> list[Step]:
    """All steps, in order; also those at which nothing could run."""
    return list(dict.fromkeys((r.week, r.shots) for r in report.ships))


def step_name(step: Step) -> str:
    """As people say it."""
    week, shots = step
    if week is not None:
        return f"week {week:g}"
    return "result" if shots is None else "1 shot" if shots == 1 else f"{shots} shots"


def headline(report: Report) -> tuple[str, str, int]:
    """Slice, metric and k that curves, guard and time saved are about."""
    found = report.protocol["headline"]
    return found["slice"], found["metric"], found["k"]


def metric_name(metric: str, k: int) -> str:
    """For example ``nDCG@10``."""
    return f"{METRICS.get(metric, metric)}@{k}"


def labels(report: Report) -> list[str]:
    """Methods that ran at least once: controls first, then transfers, the shipped one last."""
    ran = {r.method for r in report.rows}
    ship = report.protocol["ship"]
    order = {"control": 0, "transfer": 1}
    found = [m for m in report.kinds if m in ran]
    return sorted(found, key=lambda m: (order[report.kinds[m]], m == ship and report.kinds[m] == "transfer"))


def numbers(report: Report, slice_name: str, metric: str, k: int) -> dict[tuple[str, Step], Row]:
    """(method, step) → row."""
    wanted = (slice_name, metric, k)
    return {(r.method, (r.week, r.shots)): r for r in report.rows if (r.slice, r.metric, r.k) == wanted}


def guard_of(report: Report, slice_name: str, against: str) -> dict[tuple[str, Step], GuardRow]:
    """(method, step) → comparison with one kind of control."""
    wanted = (slice_name, against)
    return {(g.method, (g.week, g.shots)): g for g in report.guard if (g.slice, g.against) == wanted}


def ships_at(report: Report) -> Mapping[Step, ShipRow]:
    """Step → what goes to people."""
    return {(r.week, r.shots): r for r in report.ships}


def main_step(report: Report) -> Step:
    """The step that headlines speak of: week 2, or the first at which something of the target is seen."""
    found = steps(report)
    seen = [s for s in found if position(s) > 0]
    return (2.0, None) if (2.0, None) in seen else (seen or found)[0]


def saved_of(report: Report, method: str) -> list[TimeSavedRow]:
    """Rows of one method, by week."""
    return sorted((r for r in report.time_saved if r.method == method), key=lambda r: r.week)


def dearest(report: Report) -> list[CostRow]:
    """For each method its costs at the step where its fit took longest."""
    best: dict[str, CostRow] = {}
    for row in report.costs:
        if row.method not in best or row.fit_seconds > best[row.method].fit_seconds:
            best[row.method] = row
    return [best[m] for m in labels(report) if m in best]


def curves(report: Report, slice_name: str, metric: str, k: int) -> list[Series]:
    """Best control, target_only, other transfers and the shipped method over weeks or shots."""
    table = numbers(report, slice_name, metric, k)
    made = [Series("best control", "best control", _best(report, table))]
    ship = report.protocol["ship"]
    for label in labels(report):
        method: Mapping[str, Any] = report.protocol["methods"][label]
        role: Role = "target_only" if method["method"] == "target_only" else "ship" if label == ship else "other"
        if role == "target_only" or report.kinds[label] == "transfer" or role == "ship":
            made.append(Series(label, role, _points(table, label)))
    return [s for s in made if s.points]


def _best(report: Report, table: Mapping[tuple[str, Step], Row]) -> tuple[tuple[float, float, float, float], ...]:
    """The best control of each step, in this very table."""
    points = []
    for step in steps(report):
        rows = [r for (m, s), r in table.items() if s == step and report.kinds[m] == "control"]
        if rows:
            best = max(rows, key=lambda r: r.value)
            points.append((position(step), best.value, best.low, best.high))
    return tuple(points)


def _points(table: Mapping[tuple[str, Step], Row], label: str) -> tuple[tuple[float, float, float, float], ...]:
    rows = [(position(step), r.value, r.low, r.high) for (m, step), r in table.items() if m == label]
    return tuple(sorted(rows))


def position(step: Step) -> float:
    """Place of a step on the x-axis."""
    week, shots = step
    return week if week is not None else float(shots or 0)
