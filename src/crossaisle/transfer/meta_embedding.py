"""Meta-embedding: a start for the vectors of new items from which their first buyers take them far."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.base import Base
from ..recommender import Recommender
from .few_shot import few_shot
from .meta import ITEM, OWN, MetaOptions, Recipe
from .method import transfer
from .problem import Problem


@dataclass(frozen=True)
class MetaEmbeddingOptions(MetaOptions):
    """Options of `meta_embedding`."""

    cold: float = 0.1
    """Weight of the loss on the launch day, beside that after the first purchases."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        super().__post_init__()
        if not 0 <= self.cold <= 1:
            raise ValueError("cold must be a share from 0 to 1.")


@transfer(
    "meta_embedding",
    options=MetaEmbeddingOptions,
    paper="Pan et al. 2019, Warm Up Cold-start Advertisements, arXiv:1904.11547",
    when="items have their first purchases and are told apart by more than their content",
    cost="medium",
    needs=("base", "item_content", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: MetaEmbeddingOptions) -> Recommender:
    """Learns the item layers that give new items vectors to be updated by their first purchases, and how fast."""
    return few_shot(base, problem, Recipe("meta_embedding", OWN, ITEM, options, options.cold))
