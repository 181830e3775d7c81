"""Diffusion against numbers by hand, and against the Gaussians it stands for."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.objectives.diffusion import (
    diffusion_loss,
    elbo_weights,
    linear_variance,
    multinomial_loss,
    noised,
    normal_kl,
    posterior_mean,
)  # fmt: skip

SCHEDULES = st.tuples(st.integers(1, 60), st.floats(1e-4, 1.0), st.floats(1e-3, 0.4), st.floats(0.5, 0.99))


def test_variance_by_hand() -> None:
    assert linear_variance(3, 0.1, 0.1, 0.5).tolist() == pytest.approx([1.0, 0.99, 0.97, 0.95])
    assert linear_variance(1, 0.1, 0.1, 0.5).tolist() == pytest.approx([1.0, 0.99])


@given(SCHEDULES)
def test_ever_less_is_kept_and_every_weight_is_positive(schedule: tuple[int, float, float, float]) -> None:
    kept = linear_variance(*schedule)
    assert len(kept) == schedule[0] + 1
    assert (kept.diff() < 0).all()
    assert ((kept > 0) & (kept <= 1)).all()
    assert (elbo_weights(kept) > 0).all()


@pytest.mark.parametrize("wrong", [(0, 0.1, 0.1, 0.5), (2, 0.1, 0.5, 0.5), (2, 0.0, 0.1, 0.5), (2, 3.0, 0.1, 0.5)])
def test_schedules_that_mean_nothing_are_refused(wrong: tuple[int, float, float, float]) -> None:
    with pytest.raises(ValueError, match="scale · low"):
        linear_variance(*wrong)


def test_noise_by_hand_and_none_before_the_first_step() -> None:
    kept = torch.tensor([1.0, 0.64], dtype=torch.float64)
    x0, noise = torch.tensor([[2.0], [2.0]]), torch.tensor([[1.0], [1.0]])
    assert noised(x0, torch.tensor([0, 1]), kept, noise).ravel().tolist() == pytest.approx([2.0, 0.8 * 2 + 0.6])


@given(SCHEDULES, st.floats(-3, 3), st.floats(-3, 3))
def test_the_posterior_mean_is_that_of_two_gaussians(
    schedule: tuple[int, float, float, float], start: float, now: float
) -> None:
    kept = linear_variance(*schedule)
    for t in {1, len(kept) // 2, len(kept) - 1} - {0}:
        before, after = float(kept[t - 1]), float(kept[t])
        got = float(posterior_mean(torch.tensor([now]).double(), torch.tensor([start]).double(), t, kept))
        if t == 1:
            assert got == pytest.approx(start)
            continue
        # q(x_{t-1} | x_0) has mean √ᾱ x_0; x_t = √α x_{t-1} + noise says x_t / √α of x_{t-1}: weigh by precisions
        alpha = after / before
        here, there = 1 / (1 - before), alpha / (1 - alpha)
        expected = (here * sqrt(before) * start + there * now / sqrt(alpha)) / (here + there)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-6)  # terms of up to 3 may cancel


def test_weights_by_hand() -> None:
    kept = torch.tensor([1.0, 0.9, 0.8], dtype=torch.float64)  # SNR: infinite, 9, 4
    assert elbo_weights(kept).tolist() == pytest.approx([1.0, 2.5])


def test_weights_are_divergences_of_posteriors() -> None:
    kept = linear_variance(4, 0.5, 0.2, 0.9)
    x_t, x0, guess = (torch.tensor([v]).double() for v in (0.3, 1.0, 0.4))
    for t in (2, 3, 4):
        before, after = float(kept[t - 1]), float(kept[t])
        variance = (1 - after / before) * (1 - before) / (1 - after)
        apart = posterior_mean(x_t, x0, t, kept) - posterior_mean(x_t, guess, t, kept)
        assert float(apart**2 / (2 * variance)) == pytest.approx(float(elbo_weights(kept)[t - 1]) * 0.6**2)


def test_one_step_is_a_denoising_autoencoder() -> None:
    kept = linear_variance(1, 0.1, 0.5, 0.5)
    x0, found = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.5, 0.0], [1.0, 2.0]])
    plain = (0.25 + 1.0) / 2
    assert diffusion_loss(found, x0, elbo_weights(kept)[torch.tensor([0, 0])]).item() == pytest.approx(plain)
    assert torch.equal(posterior_mean(x0, found, 1, kept), found)


def test_losses_of_latents_by_hand() -> None:
    scores, events = torch.tensor([[0.0, log(3.0)]]), torch.tensor([[1.0, 2.0]])
    assert multinomial_loss(scores, events).item() == pytest.approx(-(log(1 / 4) + 2 * log(3 / 4)))
    none = torch.zeros(2, 3)
    assert normal_kl(none, none).item() == 0
    assert normal_kl(torch.tensor([[2.0]]), torch.tensor([[log(4.0)]])).item() == pytest.approx(
        0.5 * (4 + 4 - 1 - log(4.0))
    )
