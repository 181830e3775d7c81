"""User nearest neighbours: people who have the same items vote with what else they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp

from ..errors import MethodError
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .common import (
    TIE_BREAK,
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

BLOCK = 256
"""People scored at once (memory: block × voters)."""


@dataclass(frozen=True)
class UserKnnOptions:
    """Options of `user_knn`."""

    scope: Literal["all", "target", "sources"] = "all"
    """What makes people alike: items of all visible domains, of the target (whose rows alone are read: a control), or
    only items outside the target's catalogue (for people who are cold in the target)."""
    item_exponent: float = 0.6
    """A common item counts 1 / (number of its people) to this power; 0: all items alike."""
    user_exponent: float = 0.5
    """A neighbour's weight is divided by the neighbour's number of items to this power; 0: the fullest say most."""
    neighbours: int = 0
    """How many of the nearest people vote; 0: all who have an item in common."""

    def __post_init__(self) -> None:
        if min(self.item_exponent, self.user_exponent, self.neighbours) < 0:
            raise ValueError("item_exponent, user_exponent and neighbours must be 0 or more.")


@scorer("user_knn")
@dataclass(frozen=True)
class UserKnnScorer:
    """Sum of what the neighbours have, each with their weight.

    Attributes:
        profiles: (world items, voters) CSR float32, count_i^−a |I_v|^−b where voter v has item i, and i is read.
        votes: (voters, catalogue) CSR float32 of 0 and 1.
        voters: (voters,) sorted user codes.
        popularity: (catalogue,) orders ties and users without neighbours.
        neighbours: how many vote; 0 for all.
    """

    kind: ClassVar[str] = "user_knn"
    profiles: sp.csr_matrix
    votes: sp.csr_matrix
    voters: Codes
    popularity: Floats
    neighbours: int = 0

    def score(self, history: History) -> Floats:
        """(n, catalogue) Σ over neighbours of weight × has the item.

        People do not vote for themselves: their own row of the training matrix, by far the most alike, knows only what
        they have already, and would take the place of a neighbour.
        """
        events = weighted(history, "binary")
        scores = np.empty((len(history), self.votes.shape[1]), dtype=np.float32)
        for start in range(0, len(history), BLOCK):
            part = slice(start, start + BLOCK)
            weights = without_self((events[part] @ self.profiles).tocsr(), history.users[part], self.voters)
            if self.neighbours:
                weights = best_per_row(weights, self.neighbours)
            scores[part] = (weights @ self.votes).toarray()
        return with_popularity(scores, self.popularity)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: a sum over events, the neighbours taken as given."""
        events = weighted(history, "binary")
        weights = without_self((events @ self.profiles).tocsr(), history.users, self.voters)
        chosen = best_per_row(weights, self.neighbours) if self.neighbours else weights
        voting = np.zeros(len(self.voters))
        voting[chosen.indices[chosen.data != 0]] = 1.0
        parts = self.profiles[events.indices] @ (voting[:, None] * (self.votes @ asked.T))
        return Contributions(TIE_BREAK * (asked @ self.popularity), parts.T)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors: Tensors = {"voters": self.voters, "popularity": self.popularity}
        return tensors | pack("profiles", self.profiles) | pack("votes", self.votes), {"neighbours": self.neighbours}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        matrices = unpack("profiles", tensors), unpack("votes", tensors)
        return cls(*matrices, tensors["voters"], tensors["popularity"], **meta)


@transfer(
    "user_knn",
    options=UserKnnOptions,
    paper="Resnick et al. 1994, GroupLens; weights for implicit feedback as in Aiolli 2013",
    when='sparse data, and people who are cold in the target (scope = "sources")',
    cost="low",
    needs=("warm_items",),
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: UserKnnOptions) -> Recommender:
    """People who have the same items vote with what else they have; rare items in common count more."""
    past = training_history(problem, "target" if options.scope == "target" else "all")
    events = weighted(past, "binary")
    has = events[:, problem.catalogue] if options.scope == "all" else target_votes(problem)
    if options.scope == "sources":
        events = without_items(events, problem.catalogue)
    voters = np.flatnonzero((np.diff(events.indptr) > 0) & (np.diff(has.indptr) > 0)).astype(np.int64)
    if not len(voters):
        raise MethodError(
            f"nobody has both an item of {problem.target!r} and one that scope {options.scope!r} reads; "
            "show some weeks of the target, choose another scope, or choose zero_shot."
        )
    profiles = profiles_of(events, voters, options)
    made = UserKnnScorer(profiles, has[voters].tocsr(), voters, popularity_of(problem), options.neighbours)
    return recommender_for(problem, "user_knn", made, voters=len(voters))


def target_votes(problem: Problem) -> sp.csr_matrix:
    """(users, catalogue) 1 where a user has an item in the target."""
    return (problem.target_counts > 0).astype(np.float32).tocsr()


def without_items(events: sp.csr_matrix, items: Codes) -> sp.csr_matrix:
    """`events` (n, world items) with the columns `items` emptied."""
    read = np.ones(events.shape[1], dtype=np.float32)
    read[items] = 0.0
    kept = (events @ sp.diags(read)).tocsr()
    kept.eliminate_zeros()
    return kept


def profiles_of(events: sp.csr_matrix, voters: Codes, options: UserKnnOptions) -> sp.csr_matrix:
    """(world items, voters) CSR float32: count_i^−item_exponent |I_v|^−user_exponent where v has i.

    Args:
        events: (users, world items) CSR of 0 and 1; counts are over all of its users.
        voters: rows of `events` that vote.
        options: the two exponents.
    """
    people = np.bincount(events.indices, minlength=events.shape[1])
    mine = events[voters]
    rarity = np.maximum(people, 1.0) ** -options.item_exponent
    size = np.maximum(np.diff(mine.indptr), 1.0) ** -options.user_exponent
    return (sp.diags(rarity) @ mine.T @ sp.diags(size)).tocsr().astype(np.float32)


def without_self(weights: sp.csr_matrix, users: Codes, voters: Codes) -> sp.csr_matrix:
    """`weights` (n, voters) with the weight of each of `users` (n,) for the same user among `voters` set to 0."""
    row = np.repeat(np.arange(len(users)), np.diff(weights.indptr))
    weights.data[voters[weights.indices] == users[row]] = 0.0
    return weights
