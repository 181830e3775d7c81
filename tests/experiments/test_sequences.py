"""Confidence sequences: the formula by hand, the delta method, and the promise kept at every look."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossaisle.experiments.sequences import MIN_EFFECTIVE, Moments, bounds_of, difference, reach


def test_reach_by_hand() -> None:
    level = -2 * math.log(0.05)
    rho = (level + math.log(level + 1)) / 1000
    inside = 2 * (400 * rho + 1) / (400**2 * rho) * math.log(math.sqrt(400 * rho + 1) / 0.05)
    assert float(reach(400, 0.05, 1000)) == pytest.approx(math.sqrt(inside))
    assert float(reach(0, 0.05, 1000)) == math.inf


def test_it_is_narrowest_where_it_was_asked_to_be() -> None:
    chosen = float(reach(1000, 0.05, 1000))
    assert chosen <= min(float(reach(1000, 0.05, other)) for other in (100, 500, 2000, 10_000))
    assert 1.4 < chosen / (1.96 / math.sqrt(1000)) < 1.6  # the price of looking at any time


def test_moments_of_a_ratio() -> None:
    one = Moments.of([1.0, 0.0, 3.0], [2.0, 1.0, 3.0])
    assert float(one.rate) == 4 / 6
    residuals = np.array([1 - 4 / 3, 0 - 2 / 3, 3 - 2.0])
    assert float(one.variance) == pytest.approx((residuals**2).mean() / 2.0**2)
    assert float(one.effective) == pytest.approx(16 / 10)


def test_the_variance_of_a_ratio_is_that_of_its_draws() -> None:
    rng = np.random.default_rng(0)
    below = rng.geometric(0.2, (4000, 200))
    above = rng.binomial(below, rng.beta(1, 9, below.shape))
    rates = above.sum(axis=1) / below.sum(axis=1)
    assert Moments.of(above, below).variance.mean() / 200 == pytest.approx(rates.var(), rel=0.06)


def test_too_few_to_count_bound_nothing() -> None:
    few = Moments.of(np.r_[np.ones(int(MIN_EFFECTIVE) - 1), np.zeros(900)], np.ones(int(MIN_EFFECTIVE) + 899))
    many = Moments.of(np.r_[np.ones(500), np.zeros(500)], np.ones(1000))
    assert bounds_of(few, 0.05, 1000)[1:] == (-math.inf, math.inf)
    assert difference(few, many, 0.05, 1000).low == -math.inf
    found = difference(many, many, 0.05, 2000)
    assert float(found.value) == 0.0
    assert float(found.high) == pytest.approx(math.sqrt(2000 * 2 * 0.25 / 1000) * float(reach(2000, 0.05, 2000)))


def test_no_users_are_no_error() -> None:
    nobody = Moments.of([], [])
    assert math.isnan(float(difference(nobody, nobody, 0.05, 1000).value))
    assert float(bounds_of(nobody, 0.05, 1000).high) == math.inf


def test_looking_after_every_user_raises_no_false_alarm() -> None:
    rng = np.random.default_rng(7)
    alarms = peeking = 0
    for _ in range(20):
        y = (rng.random((2, 50, 4000)) < 0.1).astype(np.float64)
        n = np.broadcast_to(np.arange(1.0, 4001), y.shape)
        sums = np.cumsum(y, axis=2)
        a, b = (Moments(n[0], n[0], sums[side], n[0], sums[side], sums[side]) for side in (0, 1))
        found = difference(a, b, 0.05, 4000)
        alarms += int(((found.low > 0) | (found.high < 0)).any(axis=1).sum())
        score = np.abs(found.value) / np.sqrt((a.variance + b.variance) / n[0] + 1e-12)
        peeking += int((score[:, 1000:] > 1.96).any(axis=1).sum())
    assert alarms <= 50  # 5 % of 1,000
    assert peeking > 100  # what the usual test does to those who look
