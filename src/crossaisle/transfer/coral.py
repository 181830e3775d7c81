"""CORAL: the vectors of both sides are to have the same covariance, and the same mean."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..distances import coral
from ..models.base import Base
from ..recommender import Recommender
from .aligning import Align, AligningOptions, Groups, aligned
from .method import transfer
from .problem import Problem
from .sides import Lessons, Rows, Sides


@dataclass(frozen=True)
class CoralOptions(AligningOptions):
    """Options of `coral`."""

    means: bool = True
    """Align the means as well, ‖m_s − m_t‖² / d; the paper's loss sees covariances alone."""


@transfer(
    "coral",
    options=CoralOptions,
    paper="Sun & Saenko 2016, Deep CORAL: Correlation Alignment for Deep Domain Adaptation, arXiv:1607.01719",
    when="as mmd, where a distance without a bandwidth is wanted",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: CoralOptions) -> Recommender:
    """Sources and target together, their vectors drawn to each other by their first two moments."""
    return aligned(base, problem, options, "coral", _terms)


def _terms(lessons: Lessons, options: CoralOptions) -> tuple[Groups, Align]:
    def apart(rows: Rows) -> Tensor:
        ours, theirs = rows.pair()
        between = coral(ours, theirs) * 4.0 * ours.shape[1]  # a share of the variance, whatever the width
        return between + (ours.mean(0) - theirs.mean(0)).square().mean() if options.means else between

    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"coral of {part}": strength * apart(rows) for part, rows in sides.items()}

    return [], terms
