"""Graph filter: signals on the graph of people and items, smoothed in closed form."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..rng import generator
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .common import (
    TIE_BREAK,
    Scope,
    among,
    inputs_of,
    pack,
    popularity_of,
    power,
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

_LOOK = 512
"""People on whose scores the two filters are brought to one scale."""


@dataclass(frozen=True)
class GraphFilterOptions:
    """Options of `graph_filter`."""

    scope: Scope = "target"
    """``target``: read the target's items only (a control); ``all``: read items of all visible domains."""
    user_exponent: float = 0.5
    """Rows of the graph are divided by the person's number of items to this power."""
    item_exponent: float = 0.25
    """Columns of the graph are divided by the item's number of people to this power; more favours rare items."""
    output_exponent: float = 0.25
    """Scores are multiplied by the item's number of people to this power; as `item_exponent`: neutral."""
    rank: int = 64
    """Smoothest signals that the ideal low-pass filter lets through; 0: the linear filter alone."""
    low_pass: float = 0.3
    """Weight of the low-pass filter, both filters having the same spread."""
    max_items: int = 100_000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""

    search: ClassVar[Space] = {
        "user_exponent": Range(0.0, 1.0),
        "item_exponent": Range(0.0, 1.0),
        "output_exponent": Range(0.0, 1.0),
        "rank": Range(16, 256, log=True),
        "low_pass": Range(0.0, 2.0),
    }

    def __post_init__(self) -> None:
        if self.rank < 0 or self.low_pass < 0 or self.max_items < 1:
            raise ValueError("rank and low_pass must be 0 or more, max_items at least 1.")


@scorer("graph_filter")
@dataclass(frozen=True)
class GraphFilterScorer:
    """x̃ R̃ᵀ R̃ + w (x̃ V) Vᵀ, x̃ the history divided as the columns of R̃ are.

    Attributes:
        inputs: (p,) item codes that are read.
        graph: (users, p) CSR float32, R̃ = D_u^−a X D_i^−b.
        smooth: (p, rank) float32 right singular vectors V, times √w.
        outputs: (catalogue,) columns of `graph` that are scored.
        divide: (p,) float32, D_i^−b.
        multiply: (catalogue,) float32, what scores are multiplied by.
        popularity: (catalogue,) orders ties and users without history.
    """

    kind: ClassVar[str] = "graph_filter"
    inputs: Codes
    graph: sp.csr_matrix
    smooth: Floats
    outputs: Codes
    divide: Floats
    multiply: Floats
    popularity: Floats

    def score(self, history: History) -> Floats:
        """(n, catalogue) filtered signals."""
        signal = (weighted(history, "binary")[:, self.inputs] @ sp.diags(self.divide)).tocsr()
        scores, low = filtered(signal, self.graph, self.smooth, self.outputs)
        scores += low  # in place: arrays of people × catalogue are dear to make
        scores *= self.multiply[None, :]
        return with_popularity(scores, self.popularity)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: the score is a sum over events."""
        wanted = (asked * self.multiply).T
        passed = self.graph.T @ (self.graph[:, self.outputs] @ wanted)
        passed += self.smooth @ (self.smooth[self.outputs].T @ wanted)
        found, rows = among(history.counts.indices, self.inputs)
        parts = (passed[rows] * self.divide[rows, None]).T
        return Contributions(TIE_BREAK * (asked @ self.popularity), spread_over(history.counts.nnz, found, parts))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        names = ("inputs", "smooth", "outputs", "divide", "multiply", "popularity")
        return {n: getattr(self, n) for n in names} | pack("graph", self.graph), {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        rest = (tensors[n] for n in ("smooth", "outputs", "divide", "multiply", "popularity"))
        return cls(tensors["inputs"], unpack("graph", tensors), *rest)


@transfer(
    "graph_filter",
    options=GraphFilterOptions,
    paper="Shen et al. 2021, How Powerful is Graph Convolution for Recommendation? (GF-CF)",
    when="sparse data",
    cost="low",
    needs=("target_interactions",),
    control=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: GraphFilterOptions) -> Recommender:
    """Neighbours of neighbours, and the smoothest signals on the graph: no training, two sparse products."""
    events = weighted(training_history(problem, options.scope), "binary")
    inputs = inputs_of(events, problem.catalogue, options.scope, options.max_items)
    events = events[np.diff(events.indptr) > 0][:, inputs].tocsr()
    people, items = (np.asarray(events.sum(axis=axis)).ravel() for axis in (0, 1))
    divide = power(people, -options.item_exponent)
    graph = (sp.diags(power(items, -options.user_exponent)) @ events @ sp.diags(divide)).tocsr().astype(np.float32)
    outputs = np.searchsorted(inputs, problem.catalogue).astype(np.int64)
    smooth = scaled(smoothest(graph, options.rank), graph, outputs, options.low_pass)
    multiply = power(people[outputs], options.output_exponent)
    made = GraphFilterScorer(inputs, graph, smooth, outputs, divide, multiply, popularity_of(problem))
    return recommender_for(problem, "graph_filter", made)


def smoothest(graph: sp.csr_matrix, rank: int) -> Floats:
    """(p, rank) right singular vectors of the largest singular values; fewer where the graph is small."""
    most = min(rank, min(graph.shape) - 1)
    if most < 1:
        return np.zeros((graph.shape[1], 0), dtype=np.float32)
    if min(graph.shape) <= 4 * most:  # the iterative solver draws anew where it must find nearly all
        vectors = np.linalg.svd(graph.toarray(), full_matrices=False)[2][:most]
    else:
        start = generator(0, "svd").random(min(graph.shape))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vectors = svds(graph, k=most, v0=start, return_singular_vectors="vh")[2]
    return np.ascontiguousarray(vectors.T, dtype=np.float32)


def scaled(smooth: Floats, graph: sp.csr_matrix, outputs: Codes, low_pass: float) -> Floats:
    """`smooth` times √w, so that the low-pass filter has `low_pass` times the spread of the linear one."""
    linear, low = filtered(graph[:_LOOK], graph, smooth, outputs)
    spread = float(low.std()) if low.size else 0.0
    weight = low_pass * float(linear.std()) / spread if spread > 0 else 0.0
    return np.ascontiguousarray(smooth * np.sqrt(weight), dtype=np.float32)


def filtered(signal: sp.csr_matrix, graph: sp.csr_matrix, smooth: Floats, outputs: Codes) -> tuple[Floats, Floats]:
    """(n, outputs) of the linear and of the low-pass filter."""
    linear = ((signal @ graph.T) @ graph[:, outputs]).toarray()
    low = np.asarray(signal @ smooth) @ smooth[outputs].T
    return linear, low
