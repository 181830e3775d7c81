"""WDGRL: a critic measures how far apart the sides are (Wasserstein), and the towers draw them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..models.base import Base
from ..objectives.adversarial import gradient_penalty, mean_gap, reversed_gradient
from ..recommender import Recommender
from .aligning import Align, AligningOptions, Groups, aligned
from .games import GameOptions, opponents
from .method import transfer
from .problem import Problem
from .sides import Lessons, Rows, Sides
from .space import Space


@dataclass(frozen=True)
class WdgrlOptions(GameOptions):
    """Options of `wdgrl`."""

    weight: float = 1.0
    """Weight of the reversed gradient beside the ranking losses'; it rises from 0 over the first steps."""
    smooth: float = 10.0
    """Weight of the penalty that keeps the critic's slope at 1."""

    search: ClassVar[Space] = AligningOptions.search

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if self.smooth <= 0:
            raise ValueError("smooth must be above 0.")


@transfer(
    "wdgrl",
    options=WdgrlOptions,
    paper="Shen et al. 2018, Wasserstein Distance Guided Representation Learning, arXiv:1707.01217",
    when="as dann, as another kind of game",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: WdgrlOptions) -> Recommender:
    """Sources and target together, their vectors drawn to each other along the slope of a critic."""
    return aligned(base, problem, options, "wdgrl", _terms)


def _terms(lessons: Lessons, options: WdgrlOptions) -> tuple[Groups, Align]:
    critics, groups = opponents(lessons, options, lessons.shop.base.sizes.dim, 1)

    def loss(part: str, rows: Rows, strength: float) -> Tensor:
        critic = critics[f"of_{part}"]
        values = critic(reversed_gradient(rows.scaled, strength)).squeeze(1)
        points = _between(rows).requires_grad_()
        return options.smooth * gradient_penalty(critic(points).squeeze(1), points, 1.0) - mean_gap(values, rows.domain)

    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"critic of {part}": loss(part, rows, strength) for part, rows in sides.items()}

    return groups, terms


def _between(rows: Rows) -> Tensor:
    """Points on the lines from vectors of the sources to vectors of the target."""
    ours, theirs = (side.detach() for side in rows.pair())
    number = min(len(ours), len(theirs))
    ours, theirs = ours[torch.randperm(len(ours))[:number]], theirs[:number]
    return torch.lerp(ours, theirs, torch.rand(number, 1))
