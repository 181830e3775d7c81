"""The entire-space loss against products written out, and at log-odds where plain arithmetic has no digits left."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from crossaisle.objectives.multitask import both_loss, esmm


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_by_hand() -> None:
    # p = 1/2, 3/4, 1/2; q = 1/4, 1/2, 1/2. Clicked: no, yes, yes. Bought: (without a click), no, yes.
    ctr, cvr = torch.tensor([0.0, log(3), 0.0]), torch.tensor([-log(3), 0.0, 0.0])
    click, both = esmm(ctr, cvr, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([1.0, 0.0, 1.0]))
    assert click.item() == pytest.approx(-(log(1 / 2) + log(3 / 4) + log(1 / 2)) / 3)
    assert both.item() == pytest.approx(-(log(7 / 8) + log(5 / 8) + log(1 / 4)) / 3)


def test_it_is_the_cross_entropy_of_the_product() -> None:
    draw = torch.Generator().manual_seed(0)
    a, b = (3 * torch.randn(50, generator=draw, dtype=torch.float64) for _ in range(2))
    happened = (torch.rand(50, generator=draw) < 0.5).double()
    written = torch.nn.functional.binary_cross_entropy(a.sigmoid() * b.sigmoid(), happened)
    assert both_loss(a, b, happened).item() == pytest.approx(written.item())
    ready = [t.requires_grad_() for t in (a, b)]
    found = torch.autograd.grad(both_loss(*ready, happened), ready)
    p, q = a.sigmoid(), b.sigmoid()
    # d/da of −z log p − (1 − z) log(1 − p q) with dp/da = p (1 − p).
    wanted = (-happened * (1 - p) + (1 - happened) * q * p * (1 - p) / (1 - p * q)) / 50
    assert torch.allclose(found[0], wanted)


@pytest.mark.parametrize("a", [-1e4, -90.0, 0.0, 90.0, 1e4])
@pytest.mark.parametrize("b", [-1e4, -90.0, 0.0, 90.0, 1e4])
@pytest.mark.parametrize("happened", [0.0, 1.0])
def test_extreme_log_odds_have_finite_loss_and_slope(a: float, b: float, happened: float) -> None:
    ready = [torch.tensor([x], requires_grad=True) for x in (a, b)]
    loss = both_loss(*ready, torch.tensor([happened]))
    slopes = torch.autograd.grad(loss, ready)
    assert torch.isfinite(loss)
    assert all(torch.isfinite(s).all() and (s.abs() <= 1).all() for s in slopes)


def test_near_certainty_the_loss_still_says_how_wrong_it_is() -> None:
    # 1 − σ(40)² = 2 exp(−40): float32 has no such p q < 1, and log1p(−p q) would be −inf.
    sure = torch.tensor([40.0])
    assert both_loss(sure, sure, torch.tensor([0.0])).item() == pytest.approx(40 - log(2), rel=1e-6)
    assert both_loss(-sure, sure, torch.tensor([1.0])).item() == pytest.approx(40, rel=1e-6)


def test_purchases_teach_the_second_head_where_nothing_was_clicked_and_never_through_bought_alone() -> None:
    second = torch.zeros(1, requires_grad=True)
    _, both = esmm(torch.zeros(1), second, torch.zeros(1), torch.ones(1))
    (slope,) = torch.autograd.grad(both, [second])
    assert slope.item() == pytest.approx(sigmoid(0) * sigmoid(0) * (1 - sigmoid(0)) / (1 - 1 / 4))
