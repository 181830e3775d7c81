"""Fine-tuning: the base goes on learning on the target, carefully."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..models.base import Base
from ..recommender import Recommender
from .method import transfer
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .tuning import Tuning, parameters, tune
from .zero_shot import base_of

Part = Literal["head", "items", "user", "item"]


@dataclass(frozen=True)
class FinetuneOptions:
    """Options of `finetune`."""

    unfreeze: tuple[Part, ...] = ("head", "items", "user")
    """What learns: the target's head, its item corrections, the user tower, the item tower."""
    rate: float = 5e-3
    """Learning rate of the head and the item corrections."""
    tower_rate: float = 0.1
    """Learning rate of the towers as a share of `rate`: what is general moves slowly."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says; more for few events."""
    steps: int = 400
    """Most steps; users held out say when to stop."""
    valid_share: float = 0.2
    """Share of the target's users that decides when to stop."""
    patience: int = 4
    """Looks without improvement before stopping."""

    search: ClassVar[Space] = {
        "rate": Range(5e-4, 0.05, log=True),
        "tower_rate": Range(0.01, 1.0, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.steps < 1 or self.rate <= 0 or self.penalty < 0 or not 0 < self.valid_share < 1:
            raise ValueError("steps ≥ 1, rate > 0, penalty ≥ 0 and valid_share between 0 and 1 are needed.")
        if not self.unfreeze:
            raise ValueError("unfreeze is empty; name at least one of head, items, user, item.")


@transfer(
    "finetune",
    options=FinetuneOptions,
    paper="Howard & Ruder 2018, ULMFiT (discriminative rates), arXiv:1801.06146",
    when="some weeks of the target are there",
    cost="medium",
    needs=("base", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: FinetuneOptions) -> Recommender:
    """The base goes on learning on the target: new head, item corrections, towers at a lower rate."""
    known = base_of(base)
    shop = Shop.open(known, problem)

    def groups(target: Target) -> list[Mapping[str, Any]]:
        slow = options.rate * options.tower_rate
        parts: dict[Part, Mapping[str, Any]] = {
            "head": {"params": list(parameters(target.network.heads))},
            "items": {"params": list(parameters(target.items))},
            "user": {"params": list(parameters(target.network.user)), "lr": slow},
            "item": {"params": list(parameters(target.network.item)), "lr": slow},
        }
        return [parts[name] for name in dict.fromkeys(options.unfreeze)]

    tuning = Tuning(
        options.steps, options.rate, options.penalty, valid_share=options.valid_share, patience=options.patience
    )
    target, facts = tune(shop.newcomer, groups, shop, tuning, "finetune")
    return recommender_for(problem, "finetune", shop.scorer(target, "history"), fusion=known.fusion, **facts)
