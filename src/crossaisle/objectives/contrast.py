"""Contrastive losses: a pair that belongs together against the pairs of the same batch; no model inside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def in_batch(
    scores: Tensor, temperature: float = 1.0, log_q: Tensor | None = None, excluded: Tensor | None = None
) -> Tensor:
    """InfoNCE with the other keys of the batch as negatives, and the log-Q correction.

    L = −(1/n) Σ_a log( exp s'_aa / Σ_b exp s'_ab ),  s'_ab = s_ab / τ − log Q_b

    Keys that come often are negatives often. Without the correction the optimum of s / τ is log p(b | a) − log Q_b, so
    that popular keys score too low; with it the optimum is log p(b | a) up to a constant of each row (Yi et al. 2019,
    Sampling-Bias-Corrected Neural Modeling, eq. 3; van den Oord et al. 2018, arXiv:1807.03748, eq. 4).

    Args:
        scores: (n, n) of queries a and keys b; the diagonal holds the pairs that belong together.
        temperature: τ.
        log_q: (n,) log of the chance that a draw is key b; None where all are as likely.
        excluded: (n, n) True where b is no negative of a: it belongs to a as well. The diagonal counts in any case.

    Returns:
        Scalar.
    """
    ready = scores / temperature
    if log_q is not None:
        ready = ready - log_q
    if excluded is not None:
        own = torch.eye(len(ready), dtype=torch.bool)
        ready = ready.masked_fill(excluded & ~own, -torch.inf)
    return (torch.logsumexp(ready, dim=1) - ready.diagonal()).mean()


def aligned(one: Tensor, other: Tensor, temperature: float = 0.2, excluded: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE of two views by their cosine: each finds its counterpart among those of the batch.

    L = ½ (InfoNCE(cos(x, y) / τ) + InfoNCE(cos(y, x) / τ))

    (Radford et al. 2021, CLIP, figure 3; with two views of the same thing: Chen et al. 2020, SimCLR, eq. 1.)

    Args:
        one: (n, d) vectors.
        other: (n, d) vectors, row by row of the same things.
        temperature: τ; lower looks at the hardest negatives alone.
        excluded: (n, n) True where row a of `one` and row b of `other` belong together as well, and the reverse.

    Returns:
        Scalar.
    """
    cosine = normalize(one, dim=1) @ normalize(other, dim=1).T
    turned = None if excluded is None else excluded.T
    return (in_batch(cosine, temperature, None, excluded) + in_batch(cosine.T, temperature, None, turned)) / 2


def same(codes: Tensor) -> Tensor:
    """(n, n) True where two rows have one code: (n,) codes of users or items."""
    return codes[:, None] == codes[None, :]
