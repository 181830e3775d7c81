"""Diffusion of a vector that is told x_0 (Ho et al. 2020; for recommendation Wang et al. 2023): no model inside.

ᾱ_t is the share of x_0's variance that is kept after t of T steps: ᾱ_0 = 1, falling. SNR(t) = ᾱ_t / (1 − ᾱ_t).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def linear_variance(steps: int, scale: float, low: float, high: float) -> Tensor:
    """ᾱ_0 to ᾱ_T, (steps + 1,) float64: 1 − ᾱ_t = scale · (low + (t − 1) / (T − 1) · (high − low)) for t ≥ 1.

    Raises:
        ValueError: the variance is not in (0, 1), or does not rise.
    """
    if steps < 1 or not 0 < scale * low < 1 or (steps > 1 and not low < high) or scale * high >= 1:
        raise ValueError(
            f"{steps} steps of noise of variance {scale} · ({low} to {high}); at least one step is needed, and "
            "0 < scale · low < scale · high < 1."
        )
    gone = scale * torch.linspace(low, high, steps, dtype=torch.float64) if steps > 1 else torch.tensor([scale * low])
    return torch.cat([torch.ones(1, dtype=torch.float64), 1.0 - gone.double()])


def noised(x0: Tensor, t: Tensor, kept: Tensor, noise: Tensor) -> Tensor:
    """x_t drawn from q(x_t | x_0): √ᾱ_t x_0 + √(1 − ᾱ_t) ε.

    Args:
        x0: (n, d).
        t: (n,) steps, 0 to T.
        kept: (T + 1,) see `linear_variance`.
        noise: (n, d) ε, standard normal.
    """
    share = kept[t][:, None]
    return share.sqrt().to(x0.dtype) * x0 + (1.0 - share).sqrt().to(x0.dtype) * noise


def posterior_mean(x_t: Tensor, x0: Tensor, t: int, kept: Tensor) -> Tensor:
    """Mean of q(x_{t−1} | x_t, x_0), with α_t = ᾱ_t / ᾱ_{t−1}; at t = 1 it is x_0.

    μ = √ᾱ_{t−1} (1 − α_t) / (1 − ᾱ_t) · x_0 + √α_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t) · x_t
    """
    before, now = float(kept[t - 1]), float(kept[t])
    alpha = now / before
    of_start = math.sqrt(before) * (1.0 - alpha) / (1.0 - now)
    of_now = math.sqrt(alpha) * (1.0 - before) / (1.0 - now)
    return of_start * x0 + of_now * x_t


def elbo_weights(kept: Tensor) -> Tensor:
    """(T,) float64 weights of ‖x̂_0(x_t, t) − x_0‖² in the negative ELBO: 1 at t = 1, then ½ (SNR(t − 1) − SNR(t)).

    The paper's x_0-parametrisation; T = 1 leaves the loss of a denoising autoencoder.
    """
    ratio = kept[1:] / (1.0 - kept[1:])
    return torch.cat([torch.ones(1, dtype=kept.dtype), 0.5 * (ratio[:-1] - ratio[1:])])


def diffusion_loss(found: Tensor, x0: Tensor, weights: Tensor) -> Tensor:
    """Mean over n of w_i ‖x̂_i − x_i‖²: with t uniform and w = `elbo_weights`[t − 1] it estimates ELBO / T.

    Args:
        found: (n, d) x̂_0(x_t, t).
        x0: (n, d).
        weights: (n,).
    """
    return (weights.to(x0.dtype) * (found - x0).square().sum(dim=1)).mean()


def multinomial_loss(scores: Tensor, events: Tensor) -> Tensor:
    """Mean over n of −Σ_i x_i log softmax(s)_i (Liang et al. 2018, VAE for collaborative filtering)."""
    return -(events * torch.log_softmax(scores, dim=1)).sum(dim=1).mean()


def normal_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean over n of KL(N(m, σ²) ‖ N(0, 1)) = ½ Σ_j (m_j² + σ_j² − 1 − log σ_j²)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1).mean()
