"""Top-k: the best items of a score matrix, or of item vectors, exactly or by an approximate index."""

from __future__ import annotations

from math import ceil, isqrt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from .errors import MethodError
from .types import Codes, Floats

APPROXIMATE_ABOVE = 200_000
"""With more items than this an `ApproximateIndex` answers single queries faster than a product; see docs/results."""
BLOCK_CELLS = 16_000_000
"""Scores held at once (64 MB)."""
_LOW = np.int64(0xFFFFFFFF)
Mask = npt.NDArray[np.bool_]
Top = tuple[Floats, Codes]
"""(n, k) float32 scores, best first (ties: lower place), and (n, k) places; −inf and −1 where there are no more."""


class Index(Protocol):
    """Finds the items whose vectors have the greatest inner product with a query."""

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """The k best items for each query.

        Args:
            queries: (n, d) float32.
            k: how many.
            seen: (n, items) CSR; stored items are left out of that row.
            available: (items,) only these are found.

        Returns:
            See `Top`. Filters never shorten a row while items are left.
        """
        ...


def block_of(n_items: int) -> int:
    """How many users are scored at once, so that memory stays bounded."""
    return max(1, BLOCK_CELLS // max(n_items, 1))


def columns_of(counts: sp.csr_matrix, places: Codes, n: int) -> sp.csr_matrix:
    """`counts` (users, item codes) as a mask (users, n) of places; codes whose place is −1 are left out."""
    found = places[counts.indices]
    inside = found >= 0
    ends = np.concatenate([[0], np.cumsum(inside)])[counts.indptr]
    return sp.csr_matrix((np.ones(ends[-1], np.bool_), found[inside], ends), shape=(counts.shape[0], n))


def top_k(scores: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
    """The k best columns of each row, as a full sort would give them.

    Args:
        scores: (n, m) float32 without NaN; **is written to** by the filters.
        k: how many.
        seen: (n, m) CSR; stored columns are left out of that row.
        available: (m,) only these columns are found.

    Returns:
        See `Top`.
    """
    if seen is not None:
        scores[np.repeat(np.arange(len(scores)), np.diff(seen.indptr)), seen.indices] = -np.inf
    if available is not None:
        scores += np.where(available, np.float32(0), np.float32(-np.inf))
    n, m = scores.shape
    width = isqrt(m // k)
    if width < 4:
        return _best(scores, np.broadcast_to(np.arange(m), (n, m)), k)
    # The k best are in the k chunks with the best maxima: with chunks of √(m / k) columns, both sorts are short.
    whole = m // width * width
    maxima = torch.from_numpy(scores[:, :whole].reshape(n, whole // width, width)).amax(2).numpy()
    if whole < m:
        maxima = np.hstack([maxima, scores[:, whole:].max(axis=1, keepdims=True)])
    chunks = _best(maxima, np.broadcast_to(np.arange(maxima.shape[1]), maxima.shape), k, keep_lost=True)[1]
    columns = (chunks[:, :, None] * width + np.arange(width)).reshape(n, k * width)
    candidates = np.take_along_axis(scores, np.minimum(columns, m - 1), axis=1)
    candidates[columns >= m] = -np.inf
    return _best(candidates, columns, k)


def _best(scores: Floats, columns: Codes, k: int, *, keep_lost: bool = False) -> Top:
    """The k best of `scores` (n, c), whose places are `columns` (n, c); places of −inf become −1 unless kept."""
    found = min(k, scores.shape[1])
    values = np.full((len(scores), k), -np.inf, dtype=np.float32)
    places = np.full((len(scores), k), -1, dtype=np.int64)
    if not found:
        return values, places
    bits = (scores + np.float32(0)).view(np.int32)  # + 0 makes −0 and 0 equal
    ordered = (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)
    # Score and place in one number, so that the choice among ties is the same as a stable sort's.
    keys = (ordered << 32) | (_LOW - columns)
    keys = np.partition(keys, keys.shape[1] - found, axis=1)[:, keys.shape[1] - found :]
    keys = np.sort(keys, axis=1)[:, ::-1]
    high = (keys >> 32).astype(np.int32)
    values[:, :found] = (high ^ ((high >> 31) & np.int32(0x7FFFFFFF))).view(np.float32)
    places[:, :found] = _LOW - (keys & _LOW)
    if not keep_lost:
        places[np.isneginf(values)] = -1
    return values, places


class ExactIndex:
    """Blocked matrix product and top-k.

    Args:
        vectors: (items, d) float32.
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """See `Index.top`; exact."""
        if available is not None and 4 * np.count_nonzero(available) < len(available):
            return self._top_of_few(queries, k, seen, np.flatnonzero(available))
        step = block_of(len(self.vectors))
        buffer = np.empty((min(step, len(queries)), len(self.vectors)), dtype=np.float32)
        parts = []
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            scores = np.matmul(block, self.vectors.T, out=buffer[: len(block)])
            parts.append(top_k(scores, k, None if seen is None else seen[start : start + step], available))
        return _joined(parts, k)

    def _top_of_few(self, queries: Floats, k: int, seen: sp.csr_matrix | None, few: Codes) -> Top:
        values, places = ExactIndex(self.vectors[few]).top(queries, k, None if seen is None else seen[:, few])
        return values, np.where(places < 0, -1, np.append(few, -1)[places])


class ApproximateIndex:
    """A graph of near neighbours (HNSW, by usearch); scores are exact, a few of the k best may be missed.

    Args:
        vectors: (items, d) float32. Building takes some seconds for every 10,000 items, on one thread so that it
            gives the same graph every time.

    Raises:
        MethodError: usearch is not installed.
    """

    def __init__(self, vectors: Floats) -> None:
        try:
            from usearch.index import Index as Graph
        except ImportError:
            raise MethodError(
                "the approximate index needs usearch, which is not installed; run `pip install crossaisle[ann]`."
            ) from None
        self.exact = ExactIndex(vectors)
        vectors = self.exact.vectors
        self._graph: Any = Graph(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_search=384)
        self._graph.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=1)

    def top(self, queries: Floats, k: int, seen: sp.csr_matrix | None = None, available: Mask | None = None) -> Top:
        """See `Index.top`; rows that the filters leave short, and narrow filters, are answered exactly."""
        n_items = len(self.exact.vectors)
        share = 1.0 if available is None else max(float(available.mean()), 1e-9)
        most_seen = 0 if seen is None else int(np.diff(seen.indptr).max(initial=0))
        fetch = ceil((k + most_seen) / share) * (1 if available is None else 2)
        if 8 * fetch > n_items or not len(queries):
            return self.exact.top(queries, k, seen, available)
        step = max(1, BLOCK_CELLS // (fetch * queries.shape[1]))
        parts = []
        for start in range(0, len(queries), step):
            of_block = None if seen is None else seen[start : start + step]
            parts.append(self._top(queries[start : start + step], k, fetch, of_block, available))
        return _joined(parts, k)

    def _top(self, queries: Floats, k: int, fetch: int, seen: sp.csr_matrix | None, available: Mask | None) -> Top:
        n_items = len(self.exact.vectors)
        places = self._neighbours(queries, fetch)
        missing = places < 0
        scores = np.matmul(self.exact.vectors[places], queries[:, :, None])[:, :, 0]
        rows = np.arange(len(queries))
        if seen is not None:
            taken = np.repeat(rows, np.diff(seen.indptr)) * n_items + seen.indices
            missing |= np.isin(rows[:, None] * n_items + places, taken)
        if available is not None:
            missing |= ~available[places]
        scores[missing] = -np.inf
        values, best = _best(scores, places, k)
        short = np.flatnonzero(best[:, -1] < 0)
        if len(short):
            few = None if seen is None else seen[short]
            values[short], best[short] = self.exact.top(queries[short], k, few, available)
        return values, best

    def _neighbours(self, queries: Floats, fetch: int) -> Codes:
        """(n, fetch) places of near items, −1 where the graph found fewer."""
        found = self._graph.search(np.asarray(queries, dtype=np.float32), fetch)
        places = np.full((len(queries), fetch), -1, dtype=np.int64)
        if len(queries) == 1:  # usearch gives one query another shape, cut to what was found
            places[0, : len(found.keys)] = found.keys.astype(np.int64)
            return places
        filled = np.arange(fetch) < np.asarray(found.counts)[:, None]
        places[filled] = found.keys.astype(np.int64)[filled]
        return places


def index_of(vectors: Floats) -> Index:
    """An approximate index of `vectors` (items, d) where usearch is installed, else an exact one."""
    try:
        return ApproximateIndex(vectors)
    except MethodError:  # exact answers are right too, only slower
        return ExactIndex(vectors)


def _joined(parts: list[Top], k: int) -> Top:
    if not parts:
        return np.empty((0, k), dtype=np.float32), np.empty((0, k), dtype=np.int64)
    return np.concatenate([v for v, _ in parts]), np.concatenate([p for _, p in parts])
