"""Pictures: options of charts, by numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.report.view import Series
from crossaisle.web import pictures
from crossaisle.web.plane import label_sides, plane

BEST = Series("best control", "best control", ((1.0, 0.2, 0.1, 0.4), (2.0, 0.3, 0.25, 0.5)))
SHIP = Series("kernel", "ship", ((1.0, 0.4, math.nan, math.nan), (2.0, 0.5, 0.4, 0.7)))
OTHER = Series("other", "other", ((2.0, 0.1, 0.0, 0.2),))
PALETTE = {"best control": "#111111", "kernel": "#222222", "other": "#333333"}
BAD = ':"<img src=x onerror=alert(1)>'


def lines(options: dict[str, Any]) -> dict[str, Any]:
    return {s["name"]: s for s in options["series"] if "name" in s}


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in keys(v)}
    return {k for v in value for k in keys(v)} if isinstance(value, list) else set()


def test_a_band_is_the_lower_end_and_the_width_upon_it() -> None:
    options = pictures.curves([BEST], PALETTE, [1.0, 2.0], "weeks")
    low, width = (s["data"] for s in options["series"] if "name" not in s)
    assert low == [[1.0, 0.1], [2.0, 0.25]]
    assert width == [[1.0, pytest.approx(0.3)], [2.0, pytest.approx(0.25)]]
    assert lines(options)["best control"]["data"] == [[1.0, 0.2], [2.0, 0.3]]
    assert (options["xAxis"]["min"], options["xAxis"]["max"], options["title"]["text"]) == (1.0, 2.0, "weeks")


def test_what_has_no_interval_has_a_line_and_no_band_there() -> None:
    options = pictures.curves([SHIP], PALETTE, [1.0, 2.0], "weeks")
    low, _ = (s["data"] for s in options["series"] if "name" not in s)
    assert low == [[2.0, 0.4]]
    assert lines(options)["kernel"]["data"] == [[1.0, 0.4], [2.0, 0.5]]


def test_only_the_shipped_and_the_best_control_have_bands_and_lie_in_front() -> None:
    options = pictures.curves([SHIP, BEST, OTHER], PALETTE, [1.0, 2.0], "weeks")
    assert [s["name"] for s in options["series"] if "name" in s] == ["other", "kernel", "best control"]
    assert len(options["series"]) == 3 + 2 * 2
    assert options["legend"]["data"] == ["kernel", "best control", "other"]
    assert {s["stack"] for s in options["series"] if "name" not in s} == {"band ship", "band best control"}


def test_dots_have_a_rule_from_end_to_end() -> None:
    rows = [("a", "#111111", 2.0, 1.0, 3.0), ("b", "#222222", 5.0, math.nan, math.nan), ("c", "#3", math.nan, 1.0, 2.0)]
    options = pictures.dots(rows, "gain")
    *rules, points = options["series"]
    assert [r["data"] for r in rules] == [[[1.0, "a"], [3.0, "a"]], [[1.0, "c"], [2.0, "c"]]]
    assert [p["value"] for p in points["data"]] == [[2.0, "a"], [5.0, "b"]]
    assert options["yAxis"]["data"] == ["a", "b", "c"]
    assert options["yAxis"]["inverse"]


def test_cells_of_a_heat_map_stand_where_their_row_and_column_do() -> None:
    cells = [("a", "a", 0.0, ""), ("a", "b", 0.5, ".5"), ("b", "a", 0.7, "{c}"), ("b", "b", 0.0, "")]
    options = pictures.heat(cells, 0.0)
    data = options["series"][0]["data"]
    assert [d["value"] for d in data] == [[0, 0, 0.0], [1, 0, 0.5], [0, 1, 0.7], [1, 1, 0.0]]
    assert [d["label"] for d in data][1:3] == [{"show": True, "formatter": ".5"}, {"show": True, "formatter": "(c)"}]
    assert options["visualMap"]["max"] == 1.0  # no strongest colour: a scale of its own


def test_the_target_is_tied_to_all_others_and_keeps_its_name() -> None:
    places = {"tea": (0.0, 0.0), "cake": (1.0, 1.0), "mug": (2.0, 0.0)}
    options = plane(places, {"tea": 1.0, "cake": 0.5, "mug": 0.0}, "cake")
    *ties, others, own = options["series"]
    assert [t["data"] for t in ties] == [[[1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 0.0]]]
    assert [p["name"] for p in others["data"]] == ["tea", "mug"]
    assert [p["name"] for p in own["data"]] == ["cake"]
    assert "labelLayout" not in own
    assert [p["symbolSize"] for p in others["data"]] == [36.0, 12.0]


def test_without_a_target_nothing_is_tied() -> None:
    options = plane({"tea": (0.0, 0.0), "cake": (1.0, 1.0)}, {"tea": 1.0, "cake": 1.0}, None)
    assert [len(s["data"]) for s in options["series"]] == [2, 0]


def test_names_of_neighbours_stand_on_different_sides() -> None:
    far, near = (0.0, 0.0, 10.0, "far"), (1.0, 1.0, 10.0, "first")
    assert label_sides([near, far]) == ["top", "top"]
    sides = label_sides([near, (1.0, 0.99, 10.0, "second"), far])
    assert sides[0] == "top"
    assert sides[1] != "top"  # there stands the first name
    assert label_sides([near]) == ["top"]
    assert len(set(label_sides([near] * 4))) == 4  # four that lie on each other look in all directions
    wide = (1.0, 0.5, 10.0, "a name that is wider than the edge")
    assert label_sides([wide, far, (0.0, 1.0, 10.0, "first")])[0] == "left"


def test_no_name_becomes_a_key_which_the_page_might_run() -> None:
    series = Series(BAD, "ship", ((1.0, 0.2, 0.1, 0.3),))
    made = [
        pictures.curves([series], {BAD: "#111111"}, [1.0], BAD),
        pictures.dots([(BAD, "#111111", 1.0, 0.0, 2.0)], BAD),
        pictures.heat([(BAD, BAD, 1.0, BAD)], 1.0),
        plane({BAD: (0.0, 0.0), "tea": (1.0, 1.0)}, {BAD: 1.0, "tea": 0.1}, BAD),
    ]
    assert not [k for options in made for k in keys(options) if k.startswith(":") or k == BAD]
