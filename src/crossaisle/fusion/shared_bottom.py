"""Shared bottom: one network for all source domains, with a head for each (domain, event)."""

from __future__ import annotations

from dataclasses import dataclass

from ..data.world import World
from ..models.base import Base
from ..models.network import Network
from ..rng import seeded
from ..train.loop import train
from .common import rank_loss
from .ground import Ground, NetworkOptions
from .method import fusion


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
    ground = Ground.open(world, sources, options, seed)
    with seeded(seed, "shared_bottom"):
        network = Network(ground.sizes(), len(ground.tasks))
        groups = [{"params": list(network.parameters())}]
        done = train(
            options.phase(),
            network,
            groups,
            ground.sampler(),
            lambda b, _: {"rank": rank_loss(network, ground.content, b)},
        )
    return ground.base("shared_bottom", network, done)
