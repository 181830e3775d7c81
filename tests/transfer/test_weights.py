"""Weights: hand-worked cases of ensemble selection and of the likelihood, and when one ranking beats another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.metrics import Doubles
from crossaisle.transfer.weights import beats, ensemble_selection, most_likely

AIM = np.array([0.5, 0.25, 0.25, 0.0])


def near(weights: Doubles) -> Doubles:
    """(tries, 2) quality: best at `AIM`."""
    return np.repeat(-np.square(weights - AIM).sum(axis=1, keepdims=True), 2, axis=1)


def test_parts_are_added_one_by_one_and_the_best_round_counts() -> None:
    # part 0; then halves of 0 and 1 or 2 (1 comes first); then a third each; then 0 again, which is the aim.
    weights, alone = ensemble_selection(4, 4, near)
    assert weights.tolist() == [0.5, 0.25, 0.25, 0.0]
    assert alone[:, 0].tolist() == pytest.approx([-0.375, -0.875, -0.875, -1.375])
    assert ensemble_selection(4, 9, near)[0].tolist() == weights.tolist()  # more rounds do not lose it
    assert ensemble_selection(4, 2, near)[0].tolist() == [0.5, 0.5, 0, 0]
    assert ensemble_selection(4, 1, near)[0].tolist() == [1, 0, 0, 0]


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=5),
    st.integers(1, 12),
    st.integers(0, 5),
)
def test_never_worse_on_its_cases_than_the_best_part(values: list[float], rounds: int, seed: int) -> None:
    bent = np.random.default_rng(seed).normal(size=(len(values), 3))

    def judged(weights: Doubles) -> Doubles:
        return np.sin(3 * weights @ bent) + weights @ np.array(values)[:, None]

    weights, alone = ensemble_selection(len(values), rounds, judged)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert judged(weights[None, :]).mean() >= alone.mean(axis=1).max() - 1e-12


def test_the_likeliest_weights_are_log_odds() -> None:
    # Three items, of which part 0 likes the first and part 1 the second: chosen 7, 3 and 1 times of 11.
    chosen = np.repeat([0, 1, 2], [7, 3, 1])
    scores = np.tile(np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32), (11, 1))
    found = most_likely(scores, np.arange(11) * 3, (np.arange(3) == chosen[:, None]).ravel())
    assert found == pytest.approx(np.log([7, 3]) / np.log(21), abs=1e-3)


def test_lists_count_alike_and_share_their_weight_among_what_was_wanted() -> None:
    # One list in which the first two of three were wanted is half of each.
    scores = np.array([[1, 0], [0, 1], [0, 0], [1, 0], [0, 0]], dtype=np.float32)
    both = most_likely(scores, np.array([0, 3]), np.array([True, True, False, False, True]))
    drawn = np.concatenate([scores[:3], scores[:3], scores[3:], scores[3:]])
    apart = np.array([1, 0, 0, 0, 1, 0, 0, 1, 0, 1], dtype=bool)
    assert both == pytest.approx(most_likely(drawn, np.array([0, 3, 6, 8]), apart), abs=1e-3)


@given(st.integers(1, 5), st.integers(0, 50))
def test_likeliest_weights_sum_to_one_whatever_the_order(parts: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=(6, 4, parts)).astype(np.float32)
    wanted = np.arange(4) == draw.integers(0, 4, 6)[:, None]
    found = most_likely(scores.reshape(24, parts), np.arange(6) * 4, wanted.ravel())
    turned = most_likely(scores[::-1].reshape(24, parts), np.arange(6) * 4, wanted[::-1].ravel())
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1) or not found.any()
    assert found == pytest.approx(turned, abs=0.02)


def test_parts_that_say_nothing_have_no_weight() -> None:
    wanted = np.array([True, False])
    assert most_likely(np.zeros((2, 3), np.float32), np.array([0]), wanted).tolist() == [0, 0, 0]
    assert most_likely(np.array([[0, 1], [0, 0]], np.float32), np.array([0]), wanted) == pytest.approx([0, 1])


def test_beating_needs_a_difference_beyond_noise() -> None:
    draw = np.random.default_rng(0)
    a = draw.normal(size=200)
    assert not beats(a, a)
    assert not beats(a + 1e-12, a)
    assert beats(a + 0.1, a)
    for few in (0, 1):
        assert not beats(a[:few] + 0.1, a[:few])
    assert beats(a + 0.3 + draw.normal(scale=0.1, size=200), a)
    assert not beats(a + draw.normal(scale=1.0, size=200) * 0.5, a, tried=20)
