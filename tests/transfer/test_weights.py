"""Weights: ensemble selection on hand-worked cases, and when one ranking beats another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.metrics import Doubles
from crossaisle.transfer.weights import beats, ensemble_selection

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


def test_beating_needs_a_difference_beyond_noise() -> None:
    draw = np.random.default_rng(0)
    a = draw.normal(size=200)
    assert not beats(a, a)
    assert beats(a + 0.3 + draw.normal(scale=0.1, size=200), a)
    assert not beats(a + draw.normal(scale=1.0, size=200) * 0.5, a, tried=20)
