"""What of a tower a task has of its own: hidden vectors (n, h) of a tower → hidden vectors (n, h) for one task.

Task 0 is the shared one: what a domain gets that fusion has not seen. A design that keeps a row of a tensor for each
task names that tensor in `fresh`, with the value that makes a row say the same as task 0: so a network can grow.

All designs add to what came in (h + …): the way through is open from the first step, and what a task shares with the
others need not be learned anew by each expert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear


class Shared(nn.Module):
    """Nothing: all tasks see the same."""

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """`hidden` (n, h) as it is."""
        return hidden


class Gates(nn.Module):
    """Logits of task t over k shared experts: (V_0 + V_t) h + a_0 + a_t; V_0 and a_0 are of all tasks, V_t all zero at
    first.
    """

    fresh: ClassVar[Mapping[str, float]] = {"weight": 0.0, "bias": 0.0}

    def __init__(self, hidden: int, tasks: int, experts: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(tasks, experts, hidden))
        self.bias = nn.Parameter(torch.zeros(tasks, experts))

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """(n, k) logits."""
        weight, bias = self.weight[0], self.bias[0]
        if task:
            weight, bias = weight + self.weight[task], bias + self.bias[task]
        return linear(hidden, weight, bias)


class Mixture(nn.Module):
    """Multi-gate mixture of experts: each task weighs the same experts by a gate of its own (Ma et al. 2018, eq. 6).

    h + Σ_k softmax(gates_t(h))_k · GELU(W_k h + c_k)
    """

    def __init__(self, hidden: int, tasks: int, experts: int) -> None:
        super().__init__()
        self.experts = nn.Linear(hidden, experts * hidden)
        self.gates = Gates(hidden, tasks, experts)

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """`hidden` (n, h) as `task` sees it."""
        return hidden + _weighed(self.gates(hidden, task), self.experts(hidden))


class Extraction(nn.Module):
    """Customised gate control, the layer of progressive layered extraction (Tang et al. 2020, section 4.1).

    A fused task t (1 … own) weighs k shared experts and k of its own; task 0 and later ones weigh the shared ones only:

        h + Σ_k g_tk · GELU(W_k h + c_k) [+ Σ_k g_tk′ · GELU(W_tk h + c_tk)],  g_t = softmax over all that are summed

    One layer: the towers have one, and a second would let the task's own experts into what the shared ones see.
    """

    def __init__(self, hidden: int, tasks: int, experts: int, own: int) -> None:
        super().__init__()
        self.experts = nn.Linear(hidden, experts * hidden)
        self.gates = Gates(hidden, tasks, experts)
        self.own = nn.ModuleList(nn.Linear(hidden, experts * hidden) for _ in range(own))
        self.own_gates = nn.ModuleList(nn.Linear(hidden, experts) for _ in range(own))

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """`hidden` (n, h) as `task` sees it."""
        logits, made = self.gates(hidden, task), self.experts(hidden)
        if 0 < task <= len(self.own):
            logits = torch.cat([logits, self.own_gates[task - 1](hidden)], dim=1)
            made = torch.cat([made, self.own[task - 1](hidden)], dim=1)
        return hidden + _weighed(logits, made)


class Star(nn.Module):
    """Star topology: a shared layer, and factors and shifts of each task's own (Sheng et al. 2021, eq. 4 and 5).

    h + GELU((W ∘ W_t) h + c + c_t),  W_t = 1 + scale_t,  c_t = shift_t; both neutral for task 0 and for later tasks

    Kept as 1 + scale_t, weight decay pulls a task to the shared layer and not to zero.
    """

    fresh: ClassVar[Mapping[str, float]] = {"scale": 0.0, "shift": 0.0}

    def __init__(self, hidden: int, tasks: int) -> None:
        super().__init__()
        self.centre = nn.Linear(hidden, hidden)
        self.scale = nn.Parameter(torch.zeros(tasks, hidden, hidden))
        self.shift = nn.Parameter(torch.zeros(tasks, hidden))

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """`hidden` (n, h) as `task` sees it."""
        centre = self.centre
        if not task:
            return hidden + gelu(centre(hidden))
        return hidden + gelu(linear(hidden, centre.weight * (1 + self.scale[task]), centre.bias + self.shift[task]))


def _weighed(logits: Tensor, made: Tensor) -> Tensor:
    """(n, h): Σ_k softmax(logits)_k · GELU(made_k) of logits (n, k) and what experts made (n, k · h), side by side."""
    gate = torch.softmax(logits, dim=1)
    parts = gelu(made).view(*gate.shape, made.shape[1] // gate.shape[1])
    return torch.bmm(gate[:, None, :], parts).squeeze(1)


Design = Callable[[int, int, int, int], nn.Module]
"""(width h, tasks, experts, tasks with experts of their own) → module of (hidden (n, h), task) → (n, h)."""

DESIGNS: Mapping[str, Design] = {
    "shared": lambda hidden, tasks, experts, own: Shared(),
    "mmoe": lambda hidden, tasks, experts, own: Mixture(hidden, tasks, experts),
    "ple": Extraction,
    "star": lambda hidden, tasks, experts, own: Star(hidden, tasks),
}


def mixing_of(design: str, hidden: int, tasks: int, experts: int, own: int) -> nn.Module:
    """The module of `design` (see `Design`)."""
    return DESIGNS[design](hidden, tasks, experts, own)
