"""The gap on the page: words, numbers and intervals of measures written by hand."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.gap.report import DomainFacts, GapReport, Measure
from crossaisle.report.gap import dots, heat, sizes
from crossaisle.web.distances import cell, grid, nearness
from crossaisle.web.tables import NOTHING, Cell

NAN = math.nan
MEASURES = (
    Measure("tea", "cake", "content", "mmd", 0.2, 0.15, 0.26, 0.05, "apart"),
    Measure("mug", "cake", "content", "mmd", 0.031, NAN, NAN, None, "close"),
    Measure("car", "cake", "content", "mmd", NAN, NAN, NAN),
    Measure("tea", "cake", "users", "users_known", 0.5, 0.4, 0.6),
)
FACTS = tuple(DomainFacts(n, rows, 5, 5, 5) for n, rows in (("cake", 25), ("tea", 100), ("mug", 0), ("car", 4)))
REPORT = GapReport("tiny", {"target": "cake"}, FACTS, MEASURES)


def test_a_measure_is_its_word_its_number_and_its_interval() -> None:
    assert cell(MEASURES[0]) == Cell("apart", ("0.2 (0.15 to 0.26)",), "same", strong=True)
    assert cell(MEASURES[1]) == Cell("close", ("0.031",), "good", strong=True)
    assert cell(MEASURES[3]) == Cell("0.5 (0.4 to 0.6)")
    assert cell(MEASURES[2]) == cell(None) == NOTHING


def test_the_nearest_source_stands_first_and_what_is_not_measured_last() -> None:
    head, lines = grid(REPORT, "cake")
    assert head == ["source", Cell("content", ("mmd",)), Cell("users", ("users known",))]
    assert [line.head.text for line in lines] == ["mug", "tea", "car"]
    assert lines[0].cells[1] == NOTHING
    assert nearness(REPORT, "cake") == "Nearest to cake first, by MMD²: mug (0.031, close), tea (0.2, apart)."
    assert nearness(REPORT, "tea") == "Nothing could be measured."


def test_what_is_drawn_of_it() -> None:
    assert sizes(REPORT) == {"cake": 0.5, "tea": 1.0, "mug": 0.0, "car": 0.2}
    assert [(name, value) for name, _, value, *_ in dots(REPORT, "cake", "mmd")] == [("mug", 0.031), ("tea", 0.2)]
    drawn = heat(REPORT, "mmd")
    assert drawn is not None
    cells, top = drawn
    assert {(a, b): (v, said) for a, b, v, said in cells}["tea", "cake"] == (0.2, "0.2")
    assert {a for a, *_ in cells} == {"cake", "tea", "mug"}  # of the car nothing is known
    assert 0.19 < top <= 0.2
    assert heat(GapReport("tiny", {"target": "cake"}, FACTS, MEASURES[2:]), "mmd") is None
