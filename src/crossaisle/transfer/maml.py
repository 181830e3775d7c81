"""MAML: a start from which a few steps on a few pairs of a new domain go far."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.base import Base
from ..recommender import Recommender
from .few_shot import few_shot
from .meta import LAST, OWN, MetaOptions, Recipe
from .method import transfer
from .problem import Problem


@dataclass(frozen=True)
class MamlOptions(MetaOptions):
    """Options of `maml`."""


@transfer(
    "maml",
    options=MamlOptions,
    paper="Finn et al. 2017, MAML, arXiv:1703.03400; learned rates as in Antoniou et al. 2019, arXiv:1810.09502; "
    "launches as tasks after Lee et al. 2019, MeLU, arXiv:1908.00413",
    when="a handful of purchases per item is visible, and several sources have opened before",
    cost="medium",
    needs=("base", "item_content", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: MamlOptions) -> Recommender:
    """Learns on pseudo-launches of the sources from where, and how fast, few steps adapt all last layers."""
    return few_shot(base, problem, Recipe("maml", (*LAST, *OWN), LAST, options))
