"""The screened index gives the list of a full sort of exact scores, whatever the vectors."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from crossaisle import screen
from crossaisle.index import ExactIndex, Top
from crossaisle.screen import ScreenedIndex, exact_scores, good_ones
from crossaisle.types import Floats

KINDS = ("normal", "whole", "twins", "zeros", "alike", "one long", "huge", "tiny", "mixed", "one direction")


def vectors_of(kind: str, n: int, d: int, draw: np.random.Generator) -> Floats:
    """(n, d) vectors of a kind that a bound may get wrong."""
    made = draw.standard_normal((n, d))
    if kind == "whole":
        made = np.rint(made)
    elif kind == "twins":
        made = made[draw.integers(max(n // 20, 1), size=n)]
    elif kind == "zeros":
        made[draw.random(n) < 0.6] = 0
    elif kind == "alike":
        made = made[:1] + 1e-7 * made
    elif kind == "one long":
        made[n // 2] *= 1e6
    elif kind in ("huge", "tiny", "mixed"):
        made *= {"huge": 1e37, "tiny": 1e-42, "mixed": 10.0 ** draw.integers(-38, 37, (n, 1))}[kind]
    elif kind == "one direction":
        made[:, 0] += 300
    return made.astype(np.float32)


def by_sorting(index: ScreenedIndex, queries: Floats, k: int, left: np.ndarray) -> Top:
    """The definition: exact scores of what is `left`, by a stable sort."""
    n = len(index.vectors)
    values, places = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1)
    for row, query in enumerate(queries):
        scores = np.where(left[row], exact_scores(index.vectors, query, np.arange(n)), np.float32(-np.inf))
        order = np.argsort(-scores, kind="stable")[:k]
        order = order[scores[order] > -np.inf]
        values[row, : len(order)], places[row, : len(order)] = scores[order], order
    return values, places


def same(found: Top, wanted: Top) -> None:
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_array_equal(found[0], wanted[0])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.sampled_from([*KINDS, "item"]),
    st.integers(0, 2**32 - 1),
    st.integers(1, 3000),
    st.integers(1, 70),
    st.sampled_from([1, 3, 10, 200]),
    st.sampled_from([None, 0.0, 0.02, 0.5, 1.0]),
)
def test_a_screened_list_is_a_full_sort(
    kind: str, asked: str, seed: int, n: int, d: int, k: int, share: float | None
) -> None:
    draw = np.random.default_rng(seed)
    vectors = vectors_of(kind, n, d, draw)
    queries = vectors[draw.integers(n, size=3)] if asked == "item" else vectors_of(asked, 3, d, draw)
    queries[0] *= np.float32(0) if seed % 5 == 0 else np.float32(1)
    index = ScreenedIndex(vectors)
    seen = sp.csr_matrix(draw.random((3, n)) < 0.05) if share is not None else None
    available = draw.random(n) < share if share is not None else None
    left = np.ones((3, n), bool) if seen is None else ~seen.toarray() & available
    same(index.top(queries, k, seen, available), by_sorting(index, queries, k, left))


@pytest.mark.parametrize("kind", ["normal", "twins", "zeros"])
def test_few_items_are_scored_exactly(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the screen would be of no use."""
    asked: list[int] = []
    monkeypatch.setattr(screen, "exact_scores", lambda v, q, p: asked.append(len(p)) or exact_scores(v, q, p))
    draw = np.random.default_rng(0)
    index = ScreenedIndex(vectors_of(kind, 20_000, 64, draw))
    for query in draw.standard_normal((20, 64), dtype=np.float32):
        index.top(query[None], 10)
    assert np.median(asked) < 400


def test_scores_are_those_of_the_product() -> None:
    draw = np.random.default_rng(0)
    vectors, queries = (
        draw.standard_normal((5000, 48), dtype=np.float32),
        draw.standard_normal((9, 48), dtype=np.float32),
    )
    found, wanted = ScreenedIndex(vectors).top(queries, 10), ExactIndex(vectors).top(queries, 10)
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5)


def test_whole_numbers_give_the_list_of_the_product_with_its_ties() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.integers(-2, 3, (5000, 8)).astype(np.float32)
    queries = draw.integers(-2, 3, (20, 8)).astype(np.float32)
    same(ScreenedIndex(vectors).top(queries, 20), ExactIndex(vectors).top(queries, 20))


def test_without_numkong_lists_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    vectors, queries = (
        draw.standard_normal((5000, 48), dtype=np.float32),
        draw.standard_normal((9, 48), dtype=np.float32),
    )
    wanted = ScreenedIndex(vectors).top(queries, 10)
    monkeypatch.setitem(sys.modules, "numkong", None)
    same(ScreenedIndex(vectors).top(queries, 10), wanted)


def test_a_score_does_not_depend_on_its_company() -> None:
    draw = np.random.default_rng(0)
    vectors, queries = (
        draw.standard_normal((999, 33), dtype=np.float32),
        draw.standard_normal((5, 33), dtype=np.float32),
    )
    index = ScreenedIndex(vectors)
    together = index.top(queries, 7)
    for row in range(5):
        alone = index.top(queries[row : row + 1], 7)
        same((together[0][row : row + 1], together[1][row : row + 1]), alone)
        few = np.zeros(999, bool)
        few[alone[1][0]] = True
        same(index.top(queries[row : row + 1], 7, None, few), alone)


def test_no_queries_and_no_items() -> None:
    empty = ScreenedIndex(np.zeros((4, 2), np.float32)).top(np.zeros((0, 2), np.float32), 3)
    assert (empty[0].shape, empty[1].shape) == ((0, 3), (0, 3))
    assert ScreenedIndex(np.zeros((0, 2), np.float32)).top(np.ones((1, 2), np.float32), 2)[1].tolist() == [[-1, -1]]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 20), st.sampled_from([2, 10**6]))
def test_good_ones_are_distinct_and_left(seed: int, n: int, k: int, levels: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(-levels, levels, n).astype(np.float32)
    scores[draw.random(n) < 0.5] = -np.inf
    found = good_ones(scores, k)
    assert len(set(found.tolist())) == len(found) == min(k, np.count_nonzero(scores > -np.inf))
    assert (scores[found] > -np.inf).all()
