"""Adversarial losses: what a discriminator gets better at, the features behind it get worse at. No model inside."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


class _Reversed(torch.autograd.Function):
    """Forward: the same; backward: the gradient times −strength (Ganin et al. 2016, eq. 13 and 14)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None


def reversed_gradient(x: Tensor, strength: float) -> Tensor:
    """`x`, whose gradient comes back times −`strength`."""
    made: Tensor = _Reversed.apply(x, strength)  # type: ignore[no-untyped-call]
    return made


def rising(progress: float) -> float:
    """λ(p) = 2 / (1 + exp(−10 p)) − 1, from 0 to 1 as progress p does (Ganin et al. 2016, section 5.2.2)."""
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


def domain_loss(logits: Tensor, domain: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross entropy of the domain that a discriminator names, each domain with the same weight in all.

    L = −(1/D) Σ_d Σ_{i of d} w_i log p(d | i) / Σ_{i of d} w_i,  over the D domains that are there

    Args:
        logits: (n, domains).
        domain: (n,) number of the domain of each row.
        weight: (n,) of the rows, at least 0; all the same when None.

    Returns:
        Scalar.
    """
    each = cross_entropy(logits, domain, reduction="none")
    weights = torch.ones_like(each) if weight is None else weight
    totals = weights.new_zeros(logits.shape[1]).index_add(0, domain, weights)
    shares = weights / totals[domain].clamp_min(1e-12)
    return (each * shares).sum() / (totals > 0).sum()


def conditioned(features: Tensor, predicted: Tensor, projections: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """What a discriminator reads that is to align p(feature, prediction) and not p(feature) alone (Long et al. 2018).

    Args:
        features: (n, d).
        predicted: (n, k) probabilities.
        projections: (d, r) and (k, r) random matrices with entries of unit variance; None for all products.

    Returns:
        (n, d · k) f ⊗ g (eq. 5), or (n, r) (R_f f ∘ R_g g) / √r (eq. 6), whose inner products have the same mean.
    """
    if projections is None:
        return (features[:, :, None] * predicted[:, None, :]).flatten(1)
    ours, theirs = projections
    return (features @ ours) * (predicted @ theirs) / math.sqrt(ours.shape[1])


def sureness(predicted: Tensor) -> Tensor:
    """(n,) 1 + exp(−H(g)) for probabilities g (n, k): rows whose prediction is sure count more (Long et al. 2018)."""
    entropy = -(predicted * predicted.clamp_min(1e-12).log()).sum(dim=1)
    return 1.0 + torch.exp(-entropy)


def mean_gap(values: Tensor, domain: Tensor) -> Tensor:
    """Mean of `values` (n,) where `domain` (n,) is above 0, less that where it is 0.

    For a critic with Lipschitz constant 1 its greatest value is the Wasserstein-1 distance (Shen et al. 2018, eq. 3).
    """
    return values[domain > 0].mean() - values[domain == 0].mean()


def margins(logits: Tensor, domain: Tensor) -> Tensor:
    """(n,) logit of the row's own domain less the mean of the others'; `logits` (n, domains ≥ 2), `domain` (n,)."""
    own = logits.gather(1, domain[:, None]).squeeze(1)
    return own - (logits.sum(dim=1) - own) / (logits.shape[1] - 1)


def gradient_penalty(values: Tensor, points: Tensor, slope: float) -> Tensor:
    """Mean (‖∇ value‖ − slope)² over points.

    With slope 1 it keeps a Wasserstein critic at Lipschitz constant 1 (Gulrajani et al. 2017; Shen et al. 2018, eq. 4).
    With slope 0 it keeps a discriminator from being so sure that it teaches nothing (Mescheder et al. 2018, R1).

    Args:
        values: (n,) what a network makes of `points`, row by row.
        points: (n, d), with ``requires_grad``.
        slope: wanted.

    Returns:
        Scalar, differentiable in the network.
    """
    (found,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    return (found.square().sum(dim=1).add(1e-12).sqrt() - slope).square().mean()
