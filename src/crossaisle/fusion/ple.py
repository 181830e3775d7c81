"""Progressive layered extraction, one layer: shared experts, and experts of each task's own."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.world import World
from ..models.base import Base
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import ranked


@dataclass(frozen=True)
class PleOptions(NetworkOptions):
    """Options of `ple`."""

    experts: int = 2
    """Experts in each tower that all tasks share, and as many of each task's own."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if self.experts < 1:
            raise ValueError("experts must be at least 1.")


@fusion(
    "ple",
    options=PleOptions,
    paper="Tang et al. 2020, Progressive Layered Extraction (PLE), section 4.1",
    when="domains conflict and each has data enough for experts of its own",
)
def fit(world: World, sources: tuple[str, ...], options: PleOptions, seed: int) -> Base:
    """Shared experts, and experts of each task's own that no other task trains."""
    ground = Ground.open(world, sources, options, seed)
    return ranked(ground, "ple", "ple", options.experts, own=len(ground.tasks) - 1)
