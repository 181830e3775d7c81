"""Losses of chained events: shown, clicked, bought; tensors in, scalars out, no model inside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid


def esmm(ctr: Tensor, cvr: Tensor, clicked: Tensor, bought: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of the entire-space loss, over everything that was shown; the paper's loss is their sum.

    L_ctr = −(1/n) Σ [ y log p + (1 − y) log(1 − p) ],  p = σ(a)
    L_ctcvr = −(1/n) Σ [ z log(p q) + (1 − z) log(1 − p q) ],  q = σ(b),  z = y · bought

    q has no loss of its own: it is what turns a click into a purchase, learned where nothing was clicked as well
    (Ma et al. 2018, Entire Space Multi-Task Model, arXiv:1804.07931, eq. 3).

    Args:
        ctr: (n,) log-odds a of a click.
        cvr: (n,) log-odds b of a purchase after a click.
        clicked: (n,) 1 where what was shown was clicked, else 0.
        bought: (n,) 1 where it was bought, else 0; without a click it does not count.
    """
    return binary_cross_entropy_with_logits(ctr, clicked), both_loss(ctr, cvr, clicked * bought)


def both_loss(first: Tensor, second: Tensor, happened: Tensor) -> Tensor:
    """Mean cross-entropy of (n,) `happened` and the product σ(first) σ(second); finite for any finite log-odds."""
    yes = logsigmoid(first) + logsigmoid(second)
    # 1 − p q = (1 − p) + p (1 − q): a sum of positive numbers, where log1p(−p q) would lose all digits near p q = 1.
    no = torch.logaddexp(logsigmoid(-first), logsigmoid(first) + logsigmoid(-second))
    return -torch.lerp(no, yes, happened).mean()
