"""The ranking loss against sums written out."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.objectives.rank import sampled_softmax


def test_by_hand() -> None:
    positive = torch.tensor([1.0, 0.0])
    negatives = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    first = -log(exp(1) / (exp(1) + 1 + exp(2)))
    assert sampled_softmax(positive, negatives).item() == pytest.approx((first + log(3)) / 2)


def test_excluded_items_are_no_negatives() -> None:
    positive = torch.tensor([1.0, 0.0], requires_grad=True)
    negatives = torch.tensor([[0.0, 2.0], [0.0, 0.0]], requires_grad=True)
    excluded = torch.tensor([[False, True], [True, True]])
    loss = sampled_softmax(positive, negatives, excluded)
    assert loss.item() == pytest.approx(-log(exp(1) / (exp(1) + 1)) / 2)  # nothing is left to lose against in row two
    loss.backward()
    assert negatives.grad is not None
    assert (negatives.grad[excluded] == 0).all()
    assert torch.isfinite(negatives.grad).all()


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=6), st.floats(-100, 100))
def test_a_constant_changes_nothing_and_the_loss_is_positive(scores: list[float], constant: float) -> None:
    all_scores = torch.tensor([scores], dtype=torch.float64)
    loss = sampled_softmax(all_scores[:, 0], all_scores[:, 1:])
    moved = sampled_softmax(all_scores[:, 0] + constant, all_scores[:, 1:] + constant)
    assert loss.item() >= -1e-12
    assert moved.item() == pytest.approx(loss.item(), abs=1e-6)


def test_its_optimum_is_the_log_of_the_probability() -> None:
    share = torch.tensor([0.6, 0.3, 0.1])
    scores = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([scores], max_iter=50)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        # Item i is met with share[i]; the others are its negatives.
        rest = torch.tensor([[1, 2], [0, 2], [0, 1]])
        loss = sum(share[i] * sampled_softmax(scores[i : i + 1], scores[rest[i]][None]) for i in range(3))
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        return loss

    optimiser.step(closure)
    found = torch.softmax(scores.detach(), dim=0)
    assert found.tolist() == pytest.approx(share.tolist(), abs=1e-3)
