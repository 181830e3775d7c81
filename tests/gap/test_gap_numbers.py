"""Numbers worked by hand, or found a second way."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.distances import coral, mmd, plan_of, sliced_wasserstein
from crossaisle.gap.agreement import Likeness, correlation, lift
from crossaisle.gap.behaviour import lift_of, repeat_rate
from crossaisle.gap.launch import own_agreement
from crossaisle.gap.popularity import divergence, gini, head_weight, histogram
from crossaisle.gap.resampled import Draws, coral_of, kernel_of, mmd_of, own_kernel, sliced_of
from crossaisle.gap.scores import h_score, leep, log_me
from crossaisle.gap.words import Found, affinity, difference, distance, share, spread
from crossaisle.rng import generator


def tastes(apart: bool) -> sp.csr_matrix:
    """200 people with 12 of 40 items each: of the half that is their own taste's, or of all."""
    draw, held = generator(0, "tastes"), np.zeros((200, 40), dtype=np.float32)
    for user in range(200):
        shelf = np.arange(20) + 20 * (user % 2) if apart else np.arange(40)
        held[user, draw.choice(shelf, 12, replace=False)] = 1.0
    return sp.csr_matrix(held)


def test_a_target_agrees_with_itself_where_people_have_tastes() -> None:
    assert own_agreement(tastes(apart=True)) == pytest.approx(2.0, abs=0.15)  # who is near is of one taste, half are
    assert own_agreement(tastes(apart=False)) == pytest.approx(1.0, abs=0.1)
    assert own_agreement(tastes(apart=True)[:20]) == 1.0  # too few people


def samples(n: int = 40, m: int = 50, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    draw = generator(0, "samples")
    x, y = draw.normal(size=(n, 3)), draw.normal(size=(m, 3)) + shift
    return x.astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize(("sales", "expected"), [([5, 5, 5, 5], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25)])
def test_gini(sales: list[int], expected: float) -> None:
    assert gini(sales) == pytest.approx(expected)


def test_head_weight() -> None:
    assert head_weight([10, *[1] * 9]) == pytest.approx(10 / 19)
    assert head_weight([3, 1]) == pytest.approx(0.75)


def test_jensen_shannon() -> None:
    half = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    by_hand = 0.5 * math.log2(1 / 0.75) + 0.5 * (0.5 * math.log2(0.5 / 0.75) + 0.5 * math.log2(0.5 / 0.25))
    assert divergence(*half) == pytest.approx(by_hand)
    assert divergence(half[0], half[0]) == 0.0
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)


def test_histogram_ignores_how_long_a_shop_is_open() -> None:
    sales = np.array([1, 2, 4, 8])
    assert histogram(sales).tolist() == histogram(3 * sales).tolist()


def test_sliced_wasserstein_of_a_shift() -> None:
    x = samples()[0]
    assert sliced_wasserstein(x[:, :1], x[:, :1] + 2.5) == pytest.approx(2.5, abs=1e-5)
    shift = np.array([0.0, 0.0, 3.0])  # mean |θ_z| over the sphere is ½
    assert sliced_wasserstein(x, x + shift, directions=4000) == pytest.approx(1.5, abs=0.05)
    assert sliced_wasserstein([[0.0], [1.0]], [[0.0], [1.0], [1.0], [2.0]]) == pytest.approx(0.5)


def test_weighted_statistics_are_the_plain_ones() -> None:
    x, y = samples(shift=0.7)
    both, draws = np.vstack([x, y]), Draws.of(len(x), len(y), generator(0), 2, 2)
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    apart = torch.cdist(torch.from_numpy(both), torch.from_numpy(both)).square()
    scale = float(apart[~torch.eye(len(both), dtype=torch.bool)].median())
    kernels = (own_kernel(x, scale), own_kernel(y, scale)), kernel_of(x, y, scale)
    assert mmd_of(*kernels)(*draws.plain)[0] == pytest.approx(float(mmd(*tensors)), abs=1e-5)
    assert coral_of(both)(*draws.plain)[0] == pytest.approx(float(coral(*tensors)), rel=1e-3)
    assert sliced_of(both)(*draws.plain)[0] == pytest.approx(sliced_wasserstein(x, y), rel=1e-5)


def test_permuted_and_redrawn_weights_are_samples() -> None:
    draws = Draws.of(7, 5, generator(0), 30, 30)
    for a, b in (draws.plain, draws.mixed, draws.again):
        assert np.allclose(a.sum(axis=1), 1) and np.allclose(b.sum(axis=1), 1)  # noqa: PT018
        assert not (a * b).any()
    assert len({tuple(row) for row in draws.mixed[0].tolist()}) > 20


