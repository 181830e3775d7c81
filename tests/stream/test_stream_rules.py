"""The rules behind the live answers, by hand and by simulation."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="no stores: pip install crossaisle[serve]")

from crossaisle.data.vocab import Vocab
from crossaisle.stores.kinds import Event
from crossaisle.stream.diary import Diary, Met, grown, stacked
from crossaisle.stream.explore import explored
from crossaisle.stream.forget import without_users
from crossaisle.testing import case
from crossaisle.types import History

IDS = Vocab(["tea", "jam", "bun"])
DAY = 86_400.0


def row(counts: list[float], ages: list[float], user: int = 5) -> History:
    full = sp.csr_matrix(np.array([counts], np.float32))
    return History(full, np.array(ages, np.float32), np.array([user]))


def test_a_history_grows_by_what_came_since() -> None:
    fresh = [Met(1, "bun", 9 * DAY), Met(2, "unknown", 9 * DAY), Met(3, "jam", 8 * DAY), Met(4, "bun", 11 * DAY)]
    found = grown(row([2, 1, 0], [30.0, 0.5]), fresh, IDS, now=10 * DAY)
    assert found.counts.toarray().tolist() == [[2, 2, 2]]
    assert found.ages.tolist() == [30.0, 0.5, 0.0]
    assert found.users.tolist() == [5]
    assert found.counts.dtype == np.float32


def test_nothing_new_is_the_same_history() -> None:
    before = row([2, 1, 0], [30.0, 0.5])
    assert grown(before, [], IDS, now=0.0) is before
    assert grown(before, [Met(1, "unknown", 0.0)], IDS, now=0.0).counts.toarray().tolist() == [[2, 1, 0]]


def test_stacked_rows_are_the_rows() -> None:
    rows = [row([2, 1, 0], [3.0, 4.0], 1), row([0, 0, 0], [], -1), row([0, 0, 7], [5.0], 2)]
    found = stacked(rows)
    assert found.counts.toarray().tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 7]]
    assert (found.ages.tolist(), found.users.tolist()) == ([3, 4, 5], [1, -1, 2])


def test_a_diary_counts_every_arrival_once() -> None:
    diary = Diary(after=1)
    event = Event("e", "ann", "tea", "shop", "view", datetime(1970, 1, 2))
    diary.add([(1, event), (2, event)])
    diary.add([(2, event), (3, event)])
    assert diary.of("ann") == [Met(2, "tea", DAY), Met(3, "tea", DAY)]
    assert diary.of("ann", after=2) == [Met(3, "tea", DAY)]
    assert diary.of("bob") == []
    diary.forget("ann")
    assert (diary.of("ann"), diary.last) == ([], 3)


@pytest.mark.parametrize(("k", "m", "epsilon"), [(4, 2, 0.5), (3, 6, 0.3), (2, 1, 1.0), (1, 5, 0.9)])
def test_propensities_are_the_frequencies(k: int, m: int, epsilon: float) -> None:
    draw, times = np.random.default_rng(7), 20_000
    best, new = np.arange(100, 100 + k), np.arange(m)
    seen: dict[tuple[int, int], int] = {}
    told: dict[tuple[int, int], float] = {}
    for _ in range(times):
        shown, propensity = explored(best, new, epsilon, draw)
        assert len(set(shown.tolist())) == k
        for place, (item, chance) in enumerate(zip(shown.tolist(), propensity.tolist(), strict=True)):
            seen[place, item] = seen.get((place, item), 0) + 1
            assert told.setdefault((place, item), chance) == chance
    for key, chance in told.items():
        assert seen[key] / times == pytest.approx(chance, abs=5 * np.sqrt(chance * (1 - chance) / times) + 1e-12)
    for place in range(k):
        assert sum(c for (p, _), c in told.items() if p == place) == pytest.approx(1.0)


@given(k=st.integers(1, 12), m=st.integers(0, 12), epsilon=st.floats(0, 1), seed=st.integers(0, 1000))
def test_exploration_shows_each_item_once_and_touches_no_argument(k: int, m: int, epsilon: float, seed: int) -> None:
    best, new = np.arange(100, 100 + k), np.arange(m)
    shown, propensity = explored(best, new, epsilon, np.random.default_rng(seed))
    assert len(set(shown.tolist())) == k
    assert ((shown == best) | np.isin(shown, new)).all()
    assert ((propensity > 0) & (propensity <= 1)).all()
    assert best.tolist() == list(range(100, 100 + k))


def test_a_recommender_without_somebody_is_the_same_for_others() -> None:
    shop = case("zero_shot").recommender
    kept = without_users(shop, ["u20", "nobody"])
    assert shop.user_ids.code("u20") == 20, "the recommender itself is untouched"
    assert kept.user_ids.code("u20") == -1
    assert kept.history.counts[20].nnz == 0
    assert len(kept.history.ages) == kept.history.counts.nnz
    others = ["u19", "u21", "u79"]
    assert kept.recommend(others).items.tolist() == shop.recommend(others).items.tolist()
    assert without_users(shop, ["nobody"]) is shop
