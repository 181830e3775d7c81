"""Profiles: sums that add up, singular vectors, and folding in of what fusion never saw."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.encoders.content import Content
from crossaisle.models.profile import Profiles, collaborative_vectors, only, rarity_of, unit_rows, weigh

USERS, ITEMS = 60, 20
DRAW = np.random.default_rng(0)
EVENTS = sp.csr_matrix((DRAW.random((USERS, ITEMS)) < 0.3) * DRAW.random((USERS, ITEMS)), dtype=np.float32)
CONTENT = Content(
    DRAW.standard_normal((ITEMS, 3)).astype(np.float32),
    DRAW.standard_normal((ITEMS, 2)).astype(np.float32),
    np.zeros((ITEMS, 0), dtype=np.int64),
)
PROFILES = Profiles.fit(EVENTS, CONTENT, 5, seed=0)


def standard(profiles: Profiles, events: sp.csr_matrix) -> np.ndarray:
    return profiles.standardise(profiles.sums(events))


@given(st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS))
def test_sums_of_parts_are_the_sum_of_the_whole(listed: list[bool]) -> None:
    mask = np.array(listed)
    parts = [PROFILES.sums(only(EVENTS, m)) for m in (mask, ~mask)]
    assert parts[0] + parts[1] == pytest.approx(PROFILES.sums(EVENTS), abs=1e-4)
    number = np.diff(only(EVENTS, mask).indptr)
    assert (parts[0][:, -1] == number).all()


def test_sums_by_hand_and_of_single_items() -> None:
    dense = EVENTS.toarray() * PROFILES.rarity
    sums = PROFILES.sums(EVENTS)
    assert sums[:, :-2] == pytest.approx(dense @ PROFILES.facts, abs=1e-4)
    assert sums[:, -2] == pytest.approx((dense**2).sum(axis=1), abs=1e-5)
    items, weights = np.array([3, 7]), np.array([0.5, 1.0], np.float32)
    alone = sp.csr_matrix((weights, ([0, 1], items)), shape=(2, ITEMS))
    assert PROFILES.sums_of(items, weights) == pytest.approx(PROFILES.sums(alone), abs=1e-6)


def test_profiles_of_the_people_of_fusion_are_standardised() -> None:
    made = standard(PROFILES, EVENTS[np.diff(EVENTS.indptr) > 0])
    assert made.mean(axis=0) == pytest.approx(np.zeros(made.shape[1]), abs=1e-3)
    assert made.std(axis=0) == pytest.approx(np.ones(made.shape[1]), abs=1e-2)
    assert np.abs(made).max() < 8  # nothing of a usual profile is cut


def test_nobody_has_the_zero_profile_even_after_subtraction() -> None:
    sums = PROFILES.sums(EVENTS)
    rest = sums - PROFILES.sums(only(EVENTS, np.ones(ITEMS, dtype=np.bool_))) * np.float32(1 - 1e-7)
    rest[:, -1] = 0
    assert (PROFILES.standardise(rest) == 0).all()
    pair = PROFILES.pair(sums, np.zeros_like(sums))
    assert pair.shape == (USERS, PROFILES.width)
    assert (pair[:, PROFILES.width // 2 :] == 0).all()


@pytest.mark.parametrize("shape", [(60, 20), (15, 40), (1000, 900)], ids=["tall", "flat", "large"])
def test_collaborative_vectors_are_singular_vectors(shape: tuple[int, int]) -> None:
    draw = np.random.default_rng(1)
    weights = sp.random(*shape, 0.1, random_state=1, format="csr", dtype=np.float32)
    vectors, values = collaborative_vectors(weights, 4, seed=0)
    _, wanted, right = np.linalg.svd(unit_rows(weights).toarray().astype(np.float64), full_matrices=False)
    assert values == pytest.approx(wanted[:4], rel=1e-4)
    aligned = np.abs((vectors / np.sqrt(shape[1]) * right[:4].T).sum(axis=0))
    assert aligned == pytest.approx(np.ones(4), abs=1e-3)
    junk = [draw.random(7)]  # other memory, same numbers
    again, _ = collaborative_vectors(weights.copy(), 4, seed=0)
    assert junk
    assert np.array_equal(vectors, again)


def test_vectors_beyond_the_rank_are_left_out() -> None:
    taste = sp.csr_matrix(np.kron(np.eye(2), np.ones((10, 5))).astype(np.float32))
    vectors, values = collaborative_vectors(taste, 8, seed=0)
    assert vectors.shape == (10, 2)
    assert values == pytest.approx([np.sqrt(10)] * 2)
    assert collaborative_vectors(sp.csr_matrix((3, 4), dtype=np.float32), 8, seed=0)[0].shape == (4, 0)


def test_fold_in_gives_a_new_item_the_vector_of_its_twin() -> None:
    """Two tastes; item 10 is bought by exactly those who buy the items of the first."""
    old = np.kron(np.eye(2), np.ones((10, 5))).astype(np.float32)
    with_new = np.hstack([old, np.zeros((20, 1), np.float32)])
    none = Content(np.zeros((11, 0), np.float32), np.zeros((11, 0), np.float32), np.zeros((11, 0), np.int64))
    fused = Profiles.fit(sp.csr_matrix(with_new), none, 4, seed=0)
    assert not fused.facts[10].any()
    seen = with_new.copy()
    seen[:10, 10] = 1.0
    folded = fused.fold_in(sp.csr_matrix(seen), np.array([9, 10]))
    # The column that the right singular vectors would have: Σ_u x_uj (x_u V) / σ².
    rows = unit_rows(weigh(sp.csr_matrix(seen), folded.rarity)).toarray()
    k = len(fused.values)
    wanted = rows[:, 10] @ (rows @ fused.facts[:, :k]) / fused.values**2
    assert folded.facts[10, :k] == pytest.approx(wanted, rel=1e-4)
    cosine = folded.facts @ folded.facts[10] / np.linalg.norm(folded.facts, axis=1) / np.linalg.norm(folded.facts[10])
    assert cosine[:5] == pytest.approx(np.ones(5), abs=1e-3)
    assert cosine[5:10] == pytest.approx(np.zeros(5), abs=1e-3)
    assert np.array_equal(folded.facts[:10], fused.facts[:10])  # what fusion knows stays


def test_extend_knows_new_items_by_their_content() -> None:
    new = CONTENT.take(np.array([4]))
    longer = PROFILES.extend(new)
    assert longer.facts.shape == (ITEMS + 1, PROFILES.facts.shape[1])
    assert np.array_equal(longer.facts[-1, 5:], PROFILES.facts[4, 5:])
    assert not longer.facts[-1, :5].any()
    assert longer.rarity[-1] == np.median(PROFILES.rarity)
    wider = sp.csr_matrix((EVENTS.data, EVENTS.indices, EVENTS.indptr), (USERS, ITEMS + 1))
    assert np.array_equal(standard(longer, wider), standard(PROFILES, EVENTS))


def test_rarity_falls_with_the_number_of_people() -> None:
    rarity = rarity_of(sp.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], np.float32)))
    assert rarity == pytest.approx([np.log(4 / 3.5), np.log(4 / 1.5), np.log(4 / 1.5)])


def test_state_restores() -> None:
    again = Profiles.restore(*PROFILES.state())
    assert np.array_equal(standard(again, EVENTS), standard(PROFILES, EVENTS))
