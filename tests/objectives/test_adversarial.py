"""Adversarial losses against sums written out."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from crossaisle.objectives.adversarial import (
    conditioned,
    domain_loss,
    gradient_penalty,
    margins,
    mean_gap,
    reversed_gradient,
    rising,
    sureness,
)


def test_the_gradient_comes_back_reversed() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    made = reversed_gradient(x, 0.5)
    assert made.tolist() == [1.0, 2.0]
    (grad,) = torch.autograd.grad((made * torch.tensor([3.0, 4.0])).sum(), x)
    assert grad.tolist() == [-1.5, -2.0]


def test_the_schedule_rises_from_nothing_to_almost_one() -> None:
    assert rising(0.0) == 0.0
    assert rising(0.1) == pytest.approx(2 / (1 + exp(-1)) - 1)
    assert 0.9999 < rising(1.0) < 1.0


def test_domain_loss_by_hand() -> None:
    """Two rows of domain 0, one of domain 1, none of domain 2: each domain that is there has half of the weight."""
    logits = torch.tensor([[0.0, 0.0, 0.0], [log(2.0), 0.0, 0.0], [0.0, log(4.0), 0.0]])
    domain = torch.tensor([0, 0, 1])
    first, second, third = log(3), log(4 / 2), log(6 / 4)
    assert domain_loss(logits, domain).item() == pytest.approx(((first + second) / 2 + third) / 2)
    weighted = domain_loss(logits, domain, torch.tensor([3.0, 1.0, 9.0]))
    assert weighted.item() == pytest.approx(((3 * first + second) / 4 + third) / 2)


def test_conditioning_by_hand_and_at_random() -> None:
    features, predicted = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.25, 0.75]])
    assert conditioned(features, predicted).tolist() == [[0.25, 0.75, 0.5, 1.5]]
    draw = torch.Generator().manual_seed(0)
    f, g = torch.randn(2, 5, generator=draw), torch.rand(2, 4, generator=draw)
    maps = (torch.randn(5, 40_000, generator=draw), torch.randn(4, 40_000, generator=draw))
    exact, random = (conditioned(f, g, m) for m in (None, maps))
    assert (random @ random.T).flatten().tolist() == pytest.approx(
        (exact @ exact.T).flatten().tolist(), rel=0.1, abs=0.1
    )


def test_sure_predictions_count_twice() -> None:
    found = sureness(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    assert found.tolist() == pytest.approx([2.0, 1 + exp(-log(2))])


def test_margins_and_gaps_by_hand() -> None:
    logits = torch.tensor([[3.0, 1.0, 5.0], [0.0, 2.0, 4.0]])
    assert margins(logits, torch.tensor([0, 2])).tolist() == [0.0, 3.0]
    assert mean_gap(torch.tensor([1.0, 5.0, 2.0]), torch.tensor([0, 1, 3])).item() == 2.5


def test_the_penalty_measures_the_slope_and_moves_the_critic() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    points = torch.randn(6, 2, requires_grad=True)
    for slope, wanted in ((1.0, 16.0), (0.0, 25.0)):
        penalty = gradient_penalty(points @ weight, points, slope)
        assert penalty.item() == pytest.approx(wanted)
        (grad,) = torch.autograd.grad(penalty, weight)
        assert grad.tolist() == pytest.approx([2 * wanted**0.5 * 0.6, 2 * wanted**0.5 * 0.8])


def test_a_critic_on_a_line_finds_how_far_samples_are_apart() -> None:
    """W1 of {0, 1} and {3, 4} is 3: the best slope-1 critic is x itself."""
    x, y = torch.tensor([0.0, 1.0]), torch.tensor([3.0, 4.0])
    assert mean_gap(torch.cat([x, y]), torch.tensor([0, 0, 1, 1])).item() == 3.0
