"""Networks that stand against the towers in training and are thrown away afterwards."""

from __future__ import annotations

from torch import Tensor, nn


class Discriminator(nn.Module):
    """Vectors (n, d) → logits (n, k) of the domain they are of."""

    def __init__(self, dim: int, hidden: int, domains: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, domains)
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, k)."""
        logits: Tensor = self.layers(vectors)
        return logits
