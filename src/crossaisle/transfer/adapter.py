"""Adapters: a small module for the target in each tower, in a base that stays as it is for everybody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..models.base import Base
from ..models.network import Network
from ..recommender import Recommender
from ..rng import seeded
from .method import transfer
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .thaw import own_head
from .tuning import Tuning, parameters, tune
from .zero_shot import base_of


@dataclass(frozen=True)
class AdapterOptions:
    """Options of `adapter`."""

    width: int = 16
    """Width of the adapters' inside."""
    rate: float = 5e-3
    """Learning rate of the head and the item corrections."""
    adapter_rate: float = 0.3
    """Learning rate of the adapters as a share of `rate`."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says; more for few events."""
    steps: int = 400
    """Most steps; users held out say when to stop."""

    search: ClassVar[Space] = {
        "width": (4, 8, 16, 32, 64),
        "rate": Range(5e-4, 0.05, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.width, self.steps) < 1 or min(self.rate, self.adapter_rate) <= 0 or self.penalty < 0:
            raise ValueError("width and steps ≥ 1, rate and adapter_rate > 0 and penalty ≥ 0 are needed.")


@transfer(
    "adapter",
    options=AdapterOptions,
    paper="Houlsby et al. 2019, Parameter-Efficient Transfer Learning for NLP, arXiv:1902.00751",
    when="some weeks of the target are there, and the base's own domains must be answered as before",
    cost="medium",
    needs=("base", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: AdapterOptions) -> Recommender:
    """Frozen towers with a bottleneck of the target's own in each, and a head and item corrections."""
    known = base_of(base)
    shop = Shop.open(known, problem)

    def fresh() -> Target:
        target = shop.newcomer()
        with seeded(problem.seed, "adapter"):
            return Target(with_bottleneck(target.network, options.width), len(problem.catalogue), target.task)

    def groups(target: Target) -> list[Mapping[str, Any]]:
        towers = (target.network.user, target.network.item)
        return [
            {"params": [*own_head(target), *parameters(target.items)]},
            {"params": list(parameters(*(t.adapter for t in towers))), "lr": options.rate * options.adapter_rate},
        ]

    target, facts = tune(fresh, groups, shop, Tuning(options.steps, options.rate, options.penalty), "adapter")
    return recommender_for(problem, "adapter", shop.scorer(target, "history"), fusion=known.fusion, **facts)


def with_bottleneck(network: Network, width: int) -> Network:
    """The same weights, with adapters of `width` in both towers that change nothing yet."""
    made = Network(dataclasses.replace(network.sizes, bottleneck=width), network.tasks)
    made.load_state_dict(made.state_dict() | network.state_dict())
    return made.eval()
