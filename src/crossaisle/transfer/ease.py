"""EASE: a linear item-item model in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from ..metrics import Doubles
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .common import (
    TIE_BREAK,
    Scope,
    Weight,
    among,
    best_per_row,
    inputs_of,
    pack,
    popularity_of,
    regular_gram,
    regular_inverse,
    spread_over,
    training_history,
    unpack,
    weighted,
    with_popularity,
)
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space

COLUMNS = 512
BATCH = 16
"""Items of one block in form ``block``; with their neighbours a block has some hundred items."""
EXACT_BYTES = 4_000_000_000
"""Form ``auto`` is exact while its two matrices take no more: some 18,000 items where people are more than items."""


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
    form: Literal["auto", "exact", "block"] = "auto"
    """``exact``: by an inverse over all items read (or all people, if fewer); ``block``: by many small ones, over a few
    items and their neighbours each, for catalogues of any size; ``auto``: exact where its matrices fit into 4 GB, else
    block. The facts of the recommender say which."""
    neighbours: int = 100
    """In form ``block``: how many items, those with most people in common, each item brings into its block."""

    search: ClassVar[Space] = {
        "regularization": Range(10.0, 10_000.0, log=True),
        "weight": ("log", "binary", "count"),
    }

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours is {self.neighbours}; a whole number of at least 1 is needed.")
        if self.regularization <= 0:
            raise ValueError(f"regularization is {self.regularization}; a number above 0 is needed.")


@scorer("ease")
@dataclass(frozen=True)
class EaseScorer:
    """history × B.

    Attributes:
        inputs: (p,) item codes that are read.
        weights: (p, catalogue) float32, the columns of B for the catalogue; CSR in form ``block``.
        popularity: (catalogue,) orders ties and users without history.
        weight: see `common.weighted`.
    """

    kind: ClassVar[str] = "ease"
    inputs: Codes
    weights: Floats | sp.csr_matrix
    popularity: Floats
    weight: Weight = "log"

    def score(self, history: History) -> Floats:
        """(n, catalogue) weighted history times B."""
        product = weighted(history, self.weight)[:, self.inputs] @ self.weights
        scores: Floats = product.toarray() if sp.issparse(product) else product
        return with_popularity(scores, self.popularity)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: the score is a sum over events."""
        events = weighted(history, self.weight)
        found, rows = among(events.indices, self.inputs)
        parts = np.asarray(self.weights[rows] @ asked.T).T * events.data[found]
        return Contributions(TIE_BREAK * (asked @ self.popularity), spread_over(len(events.data), found, parts))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors: Tensors = {"inputs": self.inputs, "popularity": self.popularity}
        tensors |= pack("weights", self.weights) if sp.issparse(self.weights) else {"weights": self.weights}
        return tensors, {"weight": self.weight}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        weights = tensors["weights"] if "weights" in tensors else unpack("weights", tensors)
        return cls(tensors["inputs"], weights, tensors["popularity"], **meta)


@transfer(
    "ease",
    options=EaseOptions,
    paper="Steck 2019, Embarrassingly Shallow Autoencoders, arXiv:1905.03375",
    when="many events for each item",
    cost="low",
    needs=("target_interactions",),
    control=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: EaseOptions) -> Recommender:
    """Linear item-item weights with a zero diagonal, in closed form; by blocks for large catalogues."""
    users = weighted(training_history(problem, options.scope), options.weight)
    inputs = inputs_of(users, problem.catalogue, options.scope, options.max_items)
    users = users[np.diff(users.indptr) > 0][:, inputs]
    outputs = np.searchsorted(inputs, problem.catalogue)
    form = options.form if options.form != "auto" else fitting_form(users.shape[0], len(inputs), len(outputs))
    if form == "exact":
        weights: Floats | sp.csr_matrix = ease_columns(users, outputs, options.regularization)
    else:
        weights = block_columns(users, outputs, options.regularization, options.neighbours)
    made = EaseScorer(inputs, weights, popularity_of(problem), options.weight)
    return recommender_for(problem, "ease", made, form=form)


def fitting_form(people: int, items: int, catalogue: int) -> Literal["exact", "block"]:
    """``exact`` where its inverse (float64) and its weights (float32) fit into `EXACT_BYTES`."""
    return "exact" if 8 * min(people, items) ** 2 + 4 * items * catalogue <= EXACT_BYTES else "block"


