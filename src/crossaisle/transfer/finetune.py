"""Fine-tuning: the base goes on learning on the target, carefully."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..models.base import Base
from ..recommender import Recommender
from .method import transfer
from .moved import layers_moved
from .network import Shop
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .thaw import Pace, Part, thawed
from .tuning import Tuning, tune
from .zero_shot import base_of


@dataclass(frozen=True)
class FinetuneOptions:
    """Options of `finetune`."""

    unfreeze: tuple[Part, ...] = ("head", "items", "user")
    """What learns: the target's head, its item corrections, the user tower, the item tower, or, of both towers, only
    what is added and the LayerNorms (bias)."""
    rate: float = 5e-3
    """Learning rate of the head and the item corrections."""
    tower_rate: float = 0.1
    """Learning rate of the towers as a share of `rate`: what is general moves slowly."""
    layer_rate: float = 1.0
    """Learning rate of each layer of a tower as a share of that of the layer after it."""
    schedule: Literal["all", "gradual"] = "all"
    """Whether all that learns does so from the first step, or one layer after the other, last layers first."""
    stage: int = 40
    """Steps from one layer to the next where the schedule is gradual."""
    l2_sp: float = 0.0
    """Pull of the network's weights to where they start; more for few events."""
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
            raise ValueError("unfreeze is empty; name at least one of head, items, user, item, bias.")
        if min(self.tower_rate, self.layer_rate) <= 0 or self.l2_sp < 0 or self.stage < 1:
            raise ValueError("tower_rate and layer_rate > 0, l2_sp ≥ 0 and stage ≥ 1 are needed.")


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

    pace = Pace(
        options.rate, options.tower_rate, options.layer_rate, options.stage if options.schedule == "gradual" else 0
    )
    tuning = Tuning(
        options.steps,
        options.rate,
        options.penalty,
        valid_share=options.valid_share,
        patience=options.patience,
        l2_sp=options.l2_sp,
    )
    target, facts = tune(shop.newcomer, lambda t: thawed(t, options.unfreeze, pace), shop, tuning, "finetune")
    facts["layers"] = layers_moved(shop, target)
    return recommender_for(problem, "finetune", shop.scorer(target, "history"), fusion=known.fusion, **facts)
