"""Several targets together: hand-worked means, intervals and time saved."""

from __future__ import annotations

import json
import math

import pytest

from crossaisle.errors import ConfigError
from crossaisle.evaluate.across import across, to_markdown
from crossaisle.evaluate.result import GuardRow, Report, Row, Verdict

WEEKS = (1.0, 2.0, 4.0)


def row(target: str, week: float, method: str, value: float, half: float) -> Row:
    return Row(target, week, None, "new", method, "ndcg", 10, value, value - half, value + half, 1, 100)


def guard(target: str, week: float, control: str, difference: float, half: float, verdict: Verdict) -> GuardRow:
    numbers = (difference, difference - half, difference + half, verdict, 100, 1, 1)
    return GuardRow(target, week, None, "new", "blend", "best_control", control, "ndcg", 10, *numbers)


def report(target: str, blend: tuple[float, ...], control: tuple[float, ...], verdict: Verdict = "helps") -> Report:
    rows, guards = [], []
    for week, mine, theirs in zip(WEEKS, blend, control, strict=True):
        rows += [row(target, week, "blend", mine, 0.03), row(target, week, "ease", theirs, 0.04)]
        rows.append(row(target, week, "popularity", theirs - 0.01, 0.02))
        guards.append(guard(target, week, "ease", mine - theirs, 0.03, verdict))
    kinds = {"popularity": "control", "ease": "control", "blend": "transfer"}
    return Report(target, {}, kinds, tuple(rows), tuple(guards), environment={"seconds": 2.0})


A = report("A", (0.3, 0.4, 0.5), (0.1, 0.2, 0.4))
B = report("B", (0.1, 0.2, 0.3), (0.1, 0.2, 0.4), "hurts")


def test_means_and_intervals_by_hand() -> None:
    first = across([A, B]).weeks[0]
    assert (first.week, first.helps, first.hurts) == (1.0, 1, 1)
    assert first.ship == pytest.approx(0.2)
    assert first.control == pytest.approx(0.1)
    assert first.difference == pytest.approx(0.1)
    assert first.high - first.difference == pytest.approx(math.sqrt(2 * 0.03**2) / 2)
    assert first.control - first.control_low == pytest.approx(math.sqrt(2 * 0.04**2) / 2)


def test_time_saved_on_the_mean_curves() -> None:
    saved = {r.week: r for r in across([A, B]).saved}
    # The mean control goes .1, .2, .4; blend has .2 at week 1, .3 at week 2 and .4 at week 4.
    assert [saved[w].reached for w in WEEKS] == pytest.approx([2.0, 3.0, 4.0])
    assert [saved[w].factor for w in WEEKS] == pytest.approx([2.0, 1.5, 1.0])
    assert saved[1.0].low <= 2.0 <= saved[1.0].high
    # B alone is at the control, A alone at its week 3: the interval over targets spans both.
    assert (saved[1.0].low, saved[1.0].high) == pytest.approx((1.0, 3.0))


def test_never_reached_is_a_lower_bound() -> None:
    (last,) = [r for r in across([A]).saved if r.week == 4.0]
    assert (last.reached, last.factor, last.at_least) == (None, 1.0, True)
    assert "≥ 1.00" in to_markdown(across([A]))


def test_one_target_is_its_own_mean() -> None:
    found = across([A])
    assert [r.ship for r in found.weeks] == pytest.approx([0.3, 0.4, 0.5])
    assert found.weeks[0].low == pytest.approx(found.by_target[0].low)
    assert {r.best_control for r in found.by_target} == {"ease"}


def test_only_weeks_that_all_targets_have_count() -> None:
    short = Report(B.name, {}, B.kinds, B.rows, B.guard[1:])
    assert [r.week for r in across([A, short]).weeks] == [2.0, 4.0]


def test_the_text_and_the_json() -> None:
    found = across([A, B])
    text = to_markdown(found)
    assert "A, B" in text
    assert "| 1 | 0.2000 (" in text
    body = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert body["schema_version"] == 1
    assert len(body["by_target"]) == 6


@pytest.mark.parametrize("reports", [[], [Report("x", {}, {}, ())], [A, Report("x", {}, {}, ())]])
def test_nothing_in_common(reports: list[Report]) -> None:
    with pytest.raises(ConfigError, match="share no week"):
        across(reports)
