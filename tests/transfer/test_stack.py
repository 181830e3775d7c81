"""Stack: what it learns from, that nobody judges themselves, and when the trees are left away."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
from launch_worlds import fitted, launch, made, quality

from crossaisle.data.vocab import Vocab
from crossaisle.errors import MethodError
from crossaisle.recommender import SCORERS
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer import levels, stack
from crossaisle.transfer.features import places_at
from crossaisle.transfer.levels import Learning
from crossaisle.transfer.lists import Lists, Sampling, hide, lists_of

PARTS = ("popularity", "als", "user_kernel")
LEARNING = Learning("auto", 3, 20, 400, 200, 0)
SMALL = {"parts": PARTS, "trees": 30, "folds": 2, "negatives": 20, "min_lists": 50}


def test_with_one_everybody_loses_one_item_and_keeps_the_others() -> None:
    problem = tiny_problem()
    smaller, hidden = hide(problem, Sampling(hold="one"), 0)
    before, after = problem.target_counts > 0, smaller.target_counts > 0
    assert np.diff(after.indptr)[hidden["user"].to_numpy()].min() >= 1
    assert before.nnz - after.nnz == len(hidden) == hidden["user"].n_unique()
    alone = np.flatnonzero(np.diff(before.indptr) == 1)
    assert not set(alone) & set(hidden["user"].to_list())
    sources = problem.visible.filter(problem.visible["domain"] != problem.domain_codes[-1])
    assert smaller.visible.filter(smaller.visible["domain"] != problem.domain_codes[-1]).equals(sources)


def test_with_all_the_people_of_a_round_are_cold_and_every_person_has_one_round() -> None:
    problem = tiny_problem()
    people: list[int] = []
    for fold in range(3):
        smaller, hidden = hide(problem, Sampling(hold="all", folds=3), fold)
        held = hidden["user"].unique().to_list()
        assert smaller.target_counts[held].nnz == 0
        people += held
    assert len(people) == len(set(people))
    assert set(people) <= set(problem.target_rows["user"].to_list())


def test_items_that_are_not_ranked_make_no_lists() -> None:
    problem = tiny_problem()
    fewer = dataclasses.replace(problem, catalogue=problem.catalogue[::2])
    for fold in range(2):
        _, hidden = hide(fewer, Sampling("half", 2), fold)
        assert len(hidden)
        assert set(hidden["item"].to_list()) <= set(fewer.catalogue.tolist())


def test_places_are_the_mean_of_those_that_ties_share() -> None:
    scores = np.array([[3, 1, 3, 2], [0, 0, 0, 0]], dtype=np.float32)
    columns = np.array([[0, 2, 3], [1, 2, 3], [1, 1, 0]])
    # row 0: 3 and 3 share places 0 and 1, then 2, then 1; row 1: all share 0 to 3
    assert places_at(scores, np.array([0, 0, 1]), columns).tolist() == [[0.5, 0.5, 2], [3, 0.5, 2], [1.5, 1.5, 1.5]]


def test_events_say_which_rows_make_lists() -> None:
    problem = tiny_problem()
    with pytest.raises(MethodError, match="unknown event 'sale'"):
        hide(problem, Sampling(events=("sale",)), 0)
    marked = problem.split.train.with_columns(event=(pl.col("item") % 2).cast(pl.UInt32))  # odd items are viewed
    world = dataclasses.replace(problem.world, events=Vocab(["purchase", "view"]))
    two = dataclasses.replace(problem, world=world, split=dataclasses.replace(problem.split, train=marked))
    for event, odd in (("purchase", 0), ("view", 1)):
        _, hidden = hide(two, Sampling("one", events=(event,)), 0)
        assert hidden["item"].unique().to_numpy().tolist()
        assert (hidden["item"].to_numpy() % 2 == odd).all()


def test_the_wanted_item_comes_first_and_no_other_is_one_the_person_has() -> None:
    problem = tiny_problem()
    catalogue = np.arange(len(problem.catalogue), dtype=np.float32)

    class Columns:
        kind = "columns"

        def score(self, history: object) -> np.ndarray:
            return np.tile(catalogue, (len(history), 1))  # type: ignore[arg-type]

    lists = lists_of(problem, lambda _: [Columns()], Sampling("one", 2, 100, 5, 6))  # type: ignore[list-item]
    columns = lists.features[:, :, 1].round().astype(int)  # the raw score is the column
    had = problem.target_counts.toarray() > 0
    assert columns.shape[1] == 7
    for user, row in zip(lists.users, columns, strict=True):
        assert had[user, row[0]]
        assert not had[user, row[1:]].any()
        assert len(set(row)) == 7


def test_where_the_catalogue_is_small_each_item_is_in_a_list_once() -> None:
    problem = tiny_problem()
    value = np.arange(len(problem.catalogue), dtype=np.float32)

    class Columns:
        kind = "columns"

        def score(self, history: object) -> np.ndarray:
            return np.tile(value, (len(history), 1))  # type: ignore[arg-type]

    lists = lists_of(problem, lambda _: [Columns()], Sampling("one", 1, 100, 5, 1000))  # type: ignore[list-item]
    assert (np.sort(lists.features[:, :, 1], axis=1) == value).all()


def test_from_a_pool_both_the_wanted_item_and_the_others_are_among_the_first() -> None:
    problem = tiny_problem()
    n, pool = len(problem.catalogue), 12
    value = np.random.default_rng(0).permutation(n).astype(np.float32)

    class Fixed:
        kind = "fixed"

        def score(self, history: object) -> np.ndarray:
            return np.tile(value, (len(history), 1))  # type: ignore[arg-type]

    all_lists, lists = (
        lists_of(problem, lambda _: [Fixed()], Sampling("one", 2, 100, 5, 6, size))  # type: ignore[list-item]
        for size in (0, pool)
    )
    assert 0 < len(lists.users) < len(all_lists.users)
    had = problem.target_counts.toarray() > 0
    for user, raw in zip(lists.users, lists.features[:, :, 1], strict=True):
        least = np.sort(value[~had[user]])[-pool]
        assert (raw >= least).all()


def test_ndcg_of_lists_by_hand() -> None:
    scores = np.array([[3, 1, 2], [1, 2, 0], [1, 1, 0]], dtype=np.float32)
    assert levels.ndcg_of(scores) == pytest.approx([1, 1 / np.log2(3), 1 / np.log2(2.5)])


def test_no_tree_sees_a_person_whom_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    users = np.repeat(np.arange(40), 3)
    features = np.tile(users[:, None, None], (1, 5, 2)).astype(np.float32)
    seen: list[set[float]] = []

    class Spy:
        def __init__(self, known: set[float]) -> None:
            self.known = known

        def predict(self, asked: np.ndarray) -> np.ndarray:
            assert not self.known & set(asked.ravel())
            return asked[:, :, 0]

    def spy(given: list[np.ndarray], trees: int, seed: int) -> Spy:
        seen.append(set(given[0].ravel()))
        return Spy(seen[-1])

    monkeypatch.setattr(levels, "fit_trees", spy)
    found = levels.out_of_fold(Lists(users, features, features, users), LEARNING)
    assert len(seen) == 3
    assert np.array_equal(found, features[:, :, 0])


def test_trees_that_do_not_help_are_left_away_and_the_facts_say_so() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(400, 11, 2)).astype(np.float32)
    scores[:, 0, 0] += 2.0  # the first part knows all there is to know
    lists = Lists(np.arange(400), scores, scores, np.full(400, 7))
    found, facts = levels.learned(lists, LEARNING)
    assert found.trees is None
    assert facts["level"] == "linear"
    assert (found.weights[:, 0] > 0.8).all()
    kept, _ = levels.learned(lists, dataclasses.replace(LEARNING, level="trees"))
    assert kept.trees is not None


def test_trees_find_what_no_weights_can_say() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(600, 11, 3)).astype(np.float32)
    features[:, 0, 0] *= 0.1  # wanted: near the middle of the first feature
    lists = Lists(np.arange(600), features[:, :, :2].copy(), features, np.full(600, 7))
    found, facts = levels.learned(lists, dataclasses.replace(LEARNING, trees=60))
    assert found.trees is not None
    assert facts["validation_ndcg_trees"] > facts["validation_ndcg_linear"] + 0.1


def test_cold_people_get_weights_of_their_own_where_another_part_knows_them() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(1000, 11, 2)).astype(np.float32)
    known = np.where(np.arange(1000) < 500, 0, 9)
    scores[:500, 0, 0] += 2.0  # the first part knows cold people, the second warm ones
    scores[500:, 0, 1] += 2.0
    found, facts = levels.learned(
        Lists(np.arange(1000), scores, scores, known), dataclasses.replace(LEARNING, level="linear")
    )
    assert facts["own_weights"] == ["cold", "warm"]
    assert found.weights[0, 0] > 0.8
    assert found.weights[2, 1] > 0.8
    assert levels.slice_of(np.array([0, 1, 4, 5, 90])).tolist() == [0, 1, 1, 2, 2]
    one = found.linear([np.full((2, 1), 1, np.float32), np.full((2, 1), 3, np.float32)], np.array([0, 9]))
    assert one[0, 0] == pytest.approx(found.weights[0] @ [1, 3])
    assert one[1, 0] == pytest.approx(found.weights[2] @ [1, 3])


def test_a_stack_without_a_part_is_the_stack_that_was_never_given_it() -> None:
    problem, options = tiny_problem(), stack.StackOptions(**SMALL)
    prepared = stack.prepare(None, problem, options)
    less = stack.stacked(problem, options, prepared.without("als"))
    others = dataclasses.replace(options, parts=("popularity", "user_kernel"))
    assert list(less.facts["weights"]) == ["popularity", "user_kernel"]
    alone = stack.prepare(None, problem, others)
    assert np.array_equal(prepared.without("als").lists.scores[:, 0], alone.lists.scores[:, 0])  # wanted items
    assert prepared.without("als").lists.features.shape == alone.lists.features.shape


@pytest.mark.parametrize("shortlist", [1000, 30])
def test_it_is_not_far_below_its_best_part_and_restores_bit_for_bit(shortlist: int) -> None:
    problem = launch(made(), 8)
    shop = fitted(problem, "stack", None, **SMALL, shortlist=shortlist)
    best = max(quality(problem, fitted(problem, name)).mean() for name in PARTS)
    assert quality(problem, shop).mean() > 0.9 * best
    tensors, meta = shop.scorer.state()
    again = SCORERS.get("stack").restore(tensors, json.loads(json.dumps(meta)))
    assert np.array_equal(shop.scorer.score(problem.history), again.score(problem.history))
    json.dumps(dict(shop.facts))


def test_the_shortlist_is_ranked_above_the_rest() -> None:
    problem = launch(made(), 8)
    shop = fitted(problem, "stack", None, **SMALL, level="trees", shortlist=10)
    scores = shop.scorer.score(problem.history.take(np.arange(20)))
    assert ((scores >= 0).sum(axis=1) == 10).all()


def test_labels_name_their_method_and_an_unknown_one_is_refused() -> None:
    problem = tiny_problem()
    named = {"few": {"method": "als", "factors": 2}}
    shop = fitted(problem, "stack", None, **SMALL | {"parts": ("popularity", "few"), "part_options": named})
    assert set(shop.facts["weights"]) == {"popularity", "few"}
    with pytest.raises(MethodError, match="fewer"):
        fitted(problem, "stack", None, parts=("fewer",))


def test_where_nothing_can_be_held_out_all_parts_count_alike() -> None:
    problem = tiny_problem()
    alone = problem.split.train.unique("user", maintain_order=True)  # one row each: nobody has an item to spare
    poor = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=alone))
    prepared = stack.prepare(None, poor, stack.StackOptions(**SMALL, hold="one"))
    assert not len(prepared.lists.users)
    assert stack.stacked(poor, stack.StackOptions(**SMALL), prepared).facts["why"] == "too little to learn from"
    first, *others = prepared.parts
    less = stack.stacked(poor, stack.StackOptions(**SMALL), prepared.without(first))
    assert less.facts["weights"] == dict.fromkeys(others, 1 / len(others))
