"""Slices on a World small enough to work out by hand."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from crossaisle.data.split import Split
from crossaisle.data.twins import twin_pairs
from crossaisle.data.world import World
from crossaisle.errors import TrainingError
from crossaisle.evaluate import slices as sl
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer.problem import Problem
from crossaisle.types import Floats, History

# who, what, where, part of the split
ROWS = [
    ("ann", "a", "t", "hidden"), ("ann", "a", "t", "test"), ("ann", "b", "t", "test"),
    ("ann", "b", "t", "test"),
    ("bob", "b", "t", "train"), ("bob", "c", "t", "test"), ("bob", "x", "s", "train"),
    ("cat", "a", "t", "train"), ("cat", "b", "t", "valid"), ("cat", "b", "t", "test"),
    ("dan", "y", "s", "train"), ("dan", "d", "t", "test"), ("dan", "a", "t", "test"),
    ("eve", "a", "t", "train"), ("eve", "a", "t", "train"), ("eve", "y", "s", "train"),
]  # fmt: skip


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Domain t with items a, b, c, d; a: 4 rows before the cut, b: 2, c and d: none."""
    frame = pl.DataFrame(ROWS, schema=["user_id", "item_id", "domain", "part"], orient="row")
    days = pl.Series("timestamp", [datetime(2024, 1, 1)] * len(frame))
    world = World.from_frames(frame.drop("part").with_columns(days, event=pl.lit("purchase")))
    coded = world.interactions.with_columns(part=frame["part"])
    parts = {p: coded.filter(pl.col("part") == p).drop("part") for p in ("train", "valid", "test", "hidden")}
    return Problem(world, "t", ("s",), Split(**parts, kind="by hand"), world.catalogue("t"))


def named(problem: Problem, made: sl.Slices, name: str) -> dict[str, str]:
    """User → relevant items, as words."""
    catalogue = problem.world.item_ids.decode(problem.catalogue)
    users = problem.world.user_ids.decode(made.users)
    table = made.relevant[name].toarray()
    return {
        u: "".join(i for i, on in zip(catalogue, row, strict=True) if on)
        for u, row in zip(users, table, strict=True)
        if row.any()
    }


def test_the_hand_made_rows_keep_their_order(problem: Problem) -> None:
    assert problem.world.user_ids.decode(problem.split.test["user"].to_numpy())[0] == "ann"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", {"ann": "ab", "bob": "c", "cat": "b", "dan": "ad"}),
        ("repeat", {"ann": "a", "cat": "b"}),
        ("new", {"ann": "b", "bob": "c", "dan": "ad"}),
        ("head", {"dan": "a"}),  # a alone has 4 of 6 rows: the first half; b the next
        ("middle", {"ann": "b"}),
        ("tail", {"bob": "c", "dan": "d"}),
        ("cold_item", {"bob": "c", "dan": "d"}),
        ("cold_user", {"ann": "b", "dan": "ad"}),  # ann's only earlier row is hidden
        ("warm_user", {"bob": "c"}),
        ("twin_free", {"ann": "b", "bob": "c", "dan": "ad"}),
    ],
)
def test_slices_by_hand(problem: Problem, name: str, expected: dict[str, str]) -> None:
    assert named(problem, sl.slices_of(problem), name) == expected


def test_had_items_leave_the_new_ranking_only(problem: Problem) -> None:
    made = sl.slices_of(problem)
    ranked = sl.rank_users(lambda h: np.tile(np.array([4, 3, 2, 1], np.float32), (len(h), 1)), problem, made, k=3)
    assert ranked["all"].tolist() == [[0, 1, 2]] * 4
    assert ranked["new"].tolist() == [[1, 2, 3], [0, 2, 3], [2, 3, -1], [0, 1, 2]]


