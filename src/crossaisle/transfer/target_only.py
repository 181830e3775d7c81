"""Target only: the same network without any other domain, the yardstick of every transfer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ..encoders.content import ContentOptions
from ..fusion import shared_bottom
from ..fusion.shared_bottom import SharedBottomOptions
from ..models.base import Base
from ..models.profile import Profiles
from ..recommender import Recommender
from .method import transfer
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .tuning import Tuning, parameters, tune


@dataclass(frozen=True)
class TargetOnlyOptions:
    """Options of `target_only`."""

    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read, as in fusion."""
    first_steps: int = 300
    """Steps of the first phase, which trains the whole network as fusion does, on the target alone."""
    steps: int = 300
    """Most steps of the second phase, which adds item corrections and stops by held-out users."""
    rate: float = 5e-3
    """Learning rate of the second phase."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says."""

    search: ClassVar[Space] = {
        "rate": Range(5e-4, 0.05, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.first_steps, self.steps) < 1 or self.rate <= 0 or self.penalty < 0:
            raise ValueError("first_steps and steps ≥ 1, rate > 0 and penalty ≥ 0 are needed.")


@transfer(
    "target_only",
    options=TargetOnlyOptions,
    paper="the same network as the transfers, trained on the target alone",
    when="always in the table, as a control",
    cost="medium",
    needs=("target_interactions",),
    control=True,
    random=True,
)
def fit(_: Base | None, problem: Problem, options: TargetOnlyOptions) -> Recommender:
    """The same network, trained on the target alone: what transfer has to beat."""
    alone = by_itself(problem)
    network = SharedBottomOptions(steps=options.first_steps, launch=0.3, content=options.content)
    base = shared_bottom.fit(alone.world, (alone.target,), network, alone.seed)
    base = dataclasses.replace(base, profiles=_of_target(base.profiles, alone))
    shop = Shop.open(base, alone)

    def make() -> Target:
        return Target(base.network(), len(problem.catalogue), 1)

    def groups(target: Target) -> list[Mapping[str, Any]]:
        return [{"params": list(parameters(target.network.heads, target.items))}]

    tuning = Tuning(options.steps, options.rate, options.penalty)
    target, facts = tune(make, groups, shop, tuning, "target_only")
    return recommender_for(problem, "target_only", shop.scorer(target, "history"), **facts)


def by_itself(problem: Problem) -> Problem:
    """`problem` as if there were no other domain."""
    world = dataclasses.replace(problem.world, interactions=problem.target_rows)
    split = dataclasses.replace(problem.split, train=problem.target_rows)
    return dataclasses.replace(problem, world=world, sources=(), split=split)


def _of_target(profiles: Profiles, problem: Problem) -> Profiles:
    """Profiles that read the target's items and no others."""
    rarity = np.zeros_like(profiles.rarity)
    rarity[problem.catalogue] = profiles.rarity[problem.catalogue]
    return dataclasses.replace(profiles, rarity=rarity)