def test_plan_moves_what_costs_least() -> None:
    plan = plan_of(np.array([[0.0, 9.0], [9.0, 0.0]]), np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    assert plan.tolist() == [[0.25, 0.25], [0.0, 0.5]]


def test_lift_and_correlation_of_two_tastes() -> None:
    # Rows 0–3 hold columns 0, 1; rows 4–7 hold 2, 3. Neighbours share all, others nothing: cosine 1 or 0.
    table = np.kron(np.eye(2), np.ones((4, 2)))
    same = Likeness.of(sp.csr_matrix(table), 2)
    found = lift("lift", same, same, generator(0), 50)
    assert found.value == pytest.approx(1.0 / (3 / 7))
    assert found.null is not None
    assert found.null < found.value
    assert correlation("tie", same, same, generator(0), 20).value == pytest.approx(1.0)
    turned = Likeness.of(sp.csr_matrix(table[[0, 4, 1, 5, 2, 6, 3, 7]]), 2)
    assert lift("lift", same, turned, generator(0), 50).value < 1.2


def test_lift_of_baskets() -> None:
    shift = 1 << 20  # one person over 10 days: source on days 0–4, target on days 0 and 1
    source, target = np.arange(5), np.arange(2)
    assert lift_of(source, target, np.arange(2), 10).value == pytest.approx(2 * 10 / (5 * 2))
    # a second person who never has both: expected 1 · 1 / 10 more
    source, target = np.append(source, shift), np.append(target, shift + 3)
    found = lift_of(source, target, np.arange(2), 10)
    assert found.value == pytest.approx(2 * 10 / 11)
    assert found.low < found.value < found.high


def test_repeat_rate() -> None:
    rows = pl.DataFrame({"user": [0, 0, 0, 1], "item": [3, 3, 4, 3]})
    rate, error = repeat_rate(rows)
    assert rate == 0.25
    assert error == pytest.approx(math.sqrt((1 - 0.75) ** 2 + 0.25**2) / 4)


def test_share_has_the_wilson_interval() -> None:
    found = share("s", 5, 10)
    assert (found.low, found.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert math.isnan(share("s", 0, 0).value)


def evidence(f: np.ndarray, y: np.ndarray, alpha: float, beta: float) -> float:
    """Log density of y under N(0, I/β + F Fᵀ/α): what LogME makes greatest, the long way."""
    cover = np.eye(len(y)) / beta + f @ f.T / alpha
    return float(-0.5 * (len(y) * np.log(2 * np.pi) + np.linalg.slogdet(cover)[1] + y @ np.linalg.solve(cover, y)))


def test_log_me_is_the_greatest_evidence() -> None:
    draw = generator(0, "logme")
    f = draw.normal(size=(30, 4))
    y = f @ np.array([1.0, -1.0, 0.5, 0.0]) + 0.5 * draw.normal(size=30)
    grid = [evidence(f, y, a, b) / 30 for a in np.geomspace(0.1, 30, 60) for b in np.geomspace(0.5, 30, 60)]
    assert log_me(f, y) == pytest.approx(max(grid), abs=2e-3)
    assert log_me(f, y) > log_me(f, draw.permutation(y))


def test_h_score_of_one_feature_is_the_share_explained() -> None:
    labels = np.array([0, 1] * 50)
    f = labels[:, None] + np.tile([[0.5], [0.5], [-0.5], [-0.5]], (25, 1))  # variance ¼ between, ¼ within
    assert h_score(f, labels) == pytest.approx(0.5, abs=1e-6)
    assert h_score(f, labels[generator(0).permutation(100)]) < 0.1


def test_leep() -> None:
    labels = np.array([0, 0, 1, 1])
    sure = np.eye(2)[labels]
    assert leep(sure, labels) == pytest.approx(0.0)
    assert leep(np.full((4, 2), 0.5), labels) == pytest.approx(-math.log(2))
    # θ(z=0) is .9 for label 0 and .1 for label 1, so P(y=0 | z=0) = .9 and Σ_z P(y|z) θ_z = .9² + .1²
    assert leep(0.8 * sure + 0.1, labels) == pytest.approx(math.log(0.82))


@pytest.mark.parametrize(
    ("value", "low", "high", "word"),
    [(1, 0.5, 1.5, "close"), (3, 2, 4, "apart"), (6, 5, 7, "unrelated"), (3, 1, 6, "too little to say")],
)
def test_words_of_a_distance(value: float, low: float, high: float, word: str) -> None:
    assert distance(Found("d", value, low, high), near=1.5, far=5).word == word
    assert distance(Found("d", value, low, high), 1.5, 5, enough=False).word == "too little to say"


@pytest.mark.parametrize(
    ("value", "low", "high", "own", "word"),
    [
        (3, 2.5, 3.5, 2.8, "close"),
        (2, 1.5, 2.5, 2.8, "apart"),
        (1, 0.9, 1.1, 2.8, "unrelated"),
        (2, 0.9, 3.1, 2.8, "too little to say"),
        (2, 0.9, 3.1, math.nan, "too little to say"),
        (0.9, 0.8, 3.1, math.nan, "unrelated"),
    ],
)
def test_words_of_a_likeness(value: float, low: float, high: float, own: float, word: str) -> None:
    assert affinity(Found("a", value, low, high), own, chance=1.0).word == word


def test_words_of_a_difference() -> None:
    assert difference(Found("x", 0.1, -0.1, 0.3)).word == "close"
    assert difference(Found("x", 0.3, 0.1, 0.5)).word == "apart"


@given(st.floats(-5, 5), st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_an_interval_holds_its_value(value: float, draws: list[float]) -> None:
    found = spread("x", value, np.array(draws))
    assert found.low <= value <= found.high
