"""What a report says in words, on the terminal and in its headline."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from crossaisle.evaluate.result import GuardRow, Report, TimeSavedRow
from crossaisle.report import words
from crossaisle.report.terminal import show


def with_time(report: Report, **changes: Any) -> Report:
    row = TimeSavedRow("cake", "ease_all", 2.0, 0.4, 5.2, 2.6, False, 1.9, 3.3)
    return dataclasses.replace(report, time_saved=(dataclasses.replace(row, **changes),))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "as good as the best method without old knowledge makes them at week 5.2: time saved ×2.6 (95\u00a0% "
             "interval: 1.9 to 3.3)."),
        ({"reached": None, "factor": 4.0, "at_least": True, "high": None},
         "better than the best method without old knowledge makes them by week 8: time saved at least ×4 (95\u00a0% "
         "interval: 1.9 or more)."),
        ({"reached": 1.5, "factor": 0.75, "low": 0.5, "high": 1.2},
         "as good as the best method without old knowledge made them at week 1.5: no time is saved, ×0.75 (95\u00a0% "
         "interval: 0.5 to 1.2)."),
        ({"reached": 2.0, "factor": 1.0}, "just as good as the best method without old knowledge makes them: no "
                                          "time is saved."),
    ],
)  # fmt: skip
def test_the_lead_about_time(found: Report, changes: dict[str, Any], expected: str) -> None:
    assert words.lead(with_time(found, **changes)) == f"At week 2, recommendations in cake are {expected}"


def verdicts(report: Report, verdict: Any) -> Report:
    ships = "ease" if verdict == "hurts" else "ease_all"
    row = GuardRow("cake", 2.0, None, "new", "ease_all", "best_control", "ease", "ndcg", 10, -0.01, -0.02, -0.005,
                   verdict, 40, 1, 1)  # fmt: skip
    sent = tuple(dataclasses.replace(s, ships=ships, verdict=verdict) for s in report.ships)
    return dataclasses.replace(report, guard=(row,), ships=sent, time_saved=())


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("hurts", "is worse at week 2 than the best control, ease (nDCG@10 −.0100): people get ease."),
        ("helps", "is better at week 2 than the best control, ease (nDCG@10 −.0100)."),
        ("no difference", "does not clearly differ at week 2 from the best control, ease (nDCG@10 −.0100)."),
    ],
)  # fmt: skip
def test_the_lead_about_the_guard(found: Report, verdict: str, expected: str) -> None:
    assert words.lead(verdicts(found, verdict)) == f"In cake, ease_all {expected}"


def test_other_leads(found: Report, single: Report) -> None:
    assert words.lead(single).startswith("In cake, ease_all is better than the best control, ")
    control = dataclasses.replace(found, protocol={**found.protocol, "ship": "ease"})
    assert words.lead(control) == "ease is a control: this study compares controls, and nothing was carried over."
    nothing = dataclasses.replace(found, guard=(), time_saved=())
    assert words.lead(nothing) == "ease_all could not be compared with a control at week 2: people get ease_all."


@pytest.mark.parametrize(("value", "text"), [(0.03451, ".0345"), (1.0, "1.0000"), (0.0, ".0000"), (-0.5, "-.5000")])
def test_fractions(value: float, text: str) -> None:
    assert words.fraction(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.857, "0.86"), (2.55, "2.5"), (16.0, "16"), (10.04, "10"), (0.5, "0.5")])
def test_short_numbers(value: float, text: str) -> None:
    assert words.short(value) == text


def test_signed_numbers() -> None:
    assert [words.signed(v) for v in (0.012, -0.3, 0.0)] == ["+.0120", "−.3000", "+.0000"]


def test_steps_are_named_once_with_their_unit(found: Report, single: Report) -> None:
    assert words.guard_summary(verdicts(found, "hurts"), "ease_all") == "hurts at week 2"
    assert words.guard_summary(found, "ease") == "not compared"
    assert (
        words.ships(found) == "People get popularity at week 0, because ease_all could not run; ease_all at week 2, 8."
    )
    assert words.ships(verdicts(found, "hurts")) == "People get ease at every step, because ease_all hurts."
    gone = tuple(dataclasses.replace(s, ships="ease", verdict=None) for s in found.ships[:1])
    alone = dataclasses.replace(found, ships=gone)
    assert words.ships(alone) == "People get ease, because ease_all could not run."
    assert words.ships(single).startswith("People get ")


def test_the_terminal_shows_everything_in_80_columns(found: Report) -> None:
    out = io.StringIO()
    show(found, Console(file=out, width=80, color_system=None))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for word in ("At week 2", "popularity", "Guard", "Time saved", "ms/request", "Note:", "People get", "week 8"):
        assert word in text
    row = next(r for r in found.rows if (r.method, r.week, r.slice, r.metric) == ("ease", 8.0, "new", "ndcg"))
    assert f"{row.value:.4f}"[1:] in text


def test_the_terminal_shows_studies_of_one_step(single: Report) -> None:
    out = io.StringIO()
    show(single, Console(file=out, width=80, color_system=None))
    assert "leaks the future" in out.getvalue()
    assert "Time saved" not in out.getvalue()
