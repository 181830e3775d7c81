"""LoRA: the base's matrices change by matrices of low rank, which become part of them in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..models.adapters import add_low_rank, low_rank_parameters, merge_low_rank
from ..models.base import Base
from ..recommender import Recommender
from ..rng import seeded
from .method import transfer
from .moved import layers_moved
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .thaw import own_head
from .tuning import Tuning, parameters, tune
from .zero_shot import base_of


@dataclass(frozen=True)
class LoraOptions:
    """Options of `lora`."""

    rank: int = 4
    """Rank of the change of every matrix."""
    alpha: float = 8.0
    """Size of the changes: they count alpha / rank."""
    rate: float = 5e-3
    """Learning rate of the head and the item corrections."""
    low_rank_rate: float = 0.3
    """Learning rate of the changes as a share of `rate`."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says; more for few events."""
    steps: int = 400
    """Most steps; users held out say when to stop."""

    search: ClassVar[Space] = {
        "rank": (1, 2, 4, 8, 16),
        "rate": Range(5e-4, 0.05, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.rank < 1 or self.steps < 1 or min(self.alpha, self.rate, self.low_rank_rate) <= 0 or self.penalty < 0:
            raise ValueError("rank and steps ≥ 1, alpha, rate and low_rank_rate > 0 and penalty ≥ 0 are needed.")


@transfer(
    "lora",
    options=LoraOptions,
    paper="Hu et al. 2022, LoRA: Low-Rank Adaptation of Large Language Models, arXiv:2106.09685",
    when="some weeks of the target are there",
    cost="medium",
    needs=("base", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: LoraOptions) -> Recommender:
    """Frozen towers whose matrices change by low rank, with a head and item corrections of the target's own."""
    known = base_of(base)
    shop = Shop.open(known, problem)

    def fresh() -> Target:
        target = shop.newcomer()
        with seeded(problem.seed, "lora"):
            for tower in (target.network.user, target.network.item):
                add_low_rank(tower, options.rank, options.alpha)
        return target

    def groups(target: Target) -> list[Mapping[str, Any]]:
        changes = list(low_rank_parameters(target.network))
        return [
            {"params": [*own_head(target), *parameters(target.items)]},
            {"params": changes, "lr": options.rate * options.low_rank_rate},
        ]

    target, facts = tune(fresh, groups, shop, Tuning(options.steps, options.rate, options.penalty), "lora")
    merge_low_rank(target.network)
    facts["layers"] = layers_moved(shop, target)
    return recommender_for(problem, "lora", shop.scorer(target, "history"), fusion=known.fusion, **facts)
