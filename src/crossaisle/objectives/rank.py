"""Ranking losses: tensors in, one scalar out; no model inside."""

from __future__ import annotations

import torch
from torch import Tensor


def sampled_softmax(positive: Tensor, negatives: Tensor, excluded: Tensor | None = None) -> Tensor:
    """Mean negative log-probability of the positive among itself and the negatives.

    L = −(1/n) Σ_u log( exp s_u⁺ / (exp s_u⁺ + Σ_j exp s_uj⁻) )

    With negatives drawn uniformly the optimum of s is log p(item | user) up to a constant, popularity included
    (Jean et al. 2015, arXiv:1412.2007, section 3; with another proposal q, subtract log q from the scores first).

    Args:
        positive: (n,) scores of the items that were met.
        negatives: (n, m) scores of drawn items.
        excluded: (n, m) True where a drawn item is no negative for that row (it is the positive).

    Returns:
        Scalar.
    """
    if excluded is not None:
        negatives = negatives.masked_fill(excluded, -torch.inf)
    total = torch.logaddexp(positive, torch.logsumexp(negatives, dim=1))
    return (total - positive).mean()
