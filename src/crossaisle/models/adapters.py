"""Small parts that learn inside a frozen network: low-rank changes of its matrices, bottlenecks between its layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """W → W + scale · B A (Hu et al. 2022, eq. 3). B is zero at first: W starts as it is.

    Args:
        rows: of W.
        columns: of W.
        rank: r, of the change; at most that of W.
        scale: α / r.
    """

    def __init__(self, rows: int, columns: int, rank: int, scale: float) -> None:
        super().__init__()
        within = min(rank, rows, columns)
        self.down = nn.Parameter(torch.randn(within, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, within))
        self.scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        """The changed (rows, columns) of `weight`."""
        return weight + self.scale * (self.up @ self.down)


def add_low_rank(module: nn.Module, rank: int, alpha: float) -> None:
    """Put a `LowRank` change of its own on the weight of every Linear inside `module`, in place."""
    for layer in [m for m in module.modules() if isinstance(m, nn.Linear)]:
        change = LowRank(layer.out_features, layer.in_features, rank, alpha / rank)
        parametrize.register_parametrization(layer, "weight", change)


def low_rank_parameters(module: nn.Module) -> Iterator[nn.Parameter]:
    """A and B of every change inside `module`."""
    for part in module.modules():
        if isinstance(part, LowRank):
            yield from part.parameters()


def merge_low_rank(module: nn.Module) -> None:
    """Make the changes part of the weights, in place: W ← W + scale · B A, and nothing else is left of them."""
    for layer in [m for m in module.modules() if isinstance(m, nn.Linear) and parametrize.is_parametrized(m)]:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


class Bottleneck(nn.Module):
    """An adapter for each task but the shared one (Houlsby et al. 2019, fig. 2): h + gelu(h D_t + c_t) U_t + e_t.

    U and e are zero at first: h stays as it is, for all tasks.

    Args:
        tasks: number of tasks.
        hidden: h, width of what comes in and goes out.
        width: of the bottleneck.
    """

    fresh: ClassVar[Mapping[str, float]] = {"down": 0.0, "inner": 0.0, "up": 0.0, "outer": 0.0}

    def __init__(self, tasks: int, hidden: int, width: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(tasks, hidden, width) / hidden**0.5)
        self.inner = nn.Parameter(torch.zeros(tasks, width))
        self.up = nn.Parameter(torch.zeros(tasks, width, hidden))
        self.outer = nn.Parameter(torch.zeros(tasks, hidden))

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """(n, h) of `hidden` (n, h) as `task` sees it."""
        if not task:
            return hidden
        inner = gelu(hidden @ self.down[task] + self.inner[task])
        return hidden + inner @ self.up[task] + self.outer[task]
