"""Probe: the base stays as it is, only a head for the target is learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..models.base import Base
from ..recommender import Recommender
from .method import transfer
from .moved import layers_moved
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .thaw import own_head
from .tuning import Tuning, tune
from .zero_shot import base_of


@dataclass(frozen=True)
class ProbeOptions:
    """Options of `probe`."""

    rate: float = 4e-2
    """Learning rate."""
    penalty: float = 30.0
    """Pull of item biases towards what content says; more for few events."""
    steps: int = 300
    """Most steps; users held out say when to stop."""

    search: ClassVar[Space] = {
        "rate": Range(1e-3, 0.1, log=True),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.steps < 1 or self.rate <= 0 or self.penalty < 0:
            raise ValueError("steps ≥ 1, rate > 0 and penalty ≥ 0 are needed.")


@transfer(
    "probe",
    options=ProbeOptions,
    paper="Alain & Bengio 2016, linear classifier probes, arXiv:1610.01644",
    when="there is little data, or the question is what the base's features are worth",
    cost="medium",
    needs=("base", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: ProbeOptions) -> Recommender:
    """Frozen features and a new head: scale and shift of user vectors, and a bias for every item."""
    known = base_of(base)
    shop = Shop.open(known, problem)

    def groups(target: Target) -> list[Mapping[str, Any]]:
        return [{"params": [*own_head(target), target.items.bias]}]

    tuning = Tuning(options.steps, options.rate, options.penalty)
    target, facts = tune(shop.newcomer, groups, shop, tuning, "probe")
    facts["layers"] = layers_moved(shop, target)
    return recommender_for(problem, "probe", shop.scorer(target, "history"), fusion=known.fusion, **facts)
