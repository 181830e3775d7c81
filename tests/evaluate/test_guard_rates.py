"""The guard on made-up Worlds: planted harm is caught, planted help is not refused, and the report says so."""

from __future__ import annotations

from typing import Any

import pytest

from crossaisle.data.synthetic import synthetic
from crossaisle.evaluate.result import Report, Row
from crossaisle.evaluate.spec import MethodSpec, Study
from crossaisle.evaluate.study import evaluate
from crossaisle.report import words

WORLDS = 20
METHODS = (
    MethodSpec("popularity"),
    MethodSpec("user_kernel", "user_kernel_target", {"scope": "target", "content_power": 0.0}),
    MethodSpec("user_kernel", options={"content_power": 0.0}),
)


def judged(weeks: float, seed: int = 0, **planted: Any) -> Report:
    """``d0`` launches, ``d1`` sells the same items to the same people; some 150 of them are asked."""
    world, _ = synthetic(n_domains=2, users=300, items=60, item_overlap=1.0, user_overlap=1.0, seed=seed, **planted)
    study = Study("d0", cut="2024-05-20", test_weeks=6, weeks=(weeks,), ship="user_kernel")
    return evaluate(world, study, METHODS)


def test_planted_harm_is_caught_and_the_control_ships() -> None:
    """The source has every taste the wrong way round; the true effect is about −50 % (docs/results/guard.md)."""
    reports = [judged(12.0, seed, conflict=1.0) for seed in range(WORLDS)]
    ships = [r.ships[0] for r in reports]
    caught = sum(s.verdict == "hurts" and s.ships == s.control for s in ships)
    assert caught >= 0.95 * WORLDS
    said = words.ships(next(r for r in reports if r.ships[0].verdict == "hurts"))
    assert said.endswith(", because user_kernel hurts.")


def test_planted_help_is_not_refused() -> None:
    """The source has the same tastes and the target is two weeks old; the true effect is about +70 %."""
    verdicts = [judged(2.0, seed).ships[0].verdict for seed in range(WORLDS)]
    assert verdicts.count("hurts") <= 0.05 * WORLDS
    assert verdicts.count("helps") >= 0.9 * WORLDS


def controls(report: Report) -> list[Row]:
    """Without ``twin_free``: whom it asks depends on the source."""
    return [r for r in report.rows if report.kinds[r.method] == "control" and r.slice != "twin_free"]


def test_controls_know_no_source_even_where_people_and_items_are_shared() -> None:
    same, opposite = judged(2.0), judged(2.0, conflict=1.0)
    assert controls(same) == controls(opposite) != []
    assert [r for r in same.rows if r.method == "user_kernel"] != [
        r for r in opposite.rows if r.method == "user_kernel"
    ]


def test_harm_that_could_not_be_seen_is_said() -> None:
    report = judged(12.0, conflict=0.125)
    (row,) = [g for g in report.guard if (g.slice, g.against) == ("new", "best_control")]
    assert row.verdict == "no difference"
    (value,) = [r.value for r in controls(report) if (r.slice, r.method, r.metric) == ("new", row.control, "ndcg")]
    share = (row.high - row.low) / 2 / value
    said = [w for w in report.warnings if "go unseen" in w]
    assert said == [
        f"With {row.users} users at week 12, harm of user_kernel smaller than {share:.0%} of what {row.control} "
        "reaches would more likely than not go unseen; no difference is no proof of safety."
    ]
    assert share == pytest.approx(0.15, abs=0.05)


def test_nothing_is_said_where_the_guard_knows() -> None:
    report = judged(12.0, conflict=1.0)
    assert report.ships[0].verdict == "hurts"
    assert not any("go unseen" in w for w in report.warnings)
