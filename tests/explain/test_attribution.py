"""What each event adds: worked by hand, and for any scorer at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from crossaisle.attribution import contributions_of, is_sampled, keeping, sampled, without_events
from crossaisle.models.profile import Profiles
from crossaisle.transfer.blend import BlendScorer
from crossaisle.transfer.ease import EaseScorer
from crossaisle.transfer.item_knn import ItemKnnScorer
from crossaisle.types import CO_PURCHASE, Floats, History, Tensors


def history(*counts: float) -> History:
    rows = sp.csr_matrix(np.array([counts], dtype=np.float32))
    return History(rows, np.zeros(rows.nnz, np.float32), np.array([-1]))


def ask(size: int, *items: int) -> np.ndarray:
    return np.eye(size)[list(items)]


@dataclass(frozen=True)
class Opaque:
    """Scores by any rule of the counts; it says nothing of itself."""

    kind: ClassVar[str] = "opaque"
    rule: Any

    def score(self, history: History) -> Floats:
        counts = history.counts.toarray()
        return np.array([self.rule(row) for row in counts], dtype=np.float32).reshape(len(history), -1)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        return cls(lambda row: row)


def test_ease_is_a_sum_over_events() -> None:
    weights = np.array([[0.0, 0.5, 0.2], [0.3, 0.0, 0.1], [-0.4, 0.25, 0.0]], dtype=np.float32)
    ease = EaseScorer(np.array([0, 2, 3]), weights, np.array([1.0, 0.0, 0.0], np.float32), "count")
    found = ease.contributions(history(2, 5, 0, 4), ask(3, 1, 0))
    # Item 1 is not read; items 0 and 3 are rows 0 and 2 of the weights.
    assert found.parts == pytest.approx(np.array([[2 * 0.5, 0, 4 * 0.25], [0, 0, 4 * -0.4]]), abs=1e-6)
    assert found.start == pytest.approx([0, 1e-6])


def test_item_knn_is_a_sum_over_events() -> None:
    similarity = sp.csr_matrix(np.array([[0.5, 0.0], [0.25, 1.0]], dtype=np.float32))
    knn = ItemKnnScorer(similarity, np.zeros(2, np.float32))
    found = knn.contributions(history(1, 3), ask(2, 0, 1))
    assert found.parts == pytest.approx(np.array([[np.log(2) / 2, np.log(4) / 4], [0, np.log(4)]]), abs=1e-6)


def test_a_blend_takes_the_mean_of_its_parts_off() -> None:
    weights = np.array([[1.0, 3.0], [0.0, 0.0]], dtype=np.float32)
    ease = EaseScorer(np.array([0, 1]), weights, np.zeros(2, np.float32), "count")
    blend = BlendScorer({"ease": ease}, np.ones(1, np.float32))
    found = blend.contributions(history(1, 1), ask(2, 0, 1))
    # Scores 1 and 3 are −1 and 1 once standardised, all of it from the first event.
    assert found.parts == pytest.approx(np.array([[-1, 0], [1, 0]]), abs=1e-6)


def test_shapley_values_share_what_only_two_together_make() -> None:
    both = Opaque(lambda row: [float(row[0] > 0 and row[1] > 0), row[2]])
    found = contributions_of(both, history(1, 1, 7), ask(2, 0, 1))
    assert found.parts == pytest.approx(np.array([[0.5, 0.5, 0], [0, 0, 7]]))
    assert list(found.by_modality) == [CO_PURCHASE]


@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    numbers=st.lists(st.floats(-2, 2, width=32), min_size=12, max_size=12),
)
def test_whatever_the_rule_the_parts_sum_to_the_score(counts: list[int], numbers: list[float]) -> None:
    weights = np.array(numbers[: len(counts)])
    rule = Opaque(lambda row: [np.tanh(row @ weights), (row * weights).max(initial=0.0) ** 2])
    asked, who = ask(2, 0, 1), history(*counts)
    found = sampled(rule, who, asked)
    assert found.start + found.parts.sum(axis=1) == pytest.approx(rule.score(who)[0], abs=1e-5)
    assert found.start == pytest.approx(rule.score(without_events(who))[0])


def test_all_orders_are_scored_together() -> None:
    asked_at_once = []

    def rule(row: np.ndarray) -> list[float]:
        return [np.tanh(row.sum()), row.max(initial=0.0)]

    @dataclass(frozen=True)
    class Counted(Opaque):
        def score(self, history: History) -> Floats:
            asked_at_once.append(len(history))
            return super().score(history)

    sampled(Counted(rule), history(*range(1, 51)), ask(2, 0))
    assert asked_at_once == [1, 5 * 2 * 50]  # nobody; five orders and their reverses


def test_taking_events_away_keeps_who_somebody_is() -> None:
    rows = sp.csr_matrix(np.array([[1.0, 0.0, 2.0, 3.0]], dtype=np.float32))
    left = keeping(History(rows, np.array([5, 6, 7], np.float32), np.array([4])), np.array([0, 2]))
    assert left.counts.toarray().tolist() == [[1, 0, 0, 3]]
    assert (left.ages.tolist(), left.users.tolist()) == ([5, 7], [4])


def test_a_blend_is_sampled_where_a_part_is() -> None:
    ease = EaseScorer(np.array([0]), np.zeros((1, 1), np.float32), np.zeros(1, np.float32))
    assert not is_sampled(BlendScorer({"ease": ease}, np.ones(1, np.float32)))
    assert is_sampled(BlendScorer({"ease": ease, "other": Opaque(lambda row: row)}, np.ones(2, np.float32)))


@given(seed=st.integers(0, 1000), size=st.integers(1, 6))
def test_shares_of_events_make_up_a_profile(seed: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    facts, rarity = draw.normal(size=(8, 3)).astype(np.float32), draw.random(8).astype(np.float32)
    centre, scale = draw.normal(size=4).astype(np.float32), draw.uniform(0.05, 1, 4).astype(np.float32)
    profiles = Profiles(facts, rarity, np.zeros(0, np.float32), centre, scale)
    items, weights = draw.choice(8, size, replace=False), draw.uniform(0.5, 2, size).astype(np.float32)
    events = sp.csr_matrix((weights, (np.zeros(size, int), items)), (1, 8))
    whole = profiles.standardise(profiles.sums(events))[0]
    assert profiles.shares(items, weights).sum(axis=0) == pytest.approx(whole, abs=1e-4)
