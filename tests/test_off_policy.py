"""Off-policy estimates: worked by hand, exact by enumeration, refused where there is too little."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from crossaisle import off_policy
from crossaisle.off_policy import Support, Value, value_of

REWARDS = np.array([1.0, 0.0, 1.0, 0.0])
WEIGHTS = np.array([2.0, 1.0, 0.5, 0.5])


def test_each_estimator_by_hand() -> None:
    assert value_of(off_policy.ips(REWARDS, WEIGHTS)) == 2.5 / 4
    assert value_of(off_policy.snips(REWARDS, WEIGHTS)) == 2.5 / 4.0
    assert value_of(off_policy.snips(REWARDS, 3 * WEIGHTS)) == 2.5 / 4.0
    assert value_of(off_policy.clipped(REWARDS, WEIGHTS, cap=1.0)) == 1.5 / 4
    assert value_of(off_policy.clipped(REWARDS, np.array([9.0, 0, 0, 0]))) == 2.0 / 4  # the cap is √4
    model = np.full(4, 0.5), np.full(4, 0.4)
    by_hand = 0.4 + (2 * 0.5 + 1 * -0.5 + 0.5 * 0.5 + 0.5 * -0.5) / 4
    assert value_of(off_policy.doubly_robust(REWARDS, WEIGHTS, *model)) == pytest.approx(by_hand)


def test_effective_size_by_hand() -> None:
    assert off_policy.effective_size(np.ones(7)) == 7
    assert off_policy.effective_size(np.array([3.0, 1.0])) == 16 / 10
    assert off_policy.effective_size(np.array([0.0, 5.0])) == 1
    assert off_policy.effective_size(np.zeros(3)) == 0


LOGGING = np.array([0.5, 0.3, 0.2])
CANDIDATE = np.array([0.1, 0.2, 0.7])
RATES = np.array([0.2, 0.5, 0.9])
TRUTH = float(CANDIDATE @ RATES)


@pytest.mark.parametrize("wrong_model", [np.array([0.9, 0.1, 0.4]), RATES])
def test_ips_and_doubly_robust_are_unbiased_over_all_logs(wrong_model: np.ndarray) -> None:
    expected = {"ips": 0.0, "dr": 0.0}
    for log in itertools.product(itertools.product(range(3), range(2)), repeat=2):
        item, reward = np.array([a for a, _ in log]), np.array([float(r) for _, r in log])
        chance = float(np.prod(LOGGING[item] * np.where(reward > 0, RATES[item], 1 - RATES[item])))
        weight = CANDIDATE[item] / LOGGING[item]
        expected["ips"] += chance * value_of(off_policy.ips(reward, weight))
        model = wrong_model[item], np.full(2, CANDIDATE @ wrong_model)
        expected["dr"] += chance * value_of(off_policy.doubly_robust(reward, weight, *model))
    assert expected == pytest.approx({"ips": TRUTH, "dr": TRUTH})


def test_doubly_robust_is_exact_where_the_model_is() -> None:
    item = np.random.default_rng(0).choice(3, 50, p=LOGGING)
    wrong = np.random.default_rng(1).random(50)
    terms = off_policy.doubly_robust(RATES[item], wrong, RATES[item], np.full(50, TRUTH))
    assert value_of(terms) == pytest.approx(TRUTH)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 100)), min_size=1, max_size=30), st.floats(0.01, 100))
def test_snips_stays_within_the_rewards_whatever_the_scale(rows: list[tuple[float, float]], scale: float) -> None:
    rewards, weights = (np.array(part) for part in zip(*rows, strict=True))
    value = value_of(off_policy.snips(rewards, weights))
    assert rewards.min() - 1e-9 <= value <= rewards.max() + 1e-9
    assert value_of(off_policy.snips(rewards, scale * weights)) == pytest.approx(value, abs=1e-9)
    assert 1 - 1e-9 <= off_policy.effective_size(weights) <= len(weights) + 1e-9


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.floats(-5, 5))
def test_snips_moves_with_the_rewards_and_ips_does_not_have_to(weights: list[float], by: float) -> None:
    rewards, w = np.arange(len(weights), dtype=float), np.array(weights)
    moved = value_of(off_policy.snips(rewards + by, w))
    assert moved == pytest.approx(value_of(off_policy.snips(rewards, w)) + by, abs=1e-9)


def test_the_bootstrap_draws_users_whole() -> None:
    rewards = np.tile([1.0, 0.0, 0.0, 0.0], 30)
    terms = {"mean": off_policy.ips(rewards, np.ones(120))}
    by_row = off_policy.draws(terms, np.arange(120), seed=1)["mean"]
    by_user = off_policy.draws(terms, np.repeat(np.arange(30), 4), seed=1)["mean"]
    assert by_row.std() == pytest.approx(np.sqrt(0.25 * 0.75 / 120), rel=0.1)
    assert by_user == pytest.approx(0.25)  # every user has the same mean
    found = off_policy.interval(terms["mean"], np.arange(120), seed=1)
    assert found == pytest.approx((0.25, 0.25 - 0.07, 0.25 + 0.085), abs=0.015)


def test_a_sample_without_the_candidate_has_no_estimate() -> None:
    terms = {"snips": off_policy.snips(np.ones(2), np.array([0.0, 1.0]))}
    drawn = off_policy.draws(terms, np.arange(2), seed=0)["snips"]
    assert np.isnan(drawn).any()
    assert off_policy.with_interval(1.0, drawn, np.zeros(2)) == Value(1.0, 1.0, 1.0)
    assert np.isnan(off_policy.interval(off_policy.snips(np.ones(2), np.zeros(2)), np.arange(2))).all()


def test_influence_by_hand() -> None:
    terms = off_policy.snips(np.array([1.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0]))
    assert off_policy.influence(terms, np.array([0, 1, 1])) == pytest.approx([(1 - 2 / 3) / 3, (3 - 10 / 3) / 3])


def test_intervals_follow_the_skew() -> None:
    rare = np.r_[np.ones(5), np.zeros(495)]
    found = off_policy.interval(off_policy.ips(rare, np.ones(500)), np.arange(500))
    assert found.value == 0.01
    assert found.high - found.value > 1.3 * (found.value - found.low)


def test_the_reward_model_never_sees_the_row_it_judges() -> None:
    cells, places, units = np.zeros(10, dtype=np.int64), np.zeros(1, dtype=np.int64), np.arange(10)
    rewards = 2.0 ** np.arange(10)
    one = sp.csr_matrix(np.ones((1, 1)))
    predicted, expected = off_policy.cross_fitted(rewards, cells, places, units, one, np.zeros(10, dtype=np.int64))
    assert predicted == pytest.approx(expected)  # one item: what is shown is all that there is
    groups = [np.flatnonzero(predicted == p) for p in np.unique(predicted)]
    assert [len(g) for g in groups] == [2] * 5
    assert all(predicted[g[0]] == pytest.approx((1023 - rewards[g].sum()) / 8) for g in groups)


def test_rare_items_are_drawn_towards_the_mean_of_their_place() -> None:
    cells = np.array([0] * 400 + [1] * 400 + [2] * 400)
    places, units = np.array([0, 0, 1]), np.arange(1200)
    rewards = np.r_[np.ones(400), np.zeros(400), np.full(400, 0.5)]
    candidate = sp.csr_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    predicted, expected = off_policy.cross_fitted(
        rewards, cells, places, units, candidate, (cells == 2).astype(np.int64)
    )
    assert predicted[:400].mean() == pytest.approx((320 + 100 * 0.5) / 420, abs=0.01)
    assert expected[:800].mean() == pytest.approx(predicted[:400].mean(), abs=0.01)
    assert predicted[800:] == pytest.approx(0.5)


def test_the_rows_of_a_user_count_once() -> None:
    weights, rewards, users = np.ones(12), np.tile([1.0, 0.0, 0.0], 4), np.repeat(np.arange(4), 3)
    found = off_policy.support_of(rewards, weights, users, Value(1.0, 1.0, 1.0))
    assert (found.rows, found.units, found.effective_units, found.effective_rewards) == (12, 4, 4.0, 4.0)
    skewed = off_policy.support_of(rewards, np.r_[np.full(3, 3.0), np.ones(3), np.zeros(6)], users, found.mean_weight)
    assert (skewed.effective_units, skewed.largest_weight, skewed.largest_share) == (1.6, 3.0, 0.25)


def support(**changes: float | Value) -> Support:
    good = {
        "rows": 10_000,
        "units": 10_000,
        "effective_units": 500.0,
        "effective_rewards": 40.0,
        "largest_weight": 3.0,
        "largest_share": 0.01,
        "uncovered": 0.0,
        "mean_weight": Value(1.0, 0.9, 1.1),
    }
    return Support(**(good | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uncovered": 0.2}, "20% of what the candidate shows was never shown"),
        ({"effective_units": 99.0}, "worth 99 independent ones of the candidate's own, and 100 are needed"),
        ({"effective_rewards": 9.5}, "worth 9.5 independent ones of the candidate's own, and 15 are needed"),
        ({"mean_weight": Value(0.5, 0.4, 0.6)}, "a mean of 0.50 where 1 is due"),
    ],
)
def test_refusals_say_why_and_what_to_do(changes: dict[str, float | Value], said: str) -> None:
    assert off_policy.refusal(support()) is None
    assert off_policy.refusal(support(uncovered=float("nan"))) is None
    assert said in str(off_policy.refusal(support(**changes)))
