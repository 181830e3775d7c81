"""A self-attentive network over the content of what a person met, in order: no ids of items or people in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .network import ItemTower, Sizes


@dataclass(frozen=True)
class SequenceSizes:
    """Widths of a `SequenceNetwork`.

    Attributes:
        text: t, width of text vectors (0: no text).
        numeric: p, width of numeric vectors.
        levels: number of codes of each level column.
        dim: d, width of item vectors and of attention.
        hidden: width of the hidden layer of the item tower.
        heads: of attention; they share `dim`.
        layers: of attention.
        length: longest sequence that is read.
    """

    text: int
    numeric: int
    levels: tuple[int, ...]
    dim: int
    hidden: int
    heads: int
    layers: int
    length: int

    def to_meta(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> SequenceSizes:
        """The inverse of `to_meta`."""
        return cls(**{**meta, "levels": tuple(meta["levels"])})


class SequenceNetwork(nn.Module):
    """Items by their content, people by causal self-attention over the items they met, the latest last.

    Where the sequence stands in time is told by distances alone: head h adds r_h[i − j] to what place i hears of the
    earlier place j (Shaw et al. 2018, arXiv:1803.02155; a scalar as in Raffel et al. 2020), so that distance 0 is
    always the latest item, at every place that is trained. Before the first item stands a learned start, which alone
    answers people of whom nothing is known. Sequences stand at the left and are filled at the right: no place looks at
    what comes later, so the filling is never read.

    Args:
        sizes: widths.
        drop: share that dropout takes while training.
    """

    def __init__(self, sizes: SequenceSizes, drop: float = 0.0) -> None:
        super().__init__()
        width = Sizes(sizes.text, sizes.numeric, sizes.levels, 0, dim=sizes.dim, hidden=sizes.hidden)
        self.item = ItemTower(width, 1, drop)
        self.text = nn.Linear(sizes.text, sizes.dim, bias=False) if sizes.text else None
        with torch.no_grad():  # at first what is alike in words is near: all else has to be learned
            self.item.vector.weight *= 0.1
            if self.text is not None:
                nn.init.eye_(self.text.weight)
        self.distance = nn.Parameter(torch.zeros(sizes.heads, sizes.length + 1))
        self.start = nn.Parameter(torch.randn(sizes.dim) * 0.1)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                sizes.dim, sizes.heads, 2 * sizes.dim, drop, nn.functional.silu, batch_first=True, norm_first=True
            )
            for _ in range(sizes.layers)
        )
        self.last = nn.LayerNorm(sizes.dim)

    def items(self, text: Tensor, numeric: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Content of n items → vectors (n, d) of length 1, biases (n,): (W text + tower(content)) / ‖·‖."""
        vectors, biases = self.item(text, numeric, levels, 0)
        if self.text is not None:
            vectors = vectors + self.text(text)
        return normalize(vectors, dim=1), biases

    def forward(self, sequences: Tensor) -> Tensor:
        """Item vectors (n, l, d) of n people → (n, l + 1, d) of length 1: what is wanted after 0 to l items."""
        number, length, dim = sequences.shape
        heard = self._heard(length + 1).repeat(number, 1, 1)
        hidden = torch.cat([self.start.expand(number, 1, dim), sequences], dim=1) * dim**0.5
        for layer in self.layers:
            hidden = layer(hidden, src_mask=heard)
        return normalize(self.last(hidden), dim=2)

    def _heard(self, length: int) -> Tensor:
        """(heads, l, l) what is added to attention: by distance for earlier places, −∞ for later ones."""
        place = torch.arange(length)
        back = place[:, None] - place[None, :]
        return self.distance[:, back.clamp(min=0)].masked_fill(back < 0, -torch.inf)
