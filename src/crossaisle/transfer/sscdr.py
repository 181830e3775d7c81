"""SSCDR: the map of EMCDR, learned from items as well where few people are on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from ..models.base import Base
from ..recommender import Recommender
from ..types import Floats
from .bridge import BridgeOptions, Pairs, Sides, factorised
from .emcdr import EmcdrScorer
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .ridge import linear
from .space import Range, Space


@dataclass(frozen=True)
class SscdrOptions(BridgeOptions):
    """Options of `sscdr`."""

    items: float = 1.0
    """What an item counts beside a person while the map is learned; near 0 it is the linear `emcdr`."""
    penalty: float = 0.0
    """L2 penalty on the map, as a share of the vectors' mean square; 0: chosen by leaving out one at a time."""

    search: ClassVar[Space] = {
        "items": Range(0.03, 10.0, log=True),
        "factors": Range(4, 128, log=True),
        "alpha": Range(0.3, 100.0, log=True),
        "regularization": Range(0.1, 300.0, log=True),
        "prior": Range(0.03, 30.0, log=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.items <= 0 or self.penalty < 0:
            raise ValueError("items must be above 0 and penalty 0 or more.")


@transfer(
    "sscdr",
    options=SscdrOptions,
    paper="Kang et al. 2019, Semi-Supervised Learning for Cross-Domain Recommendation to Cold-Start Users",
    when="as emcdr, where only a handful of people are on both sides",
    cost="low",
    needs=("overlapping_users", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: SscdrOptions) -> Recommender:
    """One linear map from people's vectors elsewhere to the target, learned from people on both sides and items."""
    sides, pairs = factorised(problem, options)
    x, y = sides.vectors_there(pairs.there), sides.vectors_here(pairs.here)
    of_items, wanted = item_pairs(sides, pairs, y)
    worth = np.concatenate([np.ones(len(x)), np.full(len(of_items), options.items)]).astype(np.float32)
    layers, facts = linear(np.vstack([x, of_items]), np.vstack([y, wanted]), options.penalty, worth)
    made = EmcdrScorer(sides, layers)
    return recommender_for(problem, "sscdr", made, people=len(pairs), items=len(of_items), **facts)


def item_pairs(sides: Sides, pairs: Pairs, wanted: Floats) -> tuple[Floats, Floats]:
    """(m, f) vectors elsewhere of people who have one item each, (m, g) where they should lie in the target.

    That is the mean of those who have the item and are on both sides: what the paper asks of items by triplets.

    Args:
        sides: item vectors.
        pairs: people on both sides.
        wanted: (n, g) their vectors in the target.
    """
    had = pairs.there.copy()
    had.data = np.ones_like(had.data)
    people = np.asarray(had.sum(axis=0)).ravel()
    items = np.flatnonzero(people)
    usual = np.full(len(items), np.median(pairs.there.data), dtype=np.float32)
    alone = sp.csr_matrix((usual, (np.arange(len(items)), items)), shape=(len(items), had.shape[1]))
    means: Floats = np.asarray((had.T @ wanted)[items] / people[items, None], dtype=np.float32)
    return sides.vectors_there(alone), means
