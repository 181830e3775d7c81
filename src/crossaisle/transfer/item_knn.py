"""Item nearest neighbours: items that the same people have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .common import (
    TIE_BREAK,
    Scope,
    Weight,
    best_per_row,
    pack,
    popularity_of,
    training_history,
    unpack,
    weighted,
    with_popularity,
)
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .swing import swing

Similarity = Literal["auto", "cosine", "iou", "swing"]
MOST_PAIRS = 20_000_000
"""Pairs of people with an item in common, each item for itself, up to which ``auto`` takes swing."""


@dataclass(frozen=True)
class ItemKnnOptions:
    """Options of `item_knn`."""

    scope: Scope = "target"
    """``target``: read the target's items only (a control); ``all``: read items of all visible domains."""
    similarity: Similarity = "auto"
    """``swing``: pairs of users in common, who count more the less else they have in common; ``iou``: users in common
    divided by users of either; ``cosine`` of the items' user vectors; ``auto``: ``swing``, or ``iou`` where so many
    people share items that ``swing`` would take more than some ten seconds. ``iou`` in scope ``all`` is the item
    neighbourhood across markets of XMRec."""
    neighbours: int = 200
    """Most similar items kept for each item of the catalogue."""
    shrink: float = 100.0
    """Added to the denominator of ``cosine`` and ``iou``: pairs with few users in common count less."""
    alpha: float = 1.0
    """α of ``swing``, added to the number of items that two users have in common."""
    popularity_exponent: float = 0.0
    """Scores are divided by the item's number of users to this power; above 0 favours rare items."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""
    half_life_weeks: float | None = None
    """Weeks after which an event of the asking user counts half; none: no decay."""

    search: ClassVar[Space] = {
        "similarity": ("auto", "iou"),
        "neighbours": Range(10, 2000, log=True),
        "shrink": Range(0.0, 300.0),
        "popularity_exponent": Range(0.0, 1.0),
        "weight": ("log", "binary", "count"),
    }

    def __post_init__(self) -> None:
        if self.neighbours < 1 or min(self.shrink, self.alpha) < 0:
            raise ValueError("neighbours must be at least 1, shrink and alpha at least 0.")


@scorer("item_knn")
@dataclass(frozen=True)
class ItemKnnScorer:
    """Sum of the similarities to the items of the user's history.

    Attributes:
        similarity: (world items, catalogue) CSR float32.
        popularity: (catalogue,) orders ties and users without history.
        weight: see `common.weighted`.
        half_life_weeks: see `common.weighted`.
    """

    kind: ClassVar[str] = "item_knn"
    similarity: sp.csr_matrix
    popularity: Floats
    weight: Weight = "log"
    half_life_weeks: float | None = None

    def score(self, history: History) -> Floats:
        """(n, catalogue) Σ over the history of weight × similarity."""
        scores: Floats = (weighted(history, self.weight, self.half_life_weeks) @ self.similarity).toarray()
        return with_popularity(scores, self.popularity)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: the score is a sum over events."""
        events = weighted(history, self.weight, self.half_life_weeks)
        parts = (self.similarity[events.indices] @ asked.T).T * events.data
        return Contributions(TIE_BREAK * (asked @ self.popularity), parts)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors = {"popularity": self.popularity, **pack("similarity", self.similarity)}
        return tensors, {"weight": self.weight, "half_life_weeks": self.half_life_weeks}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(unpack("similarity", tensors), tensors["popularity"], **meta)


@transfer(
    "item_knn",
    options=ItemKnnOptions,
    paper="Sarwar et al. 2001; Deshpande & Karypis 2004; swing: Yang et al. 2020",
    when="an explanation by items is wanted, or thousands of people share the items",
    cost="low",
    needs=("target_interactions",),
    control=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: ItemKnnOptions) -> Recommender:
    """Items that the same people have: cosine, overlap or swing, top neighbours only."""
    users = weighted(training_history(problem, options.scope), options.weight)
    options = replace(options, similarity=similarity_for(users, options.similarity))
    near = neighbours_of(users, problem.catalogue, options)
    made = ItemKnnScorer(near, popularity_of(problem), options.weight, options.half_life_weeks)
    return recommender_for(problem, "item_knn", made, similarity=options.similarity)


def similarity_for(users: sp.csr_matrix, asked: Similarity) -> Similarity:
    """`asked`, with ``auto`` settled for `users` (n, world items): time of swing grows with the pairs of people."""
    if asked != "auto":
        return asked
    people = np.bincount(users.indices, minlength=users.shape[1]).astype(np.float64)
    return "swing" if (people * (people - 1)).sum() / 2 <= MOST_PAIRS else "iou"


def neighbours_of(users: sp.csr_matrix, catalogue: Codes, options: ItemKnnOptions) -> sp.csr_matrix:
    """(world items, catalogue) CSR similarities from `users` (n, world items); none of an item to itself."""
    people = np.bincount(users.indices, minlength=users.shape[1])
    alike = (
        swing(users, catalogue, options.alpha) if options.similarity == "swing" else overlap(users, catalogue, options)
    )
    found = alike.tocoo()
    values = found.data / np.maximum(people[catalogue][found.row], 1) ** options.popularity_exponent
    values[catalogue[found.row] == found.col] = 0.0
    kept = sp.csr_matrix((values.astype(np.float32), (found.row, found.col)), shape=found.shape)
    kept.eliminate_zeros()
    return best_per_row(kept, options.neighbours).T.tocsr()


def overlap(users: sp.csr_matrix, catalogue: Codes, options: ItemKnnOptions) -> sp.coo_matrix:
    """(catalogue, world items) cosine or iou with shrinkage."""
    if options.similarity == "iou":
        users = users.copy()
        users.data = np.ones_like(users.data)
    norm = np.asarray(users.multiply(users).sum(axis=0)).ravel()
    common = (users[:, catalogue].T @ users).tocoo()
    mine, other = norm[catalogue][common.row], norm[common.col]
    below = np.sqrt(mine * other) if options.similarity == "cosine" else mine + other - common.data
    common.data = common.data / (below + options.shrink)
    return common
