"""The ladder: methods at one step, best first, each beside the best control, as rows of tables and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..evaluate.result import GuardRow, Report
from ..report import view, words
from .tables import NOTHING, Cell, Line

ABOUT = {
    "new": "Purchases new to the user: what somebody had before is neither listed nor asked for.",
    "cold_item": "New items: those that nobody visibly bought before.",
    "cold_user": "People who have not visibly bought in this domain.",
    "tail": "The long tail: items below the first 80 % of earlier sales.",
    "middle": "Items between the best sellers and the long tail: the next 30 % of earlier sales.",
    "head": "Best sellers: the items with the first 50 % of earlier sales.",
    "warm_user": "People who have visibly bought in this domain.",
    "twin_free": "Without items that are filed a second time in a domain where the person already has them.",
    "repeat": "Purchases of what the person had before: remembering, which is another, easier job.",
    "all": "All purchases, new ones and those of what the person had before.",
}
"""Slice → what is asked, in the order of the choice."""
KINDS = {"helps": "good", "hurts": "bad"}


@dataclass(frozen=True)
class Rung:
    """One method at one step.

    Attributes:
        method: label.
        control: whether it reads the target alone.
        ships: whether it is what goes to people.
        value: mean over users.
        low: lower end of its 95 % interval; NaN where it is not known.
        high: upper end.
        users: how many were asked.
        against: it beside the best control; None where they were not compared.
    """

    method: str
    control: bool
    ships: bool
    value: float
    low: float
    high: float
    users: int
    against: GuardRow | None


def with_ends(report: Report) -> Report:
    """`report` with NaN in place of ends of intervals that its file does not have."""
    return replace(report, rows=tuple(replace(r, low=_known(r.low), high=_known(r.high)) for r in report.rows))


def slices(report: Report, metric: str, k: int) -> list[str]:
    """What can be chosen: the slices that have numbers."""
    there = {r.slice for r in report.rows if (r.metric, r.k) == (metric, k)}
    return [s for s in ABOUT if s in there]


def rungs(report: Report, slice_name: str, step: view.Step) -> list[Rung]:
    """Methods that ran at `step`, best first."""
    _, metric, k = view.headline(report)
    found = view.numbers(report, slice_name, metric, k)
    guard = view.guard_of(report, slice_name, "best_control")
    ships = view.ships_at(report)[step].ships
    made = [
        Rung(m, report.kinds[m] == "control", m == ships, row.value, row.low, row.high, row.users, guard.get((m, step)))
        for m in view.labels(report)
        if (row := found.get((m, step))) is not None
    ]
    return sorted(made, key=lambda r: -r.value)


def columns(metric: str) -> list[str]:
    """Headings of `lines`."""
    return ["method", metric, "guard", "difference"]


def lines(found: Sequence[Rung]) -> list[Line]:
    """Rows of the ladder's table."""
    return [Line(_head(r), [_number(r.value, r.low, r.high), *_against(r)], r.ships) for r in found]


def over_steps(report: Report, slice_name: str, steps: Sequence[view.Step]) -> list[Line]:
    """Methods × steps, in the order of the report."""
    _, metric, k = view.headline(report)
    found = view.numbers(report, slice_name, metric, k)
    made = []
    for method in (m for m in view.labels(report) if any(m == n for n, _ in found)):
        head = Cell(method, ("control",) if report.kinds[method] == "control" else ())
        rows = [found.get((method, s)) for s in steps]
        cells = [NOTHING if r is None else _number(r.value, r.low, r.high) for r in rows]
        made.append(Line(head, cells, method == report.protocol["ship"]))
    return made


def verdicts(rows: Sequence[tuple[str, Sequence[Mapping[str, Any] | None]]], ship: str) -> list[Line]:
    """Rows of a table of the guard, as `report.html.guards` gives them."""
    return [Line(Cell(method), [_verdict(c) for c in cells], method == ship) for method, cells in rows]


def sentence(found: Sequence[Rung], step: view.Step) -> str:
    """The ladder in words, best first."""
    at = "" if step == (None, None) else f" at {view.step_name(step)}"
    said = ", ".join(f"{r.method} {words.fraction(r.value)}{' (control)' if r.control else ''}" for r in found)
    return f"best first{at}: {said}."


def _head(r: Rung) -> Cell:
    marks = (*(("control",) if r.control else ()), *(("this goes to people",) if r.ships else ()))
    return Cell(r.method, marks)


def _number(value: float, low: float, high: float) -> Cell:
    known = math.isfinite(low + high)
    return Cell(words.fraction(value), (f"{words.fraction(low)} to {words.fraction(high)}",) if known else ())


def _against(r: Rung) -> tuple[Cell, Cell]:
    if r.against is None:
        return Cell("a yardstick" if r.control else "not compared", kind="none"), NOTHING
    g = r.against
    difference = Cell(words.signed(g.difference), (f"{words.signed(g.low)} to {words.signed(g.high)}",))
    return Cell(words.VERDICTS[g.verdict], (f"against {g.control}",), KINDS.get(g.verdict, "same"), True), difference


def _verdict(cell: Mapping[str, Any] | None) -> Cell:
    if cell is None:
        return NOTHING
    small = (
        cell["difference"],
        cell["ends"],
        f"against {cell['control']}",
        *((cell["agree"],) if cell["agree"] else ()),
    )
    return Cell(cell["words"], small, cell["kind"], strong=True)


def _known(end: float | None) -> float:
    return float("nan") if end is None else end
