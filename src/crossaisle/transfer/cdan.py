"""CDAN: as DANN, but the discriminator also reads what the network predicts of each vector."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.base import Base
from ..objectives.adversarial import conditioned, reversed_gradient, sureness
from ..recommender import Recommender
from .aligning import Align, Groups, aligned
from .games import GameOptions, opponents, told_apart
from .method import transfer
from .problem import Problem
from .sides import Lessons, Rows, Sides


@dataclass(frozen=True)
class CdanOptions(GameOptions):
    """Options of `cdan`."""

    jury: int = 16
    """People of the sources whose probabilities to want an item are what is predicted of it (for people: items)."""
    features: int = 1024
    """Products of vector and prediction that are read; beyond it so many random ones stand for all."""
    entropy: bool = True
    """Vectors whose prediction is sure count more (CDAN+E)."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if not 2 <= self.jury <= 128 or self.features < 1:
            raise ValueError("jury from 2 to 128 and features ≥ 1 are needed.")


@transfer(
    "cdan",
    options=CdanOptions,
    paper="Long et al. 2018, Conditional Adversarial Domain Adaptation, arXiv:1705.10667; penalty as in dann",
    when="as dann, where the sides hold different shares of each kind of item",
    cost="medium",
    needs=("base", "item_content"),
    wants=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: CdanOptions) -> Recommender:
    """Sources and target together, vectors made alike among those that suit the same people."""
    return aligned(base, problem, options, "cdan", _terms)


def _terms(lessons: Lessons, options: CdanOptions) -> tuple[Groups, Align]:
    dim, jury = lessons.shop.base.sizes.dim, options.jury
    few = dim * jury <= options.features
    maps = None if few else (torch.randn(dim, options.features), torch.randn(jury, options.features))
    width = dim * jury if few else options.features
    against, groups = opponents(lessons, options, width, 2)

    def loss(part: str, rows: Rows, strength: float) -> Tensor:
        likely = predicted(rows, jury)
        read = conditioned(reversed_gradient(rows.scaled, strength), likely * jury**0.5, maps)
        weight = sureness(likely) if options.entropy else None
        return told_apart(against[f"of_{part}"], read, rows.domain.clamp(max=1), options.smooth, weight)

    def terms(sides: Sides, strength: float) -> dict[str, Tensor]:
        return {f"domain of {part}": loss(part, rows, strength) for part, rows in sides.items()}

    return groups, terms


def predicted(rows: Rows, jury: int) -> Tensor:
    """(n, jury) softmax over the jury of its scores of each vector, which says whom an item suits; no gradient."""
    return torch.softmax(rows.vectors.detach() @ rows.jury[:: len(rows.jury) // jury][:jury].T, dim=1)
