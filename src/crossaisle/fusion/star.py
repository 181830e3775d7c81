"""Star topology: a shared layer in the centre, each task multiplies its weights by its own."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.world import World
from ..models.base import Base
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import ranked


@dataclass(frozen=True)
class StarOptions(NetworkOptions):
    """Options of `star`."""


@fusion(
    "star",
    options=StarOptions,
    paper="Sheng et al. 2021, One Model to Serve All: Star Topology Adaptive Recommender, arXiv:2101.11427",
    when="many domains, some with little data",
)
def fit(world: World, sources: tuple[str, ...], options: StarOptions, seed: int) -> Base:
    """A shared layer whose weights each task multiplies by its own."""
    return ranked(Ground.open(world, sources, options, seed), "star", "star")
