"""What the closed-form methods share: weights of events, popularity, ties, sparse matrices as arrays."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
import scipy.linalg
import scipy.sparse as sp

from ..metrics import Doubles
from ..types import Asked, Codes, Floats, History, Tensors
from .problem import Problem, history_of

Scope = Literal["target", "all"]
Weight = Literal["log", "binary", "count"]
TIE_BREAK = 1e-6
"""Popularity (0 to 1) times this is added to personal scores: it orders ties, and serves unknown users."""

_FLAT = 1e-12
"""Standard deviation below which scores are taken as equal."""
_SIDE = 1024
"""Side of the tiles in which a triangle is mirrored."""


def weighted(history: History, weight: Weight = "log", half_life_weeks: float | None = None) -> sp.csr_matrix:
    """How much each (user, item) pair of a history says.

    Args:
        history: n users.
        weight: ``log``: log(1 + count); ``binary``: 1; ``count``: the count.
        half_life_weeks: weeks after which an event says half as much; None for no decay.

    Returns:
        (n, world items) CSR float32.
    """
    data = history.counts.data.astype(np.float32)
    data = {"log": np.log1p(data), "binary": np.ones_like(data), "count": data}[weight]
    if half_life_weeks is not None:
        data = data * np.exp2(-history.ages / np.float32(7.0 * half_life_weeks))
    return sp.csr_matrix((data, history.counts.indices, history.counts.indptr), history.counts.shape)


def training_history(problem: Problem, scope: Scope) -> History:
    """History of all users (rows = user codes): of the target alone, or of all visible domains."""
    if scope == "all":
        return problem.history
    world = problem.world
    return history_of(problem.target_rows, world.n_users, world.n_items, problem.split.cut)


def popularity_of(
    problem: Problem,
    scope: Scope = "target",
    unit: Literal["users", "events"] = "users",
    half_life_weeks: float | None = None,
) -> Floats:
    """(catalogue,) visible popularity, divided by its maximum; zeros where nothing was sold.

    Args:
        problem: what is visible.
        scope: rows of the target alone, or of the catalogue's items in all domains.
        unit: count distinct users (by their latest event) or events.
        half_life_weeks: as in `weighted`.
    """
    rows = problem.target_rows if scope == "target" else problem.visible
    end = problem.split.cut if problem.split.cut is not None else rows["timestamp"].max()
    seconds = (pl.lit(end, dtype=pl.Datetime("us")) - pl.col("timestamp")).dt.total_seconds()
    aged = rows.select("user", "item", age=seconds.fill_null(0).clip(lower_bound=0) / (7 * 86400.0))
    if unit == "users":
        aged = aged.group_by("user", "item").agg(pl.col("age").min()).sort("user", "item")
    worth = np.exp2(-aged["age"].to_numpy() / half_life_weeks) if half_life_weeks is not None else None
    totals = np.bincount(aged["item"].to_numpy(), worth, minlength=problem.world.n_items)[problem.catalogue]
    return (totals / max(float(totals.max(initial=0.0)), 1e-30)).astype(np.float32)


def power(counts: Floats, exponent: float) -> Floats:
    """`counts` to a power; 0 stays 0."""
    made: Floats = np.where(counts > 0, np.maximum(counts, 1e-12) ** exponent, 0.0).astype(np.float32)
    return made


def with_popularity(scores: Floats, popularity: Floats) -> Floats:
    """`scores` (n, catalogue) with ties and rows of zeros ordered by `popularity` (catalogue,), 0 to 1."""
    return scores + np.float32(TIE_BREAK) * popularity[None, :]


def from_0_to_1(scores: Floats) -> Floats:
    """`scores` (n,) moved and scaled so that the least is 0 and the greatest 1; equal ones become 0."""
    above = scores - scores.min(initial=np.inf)
    return np.asarray(above / max(float(above.max(initial=0.0)), 1e-30), dtype=np.float32)


def standardised(scores: Floats) -> Floats:
    """Each row with mean 0 and standard deviation 1; rows of equal scores become 0."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    made: Floats = np.where(spread > _FLAT, centred / np.maximum(spread, _FLAT), 0.0).astype(np.float32)
    return made


def standardised_ask(scores: Floats, asked: Asked) -> Asked:
    """The question about one person's `scores` (1, catalogue) that answers `asked` about the `standardised` ones.

    Their mean is part of the question; their spread is taken as given. So both stay linear in what the scores are.
    """
    spread = float(scores.std())
    if spread <= _FLAT:
        return np.zeros_like(asked)
    made: Asked = (asked - asked.sum(axis=1, keepdims=True) / scores.shape[1]) / spread
    return made


