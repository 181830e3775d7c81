"""The last layers of a network: what a few steps on a few pairs may adapt, apart from all that comes before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .network import Network


class Last(nn.Module):
    """Hidden vectors of a network's towers → scores of the shared task.

    s(u, i) = ((U h_u) ∘ (1 + scale) + shift) · (V h_i + e_i) + w (b(h_i) + β_i)

    U, V and b are the network's own layers; scale, shift and w start as those of its shared head.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.user, self.item, self.bias = network.user.vector, network.item.vector, network.item.bias
        heads = network.heads
        self.scale, self.shift, self.weight = (
            nn.Parameter(rows[0].detach().clone()) for rows in (heads.scale, heads.shift, heads.weight)
        )

    def forward(self, people: Tensor, things: Tensor, vector: Tensor, bias: Tensor) -> Tensor:
        """(n, m) scores.

        Args:
            people: (n, h) hidden vectors of users.
            things: (m, h) hidden vectors of items.
            vector: (m, d) corrections e of item vectors.
            bias: (m,) corrections β of item biases.
        """
        users = self.user(people) * (1 + self.scale) + self.shift
        biases = self.bias(things).squeeze(-1) + bias
        scores: Tensor = users @ (self.item(things) + vector).T + self.weight * biases
        return scores

    def put(self, network: Network) -> None:
        """Make these the last layers of `network`, its shared head included."""
        pairs = ((network.user.vector, self.user), (network.item.vector, self.item), (network.item.bias, self.bias))
        for theirs, ours in pairs:
            theirs.load_state_dict(ours.state_dict())
        with torch.no_grad():
            network.heads.scale[0], network.heads.shift[0] = self.scale, self.shift
            network.heads.weight[0] = self.weight
