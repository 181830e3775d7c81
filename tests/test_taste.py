"""A taste: what is read of one person, asked for lists and scores, whatever the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import scipy.sparse as sp

from crossaisle.index import ExactIndex, Index
from crossaisle.ranker import Ranker
from crossaisle.screen import ScreenedIndex
from crossaisle.types import Floats, History, Tensors

N_CODES, CATALOGUE = 40, np.arange(3, 33)


@dataclass(frozen=True)
class Sums:
    """The sum of the vectors of what a person had, against the items'; whole numbers, so that products are exact."""

    kind: ClassVar[str] = "test_sums"
    read: Floats
    item_vectors: Floats

    def user_vectors(self, history: History) -> Floats:
        return np.asarray(history.counts @ self.read, dtype=np.float32)

    def score(self, history: History) -> Floats:
        return self.user_vectors(history) @ self.item_vectors.T

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        raise NotImplementedError


DRAW = np.random.default_rng(0)
READ = DRAW.integers(-2, 3, (N_CODES, 4)).astype(np.float32)
SUMS = Sums(READ, np.ascontiguousarray(READ[CATALOGUE]))
COUNTS = sp.csr_matrix(np.float32(DRAW.random((6, N_CODES)) < np.array([[0.1, 0.2, 0, 0.1, 0.3, 0.1]]).T))
PEOPLE = History(COUNTS, np.zeros(COUNTS.nnz, np.float32), np.arange(6))
INDEXES = pytest.mark.parametrize(
    "made", [lambda _: None, ExactIndex, ScreenedIndex], ids=["none", "exact", "screened"]
)
AVAILABLE = DRAW.random(len(CATALOGUE)) < 0.6


def ranker(made: Callable[[Floats], Index | None]) -> Ranker:
    return Ranker(SUMS, CATALOGUE, N_CODES, made(SUMS.item_vectors))


@INDEXES
@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize("available", [None, AVAILABLE, np.zeros(len(CATALOGUE), bool)], ids=["all", "some", "none"])
def test_lists_are_those_of_the_ranker(
    made: Callable[[Floats], Index | None], exclude_seen: bool, available: np.ndarray | None
) -> None:
    scores, places, personal = ranker(lambda _: None).top(PEOPLE, 25, exclude_seen=exclude_seen, available=available)
    for row, taste in enumerate(ranker(made).tastes(PEOPLE)):
        for _ in range(2):  # asking changes nothing
            found = taste.top(25, exclude_seen=exclude_seen, available=available)
            listed = places[row] >= 0
            assert found[1].tolist() == places[row, listed].tolist()
            assert found[0].tolist() == scores[row, listed].tolist()
        assert taste.personal == personal[row]


@INDEXES
def test_scores_are_those_of_lists_and_what_is_left_can_be_listed(made: Callable[[Floats], Index | None]) -> None:
    for taste in ranker(made).tastes(PEOPLE):
        scores, places = taste.top(len(CATALOGUE), exclude_seen=True, available=AVAILABLE)
        assert taste.scores(places).tolist() == scores.tolist()
        left = taste.left(exclude_seen=True, available=AVAILABLE)
        assert sorted(places.tolist()) == np.flatnonzero(left).tolist()


def test_what_has_no_score_is_not_left() -> None:
    class Gaps(Sums):
        def score(self, history: History) -> Floats:
            found = super().score(history)
            found[:, ::2] = -np.inf
            return found

    taste = Ranker(Gaps(READ, SUMS.item_vectors), CATALOGUE, N_CODES).tastes(PEOPLE)[0]
    assert np.flatnonzero(taste.left(exclude_seen=False, available=None)).tolist() == [*range(1, 30, 2)]
