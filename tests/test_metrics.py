"""Metrics against numbers worked by hand, and properties that hold for any input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossaisle import metrics

L2, L3, L4 = 1.0, 1 / math.log2(3), 1 / math.log2(4)
HITS = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]], dtype=bool)
RELEVANT = np.array([2, 1, 4, 5, 0])
NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("ndcg", 3, [(L2 + L4) / (L2 + L3), 0, L3 / (L2 + L3 + L4), 1, NAN]),
        ("ndcg", 1, [1, 0, 0, 1, NAN]),
        (
            "ndcg",
            10,
            [(L2 + L4) / (L2 + L3), 0, L3 / sum(1 / math.log2(i + 1) for i in range(1, 5)), None, NAN],
        ),
        ("recall", 3, [1, 0, 0.25, 0.6, NAN]),
        ("recall", 2, [0.5, 0, 0.25, 0.4, NAN]),
        ("precision", 3, [2 / 3, 0, 1 / 3, 1, NAN]),
        ("precision", 5, [2 / 5, 0, 1 / 5, 3 / 5, NAN]),
        ("hit", 1, [1, 0, 0, 1, NAN]),
        ("hit", 2, [1, 0, 1, 1, NAN]),
        ("mrr", 3, [1, 0, 0.5, 1, NAN]),
        ("mrr", 1, [1, 0, 0, 1, NAN]),
        ("map", 3, [(1 + 2 / 3) / 2, 0, 0.5 / 3, 1, NAN]),
        ("map", 1, [1, 0, 0, 1, NAN]),
    ],
)
def test_ranking_metrics_by_hand(name: str, k: int, expected: list[float | None]) -> None:
    got = metrics.RANKING[name](HITS, RELEVANT, k)
    for value, wanted in zip(got, expected, strict=True):
        if wanted is not None:
            assert value == pytest.approx(wanted, nan_ok=True)


def test_top_k_orders_breaks_ties_by_column_and_marks_what_is_missing() -> None:
    scores = np.array([[1.0, 3.0, 2.0, 3.0], [0, 0, 0, 0], [-np.inf, 5, -np.inf, -np.inf]], dtype=np.float32)
    assert metrics.top_k(scores, 2).tolist() == [[1, 3], [0, 1], [1, -1]]
    assert metrics.top_k(scores, 9).tolist() == [[1, 3, 2, 0], [0, 1, 2, 3], [1, -1, -1, -1]]
    assert metrics.top_k(np.zeros((0, 3)), 2).shape == (0, 2)


def test_hits_of() -> None:
    relevant = sp.csr_matrix(np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]]))
    ranked = np.array([[2, 1], [0, 1], [-1, 1]])
    assert metrics.hits_of(ranked, relevant).tolist() == [[True, False], [False, False], [False, True]]
    assert not metrics.hits_of(ranked, sp.csr_matrix((3, 3))).any()


def test_ranks_among_counts_a_tie_as_half_a_place() -> None:
    scores = np.array([[0.5, 0.9, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0]])
    ranks = metrics.ranks_among(scores, np.array([0, 3]), np.array([[1, 2, 3], [0, 1, -1]]))
    assert ranks.tolist() == [2.5, 2.0]
    assert metrics.hit_from_ranks(ranks, 2).tolist() == [0, 1]
    assert metrics.ndcg_from_ranks(ranks, 10) == pytest.approx([1 / math.log2(3.5), 1 / math.log2(3)])
    assert metrics.ndcg_from_ranks(ranks, 2)[0] == 0


def test_auc_and_grouped_auc_by_hand() -> None:
    scores, labels = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])
    assert metrics.auc(scores, labels) == pytest.approx(0.75)
    assert metrics.auc(np.zeros(4), labels) == pytest.approx(0.5)
    assert math.isnan(metrics.auc(scores, np.ones(4)))
    assert math.isnan(metrics.auc(np.zeros(0), np.zeros(0)))
    # Group 7: one pair in order (AUC 1, 2 rows); 9: two pairs in wrong order (AUC 0, 3 rows); 8: one class.
    groups = np.array([7, 7, 9, 9, 9, 8])
    grouped = metrics.gauc(np.array([0.2, 0.9, 0.9, 0.5, 0.4, 1.0]), np.array([0, 1, 0, 0, 1, 1]), groups)
    assert grouped == pytest.approx(2 / 5)


def test_logloss_and_calibration_by_hand() -> None:
    loss = metrics.logloss(np.array([0.5, 0.8, 1.0, 0.0]), np.array([1, 0, 1, 1]))
    assert loss[:3] == pytest.approx([math.log(2), -math.log(0.2), 0], abs=1e-6)
    assert np.isfinite(loss).all()
    p = np.array([0.2] * 5 + [0.8] * 5)
    labels = np.array([1, 0, 0, 0, 0, 1, 1, 1, 1, 0])
    assert metrics.calibration_error(p, labels, bins=2) == pytest.approx(0.0)
    assert metrics.calibration_error(p, 1 - labels, bins=2) == pytest.approx(0.6)
    assert math.isnan(metrics.calibration_error(np.zeros(0), np.zeros(0)))


def test_exposure_by_hand() -> None:
    ranked = np.array([[0, 1], [0, 2], [0, -1]])
    assert metrics.coverage(ranked, 4) == 0.75
    # Exposures 0, 1, 1, 3: Σ(2i−n−1)x = −1·1 + 1·1 + 3·3 = 9; 9 / (4 · 5).
    assert metrics.gini(ranked, 4) == pytest.approx(9 / 20)
    assert metrics.gini(np.array([[0, 1, 2, 3]]), 4) == 0
    assert math.isnan(metrics.gini(np.full((1, 2), -1), 4))
    popularity = np.array([5, 1, 0, 0])
    share = np.array([6, 2, 1, 1]) / 10
    assert metrics.novelty(ranked, popularity) == pytest.approx(
        [-np.log2(share[[0, 1]]).mean(), -np.log2(share[[0, 2]]).mean(), -np.log2(share[0])]
    )


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.integers(-3, 3).map(float),
    ),
    st.integers(1, 10),
)
def test_top_k_is_the_stable_sort(scores: np.ndarray, k: int) -> None:
    assert metrics.top_k(scores, k).tolist() == np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 8))),
    st.integers(0, 5),
    st.integers(1, 10),
)
def test_ranking_metrics_lie_between_0_and_1_and_1_is_the_ideal(hits: np.ndarray, more: int, k: int) -> None:
    relevant = hits.sum(axis=1) + more
    for name, metric in metrics.RANKING.items():
        values = metric(hits, relevant, k)
        assert np.isnan(values[relevant == 0]).all()
        assert ((values[relevant > 0] >= 0) & (values[relevant > 0] <= 1 + 1e-12)).all(), name
    ideal = np.arange(k)[None, :] < relevant[:, None]
    assert metrics.ndcg(ideal, relevant, k)[relevant > 0] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 5)), st.data())
def test_auc_equals_the_count_of_pairs(scores: np.ndarray, data: st.DataObject) -> None:
    labels = data.draw(hnp.arrays(np.int64, len(scores), elements=st.integers(0, 1)))
    positive, negative = scores[labels == 1], scores[labels == 0]
    pairs = positive[:, None] - negative[None, :]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean() if pairs.size else float("nan")
    assert metrics.auc(scores, labels) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=30))
def test_grouped_auc_is_the_mean_of_the_groups(rows: list[tuple[int, int, int]]) -> None:
    scores, labels, groups = np.array(rows).T
    parts = [(metrics.auc(scores[groups == g], labels[groups == g]), (groups == g).sum()) for g in range(3)]
    known = [(area, size) for area, size in parts if not math.isnan(area)]
    expected = sum(a * n for a, n in known) / sum(n for _, n in known) if known else float("nan")
    assert metrics.gauc(scores, labels, groups) == pytest.approx(expected, nan_ok=True)
    # A rising curve of the scores keeps the order, a falling one turns it.
    assert metrics.gauc(np.exp(scores), labels, groups) == pytest.approx(expected, nan_ok=True)
    assert metrics.gauc(-scores, labels, groups) == pytest.approx(1 - expected, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40), st.integers(1, 12))
def test_calibration_error_is_between_the_gap_of_the_whole_and_that_of_each_row(
    rows: list[tuple[float, int]], bins: int
) -> None:
    told, labels = np.array(rows).T
    error = metrics.calibration_error(told, labels, bins)
    assert abs(told.mean() - labels.mean()) - 1e-12 <= error <= np.abs(told - labels).mean() + 1e-12
    assert metrics.calibration_error(told[::-1], labels[::-1], bins) == pytest.approx(error)
    assert metrics.calibration_error(labels, labels, bins) == 0
    # In one bin, and for a constant, only the mean counts.
    assert metrics.calibration_error(told, labels, 1) == pytest.approx(abs(told.mean() - labels.mean()))
    constant = np.full(len(labels), labels.mean())
    assert metrics.calibration_error(constant, labels, bins) == pytest.approx(0, abs=1e-12)