def among(codes: Codes, inputs: Codes) -> tuple[Codes, Codes]:
    """Which of `codes` are among the sorted `inputs`, and where there."""
    place = np.minimum(np.searchsorted(inputs, codes), max(len(inputs) - 1, 0))
    found = np.flatnonzero(inputs[place] == codes) if len(inputs) else np.zeros(0, dtype=np.int64)
    return found, place[found]


def spread_over(events: int, found: Codes, values: Doubles) -> Doubles:
    """(m, events) with `values` (m, found) in the columns `found`, and 0 in those that a scorer does not read."""
    parts = np.zeros((len(values), events))
    parts[:, found] = values
    return parts


def best_per_row(matrix: sp.csr_matrix, k: int) -> sp.csr_matrix:
    """The k greatest stored values of each row (ties: lower column), the rest dropped."""
    matrix = matrix.tocsr()
    starts, ends = matrix.indptr[:-1], matrix.indptr[1:]
    least = np.full(matrix.shape[0], -np.inf)
    for r in np.flatnonzero(ends - starts > k):  # sorting long rows whole would take twenty times as long
        least[r] = np.partition(matrix.data[starts[r] : ends[r]], -k)[-k]
    row = np.repeat(np.arange(matrix.shape[0]), ends - starts)
    near = np.flatnonzero(matrix.data >= least[row])
    order = near[np.lexsort((matrix.indices[near], -matrix.data[near], row[near]))]
    number = np.bincount(row[near], minlength=matrix.shape[0])
    place = np.arange(len(order)) - np.repeat(np.cumsum(number) - number, number)
    kept = order[place < k]
    return sp.csr_matrix((matrix.data[kept], (row[kept], matrix.indices[kept])), shape=matrix.shape)


def pack(name: str, matrix: sp.csr_matrix) -> Tensors:
    """A CSR matrix as named arrays, for `Scorer.state`."""
    return {
        f"{name}.data": np.ascontiguousarray(matrix.data),
        f"{name}.indices": np.ascontiguousarray(matrix.indices.astype(np.int64)),
        f"{name}.indptr": np.ascontiguousarray(matrix.indptr.astype(np.int64)),
        f"{name}.shape": np.asarray(matrix.shape, dtype=np.int64),
    }


def unpack(name: str, tensors: Tensors) -> sp.csr_matrix:
    """The inverse of `pack`."""
    rows, columns = (int(n) for n in tensors[f"{name}.shape"])
    parts = (tensors[f"{name}.data"], tensors[f"{name}.indices"], tensors[f"{name}.indptr"])
    return sp.csr_matrix(parts, shape=(rows, columns))


def inputs_of(counts: sp.csr_matrix, catalogue: Codes, scope: Scope, max_items: int) -> Codes:
    """Sorted item codes a model reads: the catalogue, in scope ``all`` also `max_items` common ones."""
    if scope == "target":
        return catalogue
    people = np.bincount(counts.indices, minlength=counts.shape[1])
    often = np.argsort(-people, kind="stable")[:max_items]
    return np.union1d(catalogue, often[people[often] > 0]).astype(np.int64)


def regular_gram(matrix: sp.csr_matrix, regularization: float) -> Doubles:
    """(n, n) M Mᵀ + λI for `matrix` M (n, d); symmetric positive definite."""
    wide = matrix.astype(np.float64, copy=False)
    gram: Doubles = (wide @ wide.T).toarray()
    gram[np.diag_indices_from(gram)] += regularization
    return gram


def regular_inverse(matrix: sp.csr_matrix, regularization: float) -> Doubles:
    """(n, n) inverse of M Mᵀ + λI for `matrix` M (n, d), by Cholesky in one place."""
    factor, _ = scipy.linalg.lapack.dpotrf(regular_gram(matrix, regularization).T, lower=1, overwrite_a=1)
    half, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    return mirrored(half).T  # in C order


def mirrored(lower: Doubles) -> Doubles:
    """`lower` (n, n) with its lower triangle copied over the upper one, in place."""
    for start in range(0, len(lower), _SIDE):
        stop = start + _SIDE
        lower[start:stop, stop:] = lower[stop:, start:stop].T
        square = lower[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
    return lower
