from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="the room stream reads rows of a store: pip install crossaisle[serve]")

from crossaisle.api import Recommender, World, transfer
from crossaisle.stream.prequential import answered, exam_of, judge

MONDAY = datetime(2024, 1, 1)
SECOND = 1 / np.log2(3)
"""nDCG of one wanted item at the second place."""


def shop_of(rows: list[tuple[str, str, int]], listed: str = "abcd") -> World:
    """(user, item, day) of the domain tea; x and those who buy it belong to another."""
    named = [(u, i, "cups" if i == "x" else "tea", MONDAY + timedelta(days=d)) for u, i, d in rows]
    frame = pl.DataFrame(named, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    items = pl.DataFrame({"item_id": list(listed), "domain": ["tea"] * len(listed)})
    return World.from_frames(frame, items)


def popular(rows: list[tuple[str, str, int]], listed: str = "abcd") -> Recommender:
    return transfer(shop_of(rows, listed), "tea", method="popularity")


def test_hand_worked_numbers_and_repeats_are_not_asked() -> None:
    before = [("u1", "a", 0), ("u2", "a", 0), ("u3", "b", 0), ("u3", "x", 0)]
    today = [("u1", "a", 1), ("u1", "b", 1), ("u2", "c", 1), ("u3", "x", 1), ("u9", "a", 1)]
    world = shop_of(before + today)
    known = world.until(MONDAY + timedelta(days=1))
    window = world.interactions.filter(pl.col("timestamp") >= MONDAY + timedelta(days=1))
    exam = exam_of(known, window, "tea", MONDAY + timedelta(days=1))
    assert exam.user_ids == ("u1", "u2", "u9")  # u3 bought cups again: nothing of the target
    current = popular(before)  # a, b, then c and d
    assert answered(current, exam).tolist() == pytest.approx([1.0, SECOND, 1.0])
    candidate = popular([*before, ("u4", "c", 0), ("u5", "c", 0), ("u6", "c", 0)])  # c, a, b, d
    assert answered(candidate, exam).tolist() == pytest.approx([SECOND, 1.0, SECOND])
    judged = judge(current, candidate, exam)
    assert judged.users == 3
    assert judged.difference == pytest.approx((SECOND - 1) / 3)
    assert not judged.promote
    assert "too few" in judged.why


def test_items_that_a_recommender_does_not_know_are_missed() -> None:
    world = shop_of([("u1", "a", 0), ("u2", "b", 0), ("u1", "d", 1)])
    day = MONDAY + timedelta(days=1)
    exam = exam_of(world.until(day), world.interactions.filter(pl.col("timestamp") >= day), "tea", day)
    assert answered(popular([("u7", "a", 0), ("u8", "b", 0)], listed="ab"), exam).tolist() == [0.0]
    # Another World gives the same ids other codes; its item 0 is d.
    assert answered(popular([("u7", "d", 0)], listed="d"), exam).tolist() == [1.0]


def test_histories_count_as_they_were_that_morning() -> None:
    world = shop_of([("u1", "a", 0), ("u2", "a", 0), ("u2", "b", 0), ("u1", "b", 1), ("u1", "c", 1)])
    day = MONDAY + timedelta(days=1)
    exam = exam_of(world.until(day), world.interactions.filter(pl.col("timestamp") >= day), "tea", day)
    assert exam.history.counts.sum() == 1
    assert exam.history.ages.tolist() == [1.0]
    assert exam.wanted.nnz == 2


def crowd(first: int, second: int) -> tuple[Recommender, Recommender, World]:
    """`first` people want a, `second` want b; the current one lists a first, the candidate b."""
    wants = [(f"p{i:02d}", "a" if i < first else "b", 1) for i in range(first + second)]
    current, candidate = popular([("v", "a", 0)], "ab"), popular([("v", "b", 0)], "ab")
    return current, candidate, shop_of([("v", "x", 0), *wants], "ab")


@pytest.mark.parametrize(
    ("first", "second", "margin", "verdict", "promote"),
    [
        (2, 18, 0.05, "helps", True),
        (18, 2, 0.05, "hurts", False),
        (11, 9, 0.05, "no difference", True),  # −.0369 of .834 is 4.4 %
        (11, 9, 0.04, "no difference", False),
        (0, 9, 0.05, "no difference", False),  # nine people
    ],
)
def test_what_the_guard_decides(first: int, second: int, margin: float, verdict: str, promote: bool) -> None:
    current, candidate, world = crowd(first, second)
    day = MONDAY + timedelta(days=1)
    exam = exam_of(world.until(day), world.interactions.filter(pl.col("timestamp") >= day), "tea", day)
    judged = judge(current, candidate, exam, margin)
    n = first + second
    assert judged.current == pytest.approx((first + second * SECOND) / n)
    assert judged.difference == pytest.approx((second - first) * (1 - SECOND) / n)
    assert (judged.verdict, judged.promote) == (verdict, promote)


def test_one_person_with_many_events_counts_once() -> None:
    current, candidate, world = crowd(2, 18)
    day = MONDAY + timedelta(days=1)
    window = world.interactions.filter(pl.col("timestamp") >= day)
    flood = pl.concat([window, *[window.head(1)] * 1000])
    known = world.until(day)
    plain, flooded = (judge(current, candidate, exam_of(known, w, "tea", day)) for w in (window, flood))
    assert plain == flooded


def test_nobody_to_ask() -> None:
    current, candidate, world = crowd(2, 18)
    exam = exam_of(world, world.interactions.clear(), "tea", MONDAY)
    judged = judge(current, candidate, exam)
    assert (judged.users, judged.current, judged.promote) == (0, None, False)
