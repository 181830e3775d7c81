"""OT: the vectors of one side are to be moved to those of the other at little cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ..distances import transport
from ..models.base import Base
from ..recommender import Recommender
from .aligning import Align, AligningOptions, Groups, aligned
from .method import transfer
from .problem import Problem
from .sides import Lessons, Sides
from .space import Range, Space


@dataclass(frozen=True)
class OtOptions(AligningOptions):
    """Options of `ot`."""

    weight: float = 0.5
    """Weight of the alignment beside the ranking losses; it rises from 0 over the first steps."""
    mass: float = 1.0
    """Share of the target's and the sources' vectors that is matched; below 1 what only one side has is left alone."""
    entropy: float = 0.0
    """Smoothing of the plan, as a share of the mean cost; 0 solves it exactly, as `mass` below 1 needs."""

    search: ClassVar[Space] = {**AligningOptions.search, "mass": Range(0.5, 1.0)}

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if not 0 < self.mass <= 1 or self.entropy < 0 or (self.mass < 1 and self.entropy > 0):
            raise ValueError("mass above 0 and at most 1 and entropy ≥ 0 are needed, and entropy = 0 where mass < 1.")


@transfer(
    "ot",
    options=OtOptions,
    paper="Damodaran et al. 2018, DeepJDOT, arXiv:1803.10081; partial: Chapel et al. 2020, arXiv:2002.08276",
    when="the sides may share a part of their kinds of items only (mass below 1)",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: OtOptions) -> Recommender:
    """Sources and target together, their vectors drawn to each other by optimal transport of minibatches."""
    return aligned(base, problem, options, "ot", _terms)


def _terms(lessons: Lessons, options: OtOptions) -> tuple[Groups, Align]:
    def cost(sources: Tensor, target: Tensor) -> Tensor:
        return transport(sources, target, entropy=options.entropy, mass=options.mass) / sources.shape[1]

    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"transport of {part}": strength * cost(*rows.pair()) for part, rows in sides.items()}

    return [], terms
