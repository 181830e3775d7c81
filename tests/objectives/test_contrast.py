"""Contrastive losses against sums written out, and what log-Q is for."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
import torch

from crossaisle.objectives.contrast import aligned, in_batch, same
from crossaisle.objectives.rank import sampled_softmax


def test_by_hand() -> None:
    scores = torch.tensor([[2.0, 0.0], [1.0, 3.0]])
    rows = -log(exp(2) / (exp(2) + 1)), -log(exp(3) / (exp(1) + exp(3)))
    assert in_batch(scores).item() == pytest.approx(sum(rows) / 2)
    halved = -log(exp(1) / (exp(1) + 1)), -log(exp(1.5) / (exp(0.5) + exp(1.5)))
    assert in_batch(scores, temperature=2.0).item() == pytest.approx(sum(halved) / 2)


def test_log_q_by_hand() -> None:
    scores, log_q = torch.tensor([[2.0, 0.0], [1.0, 3.0]]), torch.tensor([0.5, 0.25]).log()
    # exp(s − log q) = exp(s) / q: columns count 2 and 4 times.
    rows = -log(2 * exp(2) / (2 * exp(2) + 4)), -log(4 * exp(3) / (2 * exp(1) + 4 * exp(3)))
    assert in_batch(scores, log_q=log_q).item() == pytest.approx(sum(rows) / 2)
    assert in_batch(scores, log_q=log_q + 7).item() == pytest.approx(sum(rows) / 2, rel=1e-5)


def test_what_belongs_together_is_no_negative_and_the_diagonal_always_counts() -> None:
    scores = torch.tensor([[2.0, 0.0, 1.0], [1.0, 3.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    excluded = torch.tensor([[True, True, False], [False, True, False], [True, True, True]])
    rows = -log(exp(2) / (exp(2) + exp(1))), -log(exp(3) / (exp(1) + exp(3) + 1)), 0.0
    loss = in_batch(scores, excluded=excluded)
    assert loss.item() == pytest.approx(sum(rows) / 3, abs=1e-6)
    loss.backward()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0, 1] == 0


def test_it_is_sampled_softmax_with_the_rest_of_the_row() -> None:
    scores = torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
    rest = scores[~torch.eye(6, dtype=torch.bool)].view(6, 5)
    assert in_batch(scores).item() == pytest.approx(sampled_softmax(scores.diagonal(), rest).item(), rel=1e-5)


def test_aligned_by_hand() -> None:
    one, other = torch.tensor([[2.0, 0.0], [0.0, 5.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    r = 1 / sqrt(2)  # cosines: [[1, r], [0, r]]
    there = -log(exp(1) / (exp(1) + exp(r))) - log(exp(r) / (1 + exp(r)))
    back = -log(exp(1) / (exp(1) + 1)) - log(exp(r) / (exp(r) + exp(r)))
    assert aligned(one, other, temperature=1.0).item() == pytest.approx((there + back) / 4)
    assert aligned(one, other, 1.0, torch.tensor([[False, True], [False, False]])).item() == pytest.approx(
        (-log(exp(r) / (1 + exp(r))) - log(exp(1) / (exp(1) + 1))) / 4
    )


def test_excluded_pairs_are_turned_with_the_direction() -> None:
    draw = torch.Generator().manual_seed(1)
    one, other = (torch.randn(5, 3, generator=draw) for _ in range(2))
    excluded = torch.rand(5, 5, generator=draw) < 0.3
    assert aligned(one, other, 0.5, excluded).item() == pytest.approx(aligned(other, one, 0.5, excluded.T).item())


def test_same() -> None:
    assert same(torch.tensor([1, 2, 1])).tolist() == [[True, False, True], [False, True, False], [True, False, True]]


def learned_slope(corrected: bool) -> float:
    """Scores of 100 items that all users like by a Zipf law: how much a unit of true log-probability adds."""
    draw = np.random.default_rng(0)
    chance = 1.0 / np.arange(1, 101)
    chance /= chance.sum()
    truth, scores = torch.from_numpy(np.log(chance)), torch.zeros(100, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([scores], lr=0.05)
    for _ in range(600):
        met = torch.from_numpy(draw.choice(100, 64, p=chance))
        optimiser.zero_grad()
        in_batch(scores[met].expand(64, 64), log_q=truth[met] if corrected else None).backward()
        optimiser.step()
    return float(np.polyfit(truth.numpy(), scores.detach().numpy(), 1)[0])


def test_without_log_q_popular_items_score_too_low() -> None:
    assert learned_slope(corrected=True) == pytest.approx(1.0, abs=0.15)
    assert abs(learned_slope(corrected=False)) < 0.15
