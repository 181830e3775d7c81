"""Multi-gate mixture of experts: the same experts for all tasks, weighed by each task's own gate."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.world import World
from ..models.base import Base
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import ranked


@dataclass(frozen=True)
class MmoeOptions(NetworkOptions):
    """Options of `mmoe`."""

    experts: int = 4
    """Experts in each tower; every task weighs all of them."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if self.experts < 2:
            raise ValueError("experts must be at least 2.")


@fusion(
    "mmoe",
    options=MmoeOptions,
    paper="Ma et al. 2018, Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts",
    when="domains conflict in part",
)
def fit(world: World, sources: tuple[str, ...], options: MmoeOptions, seed: int) -> Base:
    """Experts that all tasks share, a softmax gate for each task."""
    return ranked(Ground.open(world, sources, options, seed), "mmoe", "mmoe", options.experts)
