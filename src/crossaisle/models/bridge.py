"""A bridge of one's own: from what a person had elsewhere to a map between two spaces of vectors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Had:
    """What n people had elsewhere: k events, each of a person (row) and an item, and the people's vectors.

    Attributes:
        rows: (k,) the person of each event.
        items: (k,) its item.
        weights: (k,) how much it says.
        vectors: (n, d) of the people.
    """

    rows: Tensor
    items: Tensor
    weights: Tensor
    vectors: Tensor


class PersonalBridge(nn.Module):
    """Zhu et al. 2022: a characteristic p_u by attention, a bridge W_u = g(p_u) by a meta network, x_u = W_u m_u.

    W_u = W + U tanh(C p_u + c) with `start` as the first W and 0 as the first U: training begins with one bridge for
    all, and what it adds is what is personal. W_u has one row more than d, for a constant.

    Args:
        items: (p, d) vectors of the items elsewhere; they are not trained.
        hidden: width of the attention and of the meta network.
        start: (d + 1, f) bridge to begin with.
    """

    def __init__(self, items: Tensor, hidden: int, start: Tensor) -> None:
        super().__init__()
        dim = items.shape[1]
        self.register_buffer("items", items, persistent=False)
        self.shape = start.shape
        self.attention = nn.Sequential(nn.Linear(dim, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))
        self.meta = nn.Linear(dim, hidden)
        self.personal = nn.Parameter(torch.zeros(hidden, start.numel()))
        self.shared = nn.Parameter(start.reshape(-1).clone())

    def attended(self) -> Tensor:
        """(p,) exp of what the attention makes of each item; it is the same for whoever had it."""
        logits: Tensor = self.attention(self.items).squeeze(1)
        return torch.exp(logits - logits.max())

    def forward(self, had: Had) -> Tensor:
        """(n, f) vectors on the other side."""
        worth = self.attended()[had.items] * had.weights
        pooled = had.vectors.new_zeros(had.vectors.shape)
        pooled = pooled.index_add(0, had.rows, worth[:, None] * self.get_buffer("items")[had.items])
        total = had.vectors.new_zeros(len(had.vectors)).index_add(0, had.rows, worth)
        said = torch.tanh(self.meta(pooled / total[:, None]))
        bridges = (self.shared + said @ self.personal).view(-1, *self.shape)
        constant = torch.ones_like(had.vectors[:, :1])
        return torch.einsum("nd,ndf->nf", torch.cat([had.vectors, constant], dim=1), bridges)