def test_values_by_hand_and_blocks_change_nothing(problem: Problem) -> None:
    def score(history: History) -> Floats:
        return np.tile(np.array([4, 3, 2, 1], np.float32), (len(history), 1))

    values = sl.evaluate_users(score, problem, ks=(1, 2), metrics=("recall", "mrr"))
    assert problem.world.user_ids.decode(values["new", "recall", 1].users) == ["ann", "bob", "dan"]
    assert values["new", "recall", 1].values.tolist() == [1, 0, 0.5]
    assert values["new", "mrr", 2].values.tolist() == [1, 0.5, 1]
    assert values["repeat", "recall", 1].values.tolist() == [1, 0]
    small = sl.evaluate_users(score, problem, ks=(1, 2), metrics=("recall", "mrr"), block=1)
    assert all(np.array_equal(values[key].values, small[key].values) for key in values)


def test_scores_that_are_not_numbers_are_refused(problem: Problem) -> None:
    with pytest.raises(TrainingError, match="NaN"):
        sl.evaluate_users(lambda h: np.full((len(h), 4), np.nan, np.float32), problem)


def test_a_perfect_oracle_scores_one_on_every_slice() -> None:
    problem = tiny_problem()
    made = sl.slices_of(problem)
    for name, relevant in made.relevant.items():
        truth = {int(u): row for u, row in zip(made.users, relevant.toarray(), strict=True)}
        oracle = lambda h, t=truth: np.stack([t[int(u)] for u in h.users]).astype(np.float32)  # noqa: E731
        values = sl.evaluate_users(oracle, problem, slices=made)
        if (name, "ndcg", 10) in values:
            assert values[name, "ndcg", 10].values == pytest.approx(1.0), name


def test_items_outside_the_catalogue_are_not_asked(problem: Problem) -> None:
    made = sl.slices_of(Problem(problem.world, "t", ("s",), problem.split, problem.catalogue[:2]))
    assert made.outside == 2
    assert named(Problem(problem.world, "t", ("s",), problem.split, problem.catalogue[:2]), made, "all") == {
        "ann": "ab", "cat": "b", "dan": "a"
    }  # fmt: skip


def test_popularity_parts() -> None:
    head, middle = sl.popularity_parts(np.array([50, 0, 30, 15, 5]))
    assert head.tolist() == [True, False, False, False, False]
    assert middle.tolist() == [False, False, True, False, False]
    assert not sl.popularity_parts(np.zeros(3))[0].any()


def twin_world() -> World:
    """Five people in both shops: p and q have the same four, r three and one more; the lone count not."""
    pairs = [(u, "p", "t") for u in "abcd"] + [(u, "q", "s") for u in "abcd"] + [(u, "r", "s") for u in "abce"]
    pairs += [("e", "z", "t"), ("x1", "p", "t"), ("x2", "q", "s"), ("a", "both", "t"), ("b", "both", "s")]
    frame = pl.DataFrame(pairs, schema=["user_id", "item_id", "domain"], orient="row")
    return World.from_frames(frame.with_columns(timestamp=pl.lit(datetime(2024, 1, 1)), event=pl.lit("purchase")))


def test_twins_by_hand() -> None:
    world = twin_world()
    items = world.catalogue("t")
    found = twin_pairs(world, "t", "s", items).tocoo()
    names = world.item_ids.decode(items[found.row]), world.item_ids.decode(found.col.astype(np.int64))
    assert set(zip(*names, strict=True)) == {("p", "q"), ("both", "both")}


def test_twin_free_drops_what_the_user_holds_elsewhere() -> None:
    world = twin_world()
    rows, target = world.interactions, world.domain_code("t")
    d = world.user_ids.code("d")
    asked = (pl.col("domain") == target) & pl.col("user").is_in(
        [d, world.user_ids.code("x1"), world.user_ids.code("e")]
    )
    split = Split(rows.filter(~asked), rows.clear(), rows.filter(asked), rows.clear(), "by hand")
    made = sl.slices_of(Problem(world, "t", ("s",), split, world.catalogue("t")))
    problem = Problem(world, "t", ("s",), split, world.catalogue("t"))
    assert named(problem, made, "new") == {"d": "p", "e": "z", "x1": "p"}
    assert named(problem, made, "twin_free") == {"e": "z", "x1": "p"}
