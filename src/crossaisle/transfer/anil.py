"""ANIL: as MAML, but a new domain changes the head alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.base import Base
from ..recommender import Recommender
from .few_shot import few_shot
from .meta import HEAD, LAST, MetaOptions, Recipe
from .method import transfer
from .problem import Problem


@dataclass(frozen=True)
class AnilOptions(MetaOptions):
    """Options of `anil`."""


@transfer(
    "anil",
    options=AnilOptions,
    paper="Raghu et al. 2020, Rapid Learning or Feature Reuse? (ANIL), arXiv:1909.09157",
    when="as maml, with less to go wrong",
    cost="medium",
    needs=("base", "item_content", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: AnilOptions) -> Recommender:
    """As maml, but the inner steps adapt the head alone: scale, shift and weight, and a bias for every item."""
    return few_shot(base, problem, Recipe("anil", (*HEAD, "own.bias"), LAST, options))
