"""Who votes for the items of a target: its own people, and people who have the same items elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from crossaisle.data.split import launch
from crossaisle.data.world import World
from crossaisle.errors import MethodError
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.voters import voters_of

HOME, ABROAD = "de", "uk"


def market(weeks: float = 2.0) -> Problem:
    """Items a, b, c are sold at home and abroad; u and v buy at home (u abroad, too), w, x and y abroad."""
    rows = [
        ("u", "a", HOME), ("v", "b", HOME), ("u", "c", ABROAD),
        ("w", "a", ABROAD), ("w", "b", ABROAD), ("w", "c", ABROAD), ("x", "c", ABROAD), ("y", "d", ABROAD),
        ("u", "c", HOME),
    ]  # fmt: skip
    frame = pl.DataFrame(
        {
            "user_id": [r[0] for r in rows], "item_id": [r[1] for r in rows], "domain": [r[2] for r in rows],
            "event": "purchase", "timestamp": [datetime(2024, 1, 15) + timedelta(days=h) for h in range(len(rows))],
        }
    )  # fmt: skip
    items = pl.DataFrame({"item_id": list("abc"), "domain": HOME})
    world = World.from_frames(frame, items=items)
    split = launch(world, HOME, datetime(2024, 1, 23), weeks)
    return Problem(world, HOME, (ABROAD,), split, world.catalogue(HOME), 0, weeks)


def test_people_of_the_target_speak_for_it_and_others_for_what_they_have_elsewhere() -> None:
    problem = market()
    made = voters_of(problem, True, 2.0)
    assert [problem.world.user_ids.ids[int(u)] for u in made.users] == list("uvwx")  # y has nothing of these
    assert made.elsewhere.tolist() == [0, 0, 1, 1]
    assert made.bought.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1]]  # not u's c from abroad
    assert made.popularity[1] == pytest.approx([1 / 2, 1 / 2, 1])
    assert made.popularity[0] == pytest.approx([(1 + 1) / 4, (1 + 1) / 4, (0 + 2) / 4])


def test_alone_the_target_is_not_shrunk_and_the_fullest_come_after_its_people() -> None:
    problem = market()
    alone = voters_of(problem, False, 2.0)
    assert (len(alone.users), alone.popularity[0].tolist()) == (2, [0.5, 0.5, 0.0])
    assert voters_of(problem, True, 2.0, most=3).users.tolist() == [0, 1, 2]
    assert voters_of(problem, True, 2.0, most=1).users.tolist() == [0]


def test_what_sells_elsewhere_ranks_the_items_of_a_target_that_has_sold_nothing() -> None:
    problem = market(weeks=0.0)
    kernel = METHODS.get("user_kernel")
    scores = kernel.fit(None, problem, kernel.options()).scorer.score(problem.history.take(np.array([-1])))
    assert scores[0].argmax() == 2


def test_a_kernel_without_voters_is_refused() -> None:
    kernel = METHODS.get("user_kernel")
    with pytest.raises(MethodError, match="nobody bought anything of 'de' yet"):
        kernel.fit(None, market(weeks=0.0), kernel.options(scope="target"))
