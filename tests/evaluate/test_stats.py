"""Intervals, paired verdicts and time saved, with numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossaisle import resampling
from crossaisle.evaluate import stats


def test_interval_of_a_constant_is_the_constant() -> None:
    assert stats.interval(np.full((3, 20), 0.25)) == (0.25, 0.25, 0.25)


def test_interval_agrees_with_the_normal_one_and_repeats() -> None:
    values = np.random.default_rng(1).normal(2.0, 1.0, size=400)
    mean, low, high = stats.interval(values, seed=3)
    half = 1.96 * values.std() / math.sqrt(400)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.02)
    assert stats.interval(values, seed=3) == (mean, low, high)


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    draw = np.random.default_rng(5)
    covered = [low <= 0 <= high for _, low, high in (stats.interval(draw.normal(size=60), resamples=1000)
                                                      for _ in range(200))]  # fmt: skip
    assert 0.89 <= np.mean(covered) <= 0.99


def test_interval_is_over_users_not_over_seeds() -> None:
    one = np.random.default_rng(2).random(50)
    assert stats.interval(np.stack([one, one, one])) == pytest.approx(stats.interval(one))


def test_users_without_a_value_are_left_out() -> None:
    assert stats.interval(np.array([1.0, math.nan, 3.0])).mean == 2.0
    assert all(math.isnan(v) for v in stats.interval(np.array([math.nan])))


def test_memory_blocks_cover_all_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "CELLS", 100)
    assert resampling.resampled(np.ones((2, 30)), 0, 1001).shape == (2, 1001)


@pytest.mark.parametrize(("shift", "verdict"), [(0.2, "helps"), (-0.2, "hurts"), (0.0, "no difference")])
def test_paired_verdicts(shift: float, verdict: str) -> None:
    b = np.random.default_rng(0).random((3, 200))
    noise = np.tile([0.01, -0.01], 100)
    found = stats.paired(b + shift + noise, b)
    assert found.difference == pytest.approx(shift)
    assert found.verdict == verdict
    assert found.low <= found.difference <= found.high


def test_paired_needs_the_same_users_but_not_the_same_seeds() -> None:
    assert stats.paired(np.ones((3, 20)), np.zeros((1, 20))).verdict == "helps"
    with pytest.raises(ValueError, match="same users in the same order"):
        stats.paired(np.ones((1, 3)), np.ones((1, 4)))


def test_few_users_give_no_verdict() -> None:
    assert stats.paired(np.ones(5), np.zeros(5)).verdict == "no difference"


WEEKS, CURVE = [0.0, 1.0, 2.0, 4.0, 8.0], [0.10, 0.12, 0.11, 0.15, 0.25]


@pytest.mark.parametrize(
    ("w", "quality", "expected"),
    [
        (1, 0.15, (4.0, 4.0, False)),
        (2, 0.20, (6.0, 3.0, False)),
        (1, 0.115, (0.75, 0.75, False)),  # first crossing, although the curve falls again
        (2, 0.13, (3.0, 1.5, False)),
        (4, 0.05, (0.0, 0.0, False)),
        (2, 0.30, (None, 4.0, True)),
    ],
)
def test_time_saved_by_hand(w: float, quality: float, expected: tuple[float | None, float, bool]) -> None:
    assert stats.time_saved(WEEKS, CURVE, w, quality) == pytest.approx(expected)


def test_time_saved_skips_weeks_where_no_control_ran_and_refuses_week_0() -> None:
    assert stats.time_saved([0, 1, 3], [math.nan, 0.1, 0.3], 1, 0.2) == pytest.approx((2.0, 2.0, False))
    for weeks, curve, w in (([1, 2], [0.1, 0.2], 0), ([2, 1], [0.1, 0.2], 1), ([1], [math.nan], 1)):
        with pytest.raises(ValueError, match="week above 0"):
            stats.time_saved(weeks, curve, w, 0.1)
