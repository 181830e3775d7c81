"""The ladder: methods in order beside the best control, by rows written by hand."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.evaluate.result import GuardRow, Report, Row, ShipRow, Verdict
from crossaisle.report import html
from crossaisle.web import ladder
from crossaisle.web.tables import Cell

STEP = (2.0, None)


def row(method: str, value: float, *, week: float = 2.0, slice_name: str = "new", low: float | None = None) -> Row:
    ends = (value - 0.1, value + 0.1) if low is None else (low, low)
    return Row("cake", week, None, slice_name, method, "ndcg", 10, value, *ends, seeds=1, users=40)


def guard(verdict: Verdict, difference: float) -> GuardRow:
    ends = (difference - 0.1, difference + 0.1)
    return GuardRow(
        *("cake", 2.0, None, "new", "kernel", "best_control", "ease", "ndcg", 10, difference, *ends, verdict, 40, 3, 2)
    )


def study(*rows: Row, ships: str = "kernel", judged: GuardRow | None = None) -> Report:
    weeks = sorted({r.week or 0.0 for r in rows})
    return Report(
        "tiny, cake",
        {
            "target": "cake",
            "headline": {"slice": "new", "metric": "ndcg", "k": 10},
            "ship": "kernel",
            "methods": {m: {"method": m, "options": {}} for m in ("ease", "popularity", "kernel")},
        },
        {"ease": "control", "popularity": "control", "kernel": "transfer"},
        rows,
        guard=() if judged is None else (judged,),
        ships=tuple(ShipRow("cake", w, None, "kernel", "ease", None, ships) for w in weeks),
    )


HELPS = study(row("popularity", 0.2), row("kernel", 0.5), row("ease", 0.4), judged=guard("helps", 0.15))


def test_the_best_stands_on_top_and_what_ships_is_marked() -> None:
    found = ladder.rungs(HELPS, "new", STEP)
    assert [(r.method, r.control, r.ships) for r in found] == [
        ("kernel", False, True),
        ("ease", True, False),
        ("popularity", True, False),
    ]
    kernel, ease, _ = ladder.lines(found)
    assert (kernel.head, kernel.stands_out) == (Cell("kernel", ("this goes to people",)), True)
    assert kernel.cells[0] == Cell(".5000", (".4000 to .6000",))
    assert kernel.cells[1] == Cell("helps", ("against ease",), "good", strong=True)
    assert kernel.cells[2] == Cell("+.1500", ("+.0500 to +.2500",))
    assert (ease.head, ease.cells[1].text) == (Cell("ease", ("control",)), "a yardstick")


@pytest.mark.parametrize(
    ("verdict", "words", "kind"), [("hurts", "hurts", "bad"), ("no difference", "no clear difference", "same")]
)
def test_verdicts_are_those_of_the_report(verdict: Verdict, words: str, kind: str) -> None:
    report = study(row("kernel", 0.5), row("ease", 0.6), ships="ease", judged=guard(verdict, -0.1))
    ease, kernel = ladder.lines(ladder.rungs(report, "new", STEP))
    assert (ease.stands_out, kernel.stands_out) == (True, False)
    assert kernel.cells[1] == Cell(words, ("against ease",), kind, strong=True)
    shown = html.guards(report)[0]["rows"]
    line = ladder.verdicts(shown, "kernel")[0]
    assert line.cells[0] == Cell(
        words, ("−.1000", "−.2000 to +.0000", "against ease", "2 of 3 seeds agree"), kind, strong=True
    )


def test_a_slice_without_a_guard_says_so() -> None:
    report = study(row("kernel", 0.5), row("kernel", 0.3, slice_name="tail"), judged=guard("helps", 0.1))
    assert ladder.slices(report, "ndcg", 10) == ["new", "tail"]
    assert ladder.lines(ladder.rungs(report, "tail", STEP))[0].cells[1].text == "not compared"


def test_a_missing_interval_leaves_the_number() -> None:
    report = study(row("kernel", 0.5, low=math.nan))
    assert ladder.lines(ladder.rungs(report, "new", STEP))[0].cells[0] == Cell(".5000")
    broken = study(Row(**{**vars(row("kernel", 0.5)), "low": None, "high": None}))
    assert ladder.over_steps(ladder.with_ends(broken), "new", [STEP])[0].cells == [Cell(".5000")]
    assert ladder.with_ends(HELPS) == HELPS


def test_over_the_steps_a_gap_is_a_dash() -> None:
    report = study(row("ease", 0.1, week=1.0), row("ease", 0.4), row("kernel", 0.5))
    lines = ladder.over_steps(report, "new", [(1.0, None), STEP])
    assert [(line.head.text, [c.text for c in line.cells]) for line in lines] == [
        ("ease", [".1000", ".4000"]),
        ("kernel", ["–", ".5000"]),
    ]
    assert ladder.over_steps(report, "tail", [STEP]) == []


def test_the_sentence_for_those_who_cannot_see_it() -> None:
    said = ladder.sentence(ladder.rungs(HELPS, "new", STEP), STEP)
    assert said == "best first at week 2: kernel .5000, ease .4000 (control), popularity .2000 (control)."
