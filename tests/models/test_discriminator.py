"""The network that is played against."""

from __future__ import annotations

import torch

from crossaisle.models.discriminator import Discriminator
from crossaisle.objectives.adversarial import domain_loss


def test_it_learns_what_no_line_tells_apart() -> None:
    torch.manual_seed(0)
    x = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    domain = torch.tensor([0, 0, 1, 1])
    made = Discriminator(2, 16, 2)
    optimiser = torch.optim.AdamW(made.parameters(), lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        domain_loss(made(x), domain).backward()
        optimiser.step()
    assert made(x).argmax(dim=1).tolist() == domain.tolist()
