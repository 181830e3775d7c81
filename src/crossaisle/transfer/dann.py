"""DANN: a discriminator learns to tell the sides apart, and the towers learn to leave it nothing to tell by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..models.base import Base
from ..objectives.adversarial import reversed_gradient
from ..recommender import Recommender
from .aligning import Align, Groups, aligned
from .games import GameOptions, opponents, told_apart
from .method import transfer
from .problem import Problem
from .sides import Lessons, Rows, Sides


@dataclass(frozen=True)
class DannOptions(GameOptions):
    """Options of `dann`."""

    domains: Literal["sides", "each"] = "sides"
    """What it tells apart: the target from all sources, or every domain from every other."""


@transfer(
    "dann",
    options=DannOptions,
    paper="Ganin et al. 2016, Domain-Adversarial Training, arXiv:1505.07818; penalty: Mescheder et al. 2018",
    when="the target describes its items differently, and there are too few purchases to learn that from",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: DannOptions) -> Recommender:
    """Sources and target together, their vectors made alike by a discriminator's reversed gradient."""
    return aligned(base, problem, options, "dann", _terms)


def _terms(lessons: Lessons, options: DannOptions) -> tuple[Groups, Align]:
    dim, number = lessons.shop.base.sizes.dim, lessons.domains if options.domains == "each" else 2
    against, groups = opponents(lessons, options, dim, number)

    def loss(part: str, rows: Rows, strength: float) -> Tensor:
        read = reversed_gradient(rows.scaled, strength)
        return told_apart(against[f"of_{part}"], read, rows.domain.clamp(max=number - 1), options.smooth)

    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"domain of {part}": loss(part, rows, strength) for part, rows in sides.items()}

    return groups, terms
