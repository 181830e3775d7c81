"""MMD: the vectors of both sides are to have the same mean in the space of a kernel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..distances import mmd
from ..models.base import Base
from ..recommender import Recommender
from .aligning import Align, AligningOptions, Groups, aligned
from .method import transfer
from .problem import Problem
from .sides import Lessons, Sides


@dataclass(frozen=True)
class MmdOptions(AligningOptions):
    """Options of `mmd`."""

    weight: float = 10.0
    """Weight of the alignment beside the ranking losses; it rises from 0 over the first steps."""


@transfer(
    "mmd",
    options=MmdOptions,
    paper="Long et al. 2015, Learning Transferable Features with Deep Adaptation Networks, arXiv:1502.02791",
    when="the target describes its items differently, and an alignment without a game is wanted",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: MmdOptions) -> Recommender:
    """Sources and target together, their vectors drawn to each other by the maximum mean discrepancy."""
    return aligned(base, problem, options, "mmd", _terms)


def _terms(lessons: Lessons, options: MmdOptions) -> tuple[Groups, Align]:
    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"mmd of {part}": strength * mmd(*rows.pair()) for part, rows in sides.items()}

    return [], terms
