"""What of a tower a task has of its own: hidden vectors (n, h) of a tower → hidden vectors (n, h) for one task.

Task 0 is the shared one: what a domain gets that fusion has not seen. A design that keeps a row of a tensor for each
task names that tensor in `fresh`, with the value that makes a row say the same as task 0: so a network can grow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn


class Shared(nn.Module):
    """Nothing: all tasks see the same."""

    def forward(self, hidden: Tensor, task: int) -> Tensor:
        """`hidden` (n, h) as it is."""
        return hidden


Design = Callable[[int, int, int, int], nn.Module]
"""(width h, tasks, experts, tasks with experts of their own) → module of (hidden (n, h), task) → (n, h)."""

DESIGNS: Mapping[str, Design] = {"shared": lambda hidden, tasks, experts, own: Shared()}


def mixing_of(design: str, hidden: int, tasks: int, experts: int, own: int) -> nn.Module:
    """The module of `design` (see `Design`)."""
    return DESIGNS[design](hidden, tasks, experts, own)