def ease_columns(users: sp.csr_matrix, outputs: Codes, regularization: float) -> Floats:
    """Columns `outputs` of EASE's B for `users` (n, p): B = −P / diag(P), zero diagonal, P = (XᵀX + λI)⁻¹.

    Returns:
        (p, outputs) float32, C order.
    """
    made = _by_people if users.shape[0] < users.shape[1] else _by_items
    weights = made(users, outputs, regularization)
    weights[outputs, np.arange(len(outputs))] = 0.0
    return weights


def _by_items(users: sp.csr_matrix, outputs: Codes, lam: float) -> Floats:
    inverse = regular_inverse(users.T, lam)
    scale = -1.0 / np.diag(inverse)
    weights = np.empty((users.shape[1], len(outputs)), dtype=np.float32)
    for start in range(0, len(outputs), COLUMNS):
        part = outputs[start : start + COLUMNS]
        weights[:, start : start + COLUMNS] = inverse[:, part] * scale[part]
    return weights


def _by_people(users: sp.csr_matrix, outputs: Codes, lam: float) -> Floats:
    # Woodbury: λP = I − XᵀC with C = (XXᵀ + λI)⁻¹ X, so off the diagonal B_j = XᵀC_j / (1 − X_jᵀC_j).
    inverse = regular_inverse(users, lam)
    columns = users.astype(np.float64).tocsc()
    duals = np.empty((users.shape[0], len(outputs)), dtype=np.float32)
    for start in range(0, len(outputs), COLUMNS):
        own = columns[:, outputs[start : start + COLUMNS]].T
        solved = np.asarray(own @ inverse)
        left = 1.0 - np.asarray(own.multiply(solved).sum(axis=1))
        duals[:, start : start + COLUMNS] = (solved / left).T
    weights: Floats = users.T.tocsr().astype(np.float32) @ duals
    return weights


def block_columns(users: sp.csr_matrix, outputs: Codes, regularization: float, neighbours: int) -> sp.csr_matrix:
    """Columns `outputs` of EASE's B for `users` (n, p), solved block by block; no matrix of items × items is made.

    Items are ordered by their nearest item, so that alike ones come together. `BATCH` of them and the `neighbours` of
    each are a block S, on which the exact form is solved: what is outside S has weight 0. Exact where S is all items.

    Returns:
        (p, outputs) CSR float32.
    """
    near = most_shared(users, outputs, neighbours)
    order = np.argsort(np.asarray(near.argmax(axis=1)).ravel(), kind="stable")
    near, columns = near[order], users.astype(np.float64).tocsc()
    blocks, solved = [], []
    for start in range(0, len(order), BATCH):
        own = outputs[order[start : start + BATCH]]
        block = np.union1d(own, near.indices[near.indptr[start] : near.indptr[start + len(own)]])
        gram = regular_gram(columns[:, block].T, regularization)
        blocks += [block] * len(own)
        solved.append(_solved(gram, np.searchsorted(block, own)).ravel())
    ends = np.concatenate([[0], np.cumsum([len(b) for b in blocks])])
    shape = (len(outputs), users.shape[1])
    rows = sp.csr_matrix((np.concatenate(solved), np.concatenate(blocks), ends), shape)
    return rows[np.argsort(order)].T.tocsr()


def _solved(gram: Doubles, own: Codes) -> Floats:
    """(own, p) rows of Bᵀ for a `gram` XᵀX + λI (p, p): for few of its columns cheaper than the inverse."""
    which = own, np.arange(len(own))
    unit = np.zeros((len(gram), len(own)), order="F")
    unit[which] = 1.0
    factor = scipy.linalg.cho_factor(gram.T, lower=True, overwrite_a=True, check_finite=False)
    inverse = np.asarray(scipy.linalg.cho_solve(factor, unit, overwrite_b=True, check_finite=False))
    columns = inverse / -inverse[which]
    columns[which] = 0.0
    rows: Floats = columns.T.astype(np.float32)
    return rows


def most_shared(users: sp.csr_matrix, outputs: Codes, k: int) -> sp.csr_matrix:
    """(outputs, p) CSR of XᵀX: the k greatest of each row, without the item itself."""
    items = users.T.tocsr()
    found = []
    for start in range(0, len(outputs), COLUMNS):
        own = outputs[start : start + COLUMNS]
        shared = (items[own] @ users).tocsr()
        row = np.repeat(np.arange(len(own)), np.diff(shared.indptr))
        shared.data[own[row] == shared.indices] = 0.0
        shared.eliminate_zeros()
        found.append(best_per_row(shared, k))
    return sp.vstack(found).tocsr()
