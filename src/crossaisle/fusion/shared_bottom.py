"""Shared bottom: one network for all source domains, with a head for each (domain, event)."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.world import World
from ..models.base import Base
from .ground import Ground, NetworkOptions
from .method import fusion
from .multitask import ranked


@dataclass(frozen=True)
class SharedBottomOptions(NetworkOptions):
    """Options of `shared_bottom`."""


@fusion(
    "shared_bottom",
    options=SharedBottomOptions,
    paper="Caruana 1997, Multitask Learning; sampled softmax as in Jean et al. 2015",
    when="the first base to try; other fusions have to beat it",
)
def fit(world: World, sources: tuple[str, ...], options: SharedBottomOptions, seed: int) -> Base:
    """One network for all source domains, a head for each (domain, event)."""
    return ranked(Ground.open(world, sources, options, seed), "shared_bottom")
