"""EASE: a linear item-item model in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Codes, Floats, History, Tensors
from .common import (
    Scope,
    Weight,
    inputs_of,
    popularity_of,
    training_history,
    weighted,
    with_popularity,
)  # fmt: skip
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space


@dataclass(frozen=True)
class EaseOptions:
    """Options of `ease`."""

    scope: Scope = "target"
    """``target``: read the target's items only (a control); ``all``: read items of all visible domains."""
    regularization: float = 300.0
    """λ of the ridge; a few hundred for small data, thousands for millions of events."""
    max_items: int = 5000
    """In scope ``all``: how many common items are read beside the catalogue (memory: items × catalogue)."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""

    search: ClassVar[Space] = {
        "regularization": Range(10.0, 10_000.0, log=True),
        "weight": ("log", "binary", "count"),
    }

    def __post_init__(self) -> None:
        if self.regularization <= 0:
            raise ValueError(f"regularization is {self.regularization}; a number above 0 is needed.")


@scorer("ease")
@dataclass(frozen=True)
class EaseScorer:
    """history × B.

    Attributes:
        inputs: (p,) item codes that are read.
        weights: (p, catalogue) float32, the columns of B for the catalogue.
        popularity: (catalogue,) orders ties and users without history.
        weight: see `common.weighted`.
    """

    kind: ClassVar[str] = "ease"
    inputs: Codes
    weights: Floats
    popularity: Floats
    weight: Weight = "log"

    def score(self, history: History) -> Floats:
        """(n, catalogue) weighted history times B."""
        scores: Floats = weighted(history, self.weight)[:, self.inputs] @ self.weights
        return with_popularity(scores, self.popularity)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors: Tensors = {"inputs": self.inputs, "weights": self.weights, "popularity": self.popularity}
        return tensors, {"weight": self.weight}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(tensors["inputs"], tensors["weights"], tensors["popularity"], **meta)


@transfer(
    "ease",
    options=EaseOptions,
    paper="Steck 2019, Embarrassingly Shallow Autoencoders, arXiv:1905.03375",
    needs=("target_interactions",),
    control=True,
)
def fit(base: Base | None, problem: Problem, options: EaseOptions) -> Recommender:
    """Linear item-item weights with a zero diagonal, exact and in closed form."""
    users = weighted(training_history(problem, options.scope), options.weight)
    inputs = inputs_of(users, problem.catalogue, options.scope, options.max_items)
    users = users[np.diff(users.indptr) > 0][:, inputs]
    outputs = np.searchsorted(inputs, problem.catalogue)
    weights = ease_columns(users, outputs, options.regularization)
    made = EaseScorer(inputs, weights, popularity_of(problem), options.weight)
    return recommender_for(problem, "ease", made)


def ease_columns(users: sp.csr_matrix, outputs: Codes, regularization: float) -> Floats:
    """Columns `outputs` of EASE's B for `users` (n, p): B = −P / diag(P), zero diagonal, P = (XᵀX + λI)⁻¹.

    Returns:
        (p, outputs) float32, C order.
    """
    inverse = _inverse_columns(users, outputs, regularization)
    own = (outputs, np.arange(len(outputs)))
    weights = inverse / -inverse[own][None, :]
    weights[own] = 0.0
    return np.ascontiguousarray(weights, dtype=np.float32)


def _inverse_columns(users: sp.csr_matrix, outputs: Codes, lam: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Columns of (XᵀX + λI)⁻¹; by the users' kernel (Woodbury) where users are fewer than items."""
    n, p = users.shape
    wide = users.astype(np.float64)
    chosen = np.zeros((p, len(outputs)))
    chosen[outputs, np.arange(len(outputs))] = 1.0
    gram = (wide @ wide.T if n < p else wide.T @ wide).toarray()
    gram[np.diag_indices_from(gram)] += lam
    factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    if n < p:
        solved = scipy.linalg.cho_solve(factor, wide[:, outputs].toarray(), check_finite=False)
        chosen -= wide.T @ solved
        return chosen / lam
    return np.asarray(scipy.linalg.cho_solve(factor, chosen, overwrite_b=True, check_finite=False))
