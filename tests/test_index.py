"""Top-k against a full sort, filters, and the recall of the approximate index."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crossaisle import index
from crossaisle.errors import MethodError
from crossaisle.index import ApproximateIndex, ExactIndex, Top, index_of, top_k

RECALL = 0.95


def by_sorting(scores: np.ndarray, k: int) -> Top:
    """The definition: stable sort by descending score; what is −inf is not found."""
    places = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(scores, places, axis=1)
    places = np.where(np.isneginf(values), -1, places)
    short = k - places.shape[1]
    if short > 0:
        values = np.pad(values, ((0, 0), (0, short)), constant_values=-np.inf)
        places = np.pad(places, ((0, 0), (0, short)), constant_values=-1)
    return values, places


def same(found: Top, wanted: Top) -> None:
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_array_equal(found[0], wanted[0])


numbers = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf]), st.floats(width=32, allow_nan=False))
small = arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(0, 30)), elements=numbers)


@given(small, st.integers(1, 12))
def test_top_k_is_a_full_sort(scores: np.ndarray, k: int) -> None:
    same(top_k(scores.copy(), k), by_sorting(scores, k))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.integers(1, 30), st.sampled_from([2, 20, 10**6]))
def test_top_k_by_chunks_is_a_full_sort(seed: int, m: int, k: int, levels: int) -> None:
    """Few levels make many ties, within a chunk and between chunks."""
    draw = np.random.default_rng(seed)
    scores = draw.integers(-levels, levels, (5, m)).astype(np.float32) / 7
    scores[1, draw.random(m) < 0.9] = -np.inf
    scores[2] = -np.inf
    scores[3] = 0
    same(top_k(scores.copy(), k), by_sorting(scores, k))


def test_top_k_by_hand() -> None:
    scores = np.array([[1, 3, 3, 2]], np.float32)
    assert top_k(scores.copy(), 3)[1].tolist() == [[1, 2, 3]]
    assert top_k(scores.copy(), 3, seen=sp.csr_matrix([[0, 1, 0, 0]]))[1].tolist() == [[2, 3, 0]]
    assert top_k(scores.copy(), 3, available=np.array([1, 1, 0, 0], bool))[1].tolist() == [[1, 0, -1]]
    assert top_k(scores, 3, available=np.zeros(4, bool))[0].tolist() == [[-np.inf] * 3]


def filters(draw: np.random.Generator, n: int, m: int, share: float) -> tuple[sp.csr_matrix, np.ndarray]:
    seen = sp.csr_matrix(draw.random((n, m)) < 0.2, dtype=np.float32)
    return seen, draw.random(m) < share


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.2, 0.7]), st.booleans(), st.sampled_from([7, 1000]))
def test_exact_index_respects_filters(seed: int, share: float, whole: bool, cells: int) -> None:
    """Also in blocks of few users; whole numbers make the product exact, so that ties stay ties."""
    draw = np.random.default_rng(seed)
    vectors = draw.integers(-3, 4, (50, 3)).astype(np.float32)
    queries = draw.integers(-3, 4, (9, 3)).astype(np.float32)
    seen, available = (None, None) if whole else filters(draw, 9, 50, share)
    wanted = queries @ vectors.T
    if seen is not None and available is not None:
        wanted = np.where(seen.toarray().astype(bool) | ~available, -np.inf, wanted).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "BLOCK_CELLS", cells)
        same(ExactIndex(vectors).top(queries, 5, seen, available), by_sorting(wanted, 5))


def test_no_queries_and_no_items() -> None:
    empty = ExactIndex(np.zeros((4, 2), np.float32)).top(np.zeros((0, 2), np.float32), 3)
    assert (empty[0].shape, empty[1].shape) == ((0, 3), (0, 3))
    assert ExactIndex(np.zeros((0, 2), np.float32)).top(np.ones((1, 2), np.float32), 2)[1].tolist() == [[-1, -1]]


@pytest.fixture(scope="module")
def graph() -> ApproximateIndex:
    pytest.importorskip("usearch")
    return ApproximateIndex(np.random.default_rng(1).standard_normal((8000, 24), dtype=np.float32))


def recall(found: Top, wanted: Top) -> float:
    return float(np.mean([np.isin(w, f).mean() for f, w in zip(found[1], wanted[1], strict=True)]))


@pytest.mark.parametrize("n", [1, 100])
def test_approximate_index_finds_nearly_all(graph: ApproximateIndex, n: int) -> None:
    queries = np.random.default_rng(2).standard_normal((n, 24), dtype=np.float32)
    found = graph.top(queries, 10)
    assert recall(found, graph.exact.top(queries, 10)) >= RECALL
    direct = np.take_along_axis(queries @ graph.exact.vectors.T, found[1], axis=1)
    np.testing.assert_allclose(found[0], direct, rtol=1e-5, atol=1e-5)
    assert (np.diff(found[0], axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("n_seen", [0, 50, 2000])
def test_approximate_index_respects_filters(graph: ApproximateIndex, share: float, n_seen: int) -> None:
    """The seen items are the best ones, so a search that does not fetch more comes back empty."""
    draw = np.random.default_rng(3)
    queries = draw.standard_normal((20, 24), dtype=np.float32)
    best = graph.exact.top(queries, max(n_seen, 1))[1]
    rows = np.repeat(np.arange(20), n_seen)
    seen = sp.csr_matrix((np.ones(len(rows)), (rows, best[:, :n_seen].ravel())), shape=(20, 8000))
    available = draw.random(8000) < share
    values, places = graph.top(queries, 10, seen, available)
    wanted = graph.exact.top(queries, 10, seen, available)
    found = places >= 0
    assert found.sum() == (wanted[1] >= 0).sum(), "a filter shortened a list"
    assert available[places[found]].all()
    assert not seen.toarray()[np.nonzero(found)[0], places[found]].any()
    assert np.isneginf(values[~found]).all()
    assert recall((values, places), wanted) >= RECALL


def test_rows_left_short_by_the_graph_are_answered_exactly(graph: ApproximateIndex) -> None:
    """Available are the worst items for the query: the graph's neighbours are all filtered away."""
    query = np.random.default_rng(4).standard_normal((1, 24), dtype=np.float32)
    available = np.zeros(8000, bool)
    available[np.argsort((query @ graph.exact.vectors.T)[0])[:5000]] = True
    same(graph.top(query, 10, None, available), graph.exact.top(query, 10, None, available))


def test_the_same_vectors_give_the_same_graph(graph: ApproximateIndex) -> None:
    queries = np.random.default_rng(5).standard_normal((30, 24), dtype=np.float32)
    same(ApproximateIndex(graph.exact.vectors).top(queries, 10), graph.top(queries, 10))


def test_with_usearch_the_index_is_approximate() -> None:
    pytest.importorskip("usearch")
    assert isinstance(index_of(np.eye(3, dtype=np.float32)), ApproximateIndex)


def test_without_usearch_answers_are_exact_and_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MethodError, match=r"pip install crossaisle\[ann\]"):
        ApproximateIndex(np.eye(3, dtype=np.float32))
    assert isinstance(index_of(np.eye(3, dtype=np.float32)), ExactIndex)
