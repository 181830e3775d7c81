"""ALS: implicit-feedback matrix factorisation, users folded in from their history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp

from ..models.base import Base
from ..models.factors import factorised
from ..recommender import Recommender, scorer
from ..rng import generator
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .common import (
    TIE_BREAK,
    Scope,
    Weight,
    among,
    inputs_of,
    popularity_of,
    power,
    spread_over,
    training_history,
    weighted,
    with_popularity,
)
from .folding import fold_in, fold_in_parts
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space


@dataclass(frozen=True)
class AlsOptions:
    """Options of `als`."""

    scope: Scope = "target"
    """``target``: read the target's items only (a control); ``all``: read items of all visible domains."""
    factors: int = 128
    """Most directions of taste; under a penalty that grows with the data, those that chance explains stay empty."""
    alpha: float = 100.0
    """Confidence of an event is alpha × its weight, of a non-event 1."""
    penalty: float = 0.85
    """L2 penalty on the vectors, in units of α × `noise`: at 1, directions of taste that are no stronger than what
    chance gives in data of this size are dropped. Less keeps more of them; dense data bear 0.7."""
    regularization: float | None = None
    """The L2 penalty itself; `penalty`, and a search of it, say nothing then. None: from `penalty`."""
    iterations: int = 15
    """Sweeps over users and items."""
    max_items: int = 100_000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""
    item_exponent: float = 0.0
    """Weights are divided by the item's number of people to this power (their mean stays); more favours rare items."""

    search: ClassVar[Space] = {
        "factors": Range(4, 128, log=True),
        "alpha": Range(1.0, 300.0, log=True),
        "penalty": Range(0.2, 3.0, log=True),
        "weight": ("log", "binary", "count"),
        "item_exponent": Range(0.0, 0.6),
    }

    def __post_init__(self) -> None:
        given = 1.0 if self.regularization is None else self.regularization
        if self.factors < 1 or self.iterations < 1 or given <= 0 or self.alpha <= 0:
            raise ValueError("factors and iterations must be at least 1, alpha and regularization above 0.")
        if self.penalty <= 0:
            raise ValueError("penalty must be above 0.")


@scorer("als")
@dataclass(frozen=True)
class AlsScorer:
    """Item vectors; the user's vector is solved from the history at scoring time.

    Attributes:
        inputs: (p,) item codes that are read.
        factors: (p, f) float32 item vectors.
        outputs: (catalogue,) rows of `factors` that are scored.
        popularity: (catalogue,) orders ties and users without history.
        alpha: see `AlsOptions`.
        regularization: see `AlsOptions`.
        worth: (p,) what the weight of an event is multiplied by.
        weight: see `common.weighted`.
    """

    kind: ClassVar[str] = "als"
    inputs: Codes
    factors: Floats
    outputs: Codes
    popularity: Floats
    alpha: float
    regularization: float
    worth: Floats
    weight: Weight = "log"

    def score(self, history: History) -> Floats:
        """(n, catalogue) user vectors · item vectors."""
        read = (weighted(history, self.weight)[:, self.inputs] @ sp.diags(self.worth)).tocsr()
        users = fold_in(read, self.factors, self.alpha, self.regularization)
        scores: Floats = users @ self.factors[self.outputs].T
        return with_popularity(scores, self.popularity)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: Hu et al. 2008, section 5."""
        events = weighted(history, self.weight)
        found, rows = among(events.indices, self.inputs)
        weights = events.data[found] * self.worth[rows] * self.alpha
        parts = fold_in_parts(weights, rows, self.factors, self.regularization, asked @ self.factors[self.outputs])
        return Contributions(TIE_BREAK * (asked @ self.popularity), spread_over(len(events.data), found, parts))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        names = ("inputs", "factors", "outputs", "popularity", "worth")
        meta = {"alpha": self.alpha, "regularization": self.regularization, "weight": self.weight}
        return {n: getattr(self, n) for n in names}, meta

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        names = ("inputs", "factors", "outputs", "popularity", "worth")
        return cls(**({n: tensors[n] for n in names} | meta))


@transfer(
    "als",
    options=AlsOptions,
    paper="Hu, Koren & Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets",
    when="many items and few events for each",
    cost="low",
    needs=("target_interactions",),
    control=True,
    random=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: AlsOptions) -> Recommender:
    """Matrix factorisation of implicit feedback; users folded in, so new events count at once."""
    users = weighted(training_history(problem, options.scope), options.weight)
    inputs = inputs_of(users, problem.catalogue, options.scope, options.max_items)
    users = users[np.diff(users.indptr) > 0][:, inputs]
    worth = worth_of(users, options.item_exponent)
    users = (users @ sp.diags(worth)).tocsr()
    penalty = penalty_of(users, options)
    factors = item_factors(users, replace(options, regularization=penalty), problem.seed)
    outputs = np.searchsorted(inputs, problem.catalogue).astype(np.int64)
    made = AlsScorer(
        inputs,
        factors,
        outputs,
        popularity_of(problem),
        options.alpha,
        penalty,
        worth,
        options.weight,
    )
    return recommender_for(problem, "als", made)


def worth_of(users: sp.csr_matrix, exponent: float) -> Floats:
    """(items,) float32 by which events of `users` (n, items) are multiplied, so that their mean weight stays."""
    if exponent == 0:
        return np.ones(users.shape[1], dtype=np.float32)
    people = np.bincount(users.indices, minlength=users.shape[1]).astype(np.float32)
    worth = power(people, -exponent)
    return worth * np.float32(users.sum() / (users @ worth).sum())


def item_factors(users: sp.csr_matrix, options: AlsOptions, seed: int) -> Floats:
    """(items, factors) float32 from `users` (n, items); see `factorised`."""
    o, state = options, int(generator(seed, "als").integers(2**31 - 1))
    return factorised(users, o.factors, o.alpha, penalty_of(users, o), o.iterations, state)[1]


def penalty_of(users: sp.csr_matrix, options: AlsOptions) -> float:
    """λ of `options` for weights `users` (n, items): `regularization`, or `penalty` times what chance would need."""
    return options.regularization or options.penalty * options.alpha * noise(users)


def noise(users: sp.csr_matrix) -> float:
    """Largest singular value of so many weights like those of `users` (n, items) when people choose by chance.

    σ (√n + √m) for n people and m items that have events, σ² the mean square of the n × m weights. The penalty
    λ(‖w‖² + ‖v‖²), summed, is 2λ times the nuclear norm of the scores, and keeps what has singular values above λ in
    α × weights: hence λ = α × this (Koltchinskii, Lounici & Tsybakov 2011; Mazumder, Hastie & Tibshirani 2010).
    """
    total = float((users.data.astype(np.float64) ** 2).sum())
    people, items = int(np.count_nonzero(np.diff(users.indptr))), len(np.unique(users.indices))
    return float(np.sqrt(total / max(people, 1)) + np.sqrt(total / max(items, 1)))
