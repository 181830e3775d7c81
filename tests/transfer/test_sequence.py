"""Sequence: what comes next by the content of what came before, in shops with and without sales, and its order."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, MethodError
from crossaisle.evaluate.slices import evaluate_users
from crossaisle.recommender import Recommender
from crossaisle.rng import generator
from crossaisle.testing import CHECKS, case
from crossaisle.transfer.method import METHODS, check_needs
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.transfer.sequence import SequenceOptions
from crossaisle.types import Floats, History

KINDS, EACH, PEOPLE, MET = 6, 8, 240, 7
START = datetime(2024, 1, 1)
OPTIONS = {"content": {"text": ""}, "steps": 250, "dim": 32, "hidden": 32, "rate": 5e-3, "dropout": 0.0}


@cache
def chained() -> World:
    """People walk round six kinds of things, one kind after the other, first in shop `old` and at last in `new`.

    Which item of a kind is met is chance: only its content, and what came last, tells what comes next.
    """
    draw, rows = generator(0, "chained"), []
    for person in range(PEOPLE):
        first = int(draw.integers(KINDS))
        for step in range(MET):
            shop = "old" if step < MET - 2 else "new"
            name = f"{shop}{(first + step) % KINDS}-{int(draw.integers(EACH))}"
            day = 40 * (shop == "new") + 6 * step + int(draw.integers(5))
            rows.append((f"p{person}", name, shop, START + timedelta(days=day)))
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    items = pl.DataFrame(
        [(f"{shop}{k}-{i}", shop, f"kind {k}") for shop in ("old", "new") for k in range(KINDS) for i in range(EACH)],
        schema=["item_id", "domain", "kind"], orient="row",
    )  # fmt: skip
    return World.from_frames(frame.with_columns(event=pl.lit("purchase")), items)


@cache
def asked(weeks: float) -> Problem:
    """The last item of everybody is asked; `new` shows the one before to the model where `weeks` is above 0."""
    world = chained()
    rows = world.interactions.sort("timestamp", maintain_order=True)
    of_target = pl.col("domain") == world.domain_code("new")
    last = pl.int_range(pl.len()).over("user") == MET - 1
    known, wanted = rows.filter(~last), rows.filter(last)
    cut = START + timedelta(days=40 + 6 * (MET - 1))
    if weeks == 0:  # the first item in the new shop is asked
        known, wanted = rows.filter(~of_target), rows.filter(of_target & ~last)
        cut = START + timedelta(days=40)
    split = Split(known, known.clear(), wanted, known.clear(), "by hand", cut)
    return Problem(world, "new", ("old",), split, world.catalogue("new"), 0, weeks)


def fitted(problem: Problem, name: str = "sequence", **options: object) -> Recommender:
    method = METHODS.get(name)
    check_needs(method, None, problem)
    return method.fit(None, problem, build(method.options, options))


@cache
def made(weeks: float) -> Recommender:
    return fitted(asked(weeks), **OPTIONS)


def quality(problem: Problem, recommender: Recommender) -> float:
    return float(np.mean(evaluate_users(recommender.scorer.score, problem)["new", "ndcg", 10].values))


def met(problem: Problem, items: dict[str, float]) -> History:
    """A stranger who met `items`, by id, so many days ago."""
    codes = problem.world.item_ids.encode(pl.Series(list(items))).astype(np.int64)
    nobody = problem.history_for(np.array([-1]))
    counts = nobody.counts.tolil()
    counts[0, codes] = 1.0
    counts = counts.tocsr()
    ages = dict(zip(codes.tolist(), items.values(), strict=True))
    return History(counts, np.array([ages[i] for i in counts.indices.tolist()], np.float32), nobody.users)


def kinds(problem: Problem, scores: Floats, best: int = EACH) -> set[str]:
    """Kinds of the `best` items of one person."""
    codes = problem.catalogue[np.argsort(-scores[0], kind="stable")[:best]]
    return {name[3] for name in problem.world.item_ids.decode(codes)}


@pytest.mark.parametrize("weeks", [0, 6])
def test_it_finds_what_comes_next_in_a_shop_with_and_without_sales(weeks: float) -> None:
    problem = asked(weeks)
    assert (len(problem.target_rows) > 0) == (weeks > 0)
    best = 0.5  # one of eight items alike: nobody can know which
    assert quality(problem, made(weeks)) > 0.8 * best
    if weeks:
        assert quality(problem, fitted(problem, "popularity")) < 0.2


def test_the_latest_decides_whatever_the_shop() -> None:
    problem = asked(0)
    score = made(0).scorer.score
    there = score(met(problem, {"old1-0": 9, "old2-0": 2}))
    back = score(met(problem, {"old1-0": 2, "old2-0": 9}))
    assert kinds(problem, there) == {"3"}
    assert kinds(problem, back) == {"2"}
    assert kinds(problem, score(met(problem, {"new3-0": 9, "new4-0": 2}))) == {"5"}  # never sold


def test_only_the_latest_items_are_read() -> None:
    problem = asked(0)
    short = fitted(problem, **OPTIONS | {"length": 2, "steps": 5}).scorer.score
    two, three = {"old1-0": 5.0, "old2-0": 2.0}, {"old0-0": 9.0, "old1-0": 5.0, "old2-0": 2.0}
    assert np.array_equal(short(met(problem, two)), short(met(problem, three)))
    assert not np.allclose(short(met(problem, two)), short(met(problem, {"old2-0": 2.0})))


def test_a_saved_one_answers_alike_and_the_seed_decides(tmp_path: Path) -> None:
    problem, few = asked(6), OPTIONS | {"steps": 20}
    first = fitted(problem, **few)
    scores = first.scorer.score(problem.history)
    assert np.array_equal(scores, fitted(problem, **few).scorer.score(problem.history))
    other = fitted(dataclasses.replace(problem, seed=1), **few)
    assert not np.allclose(scores, other.scorer.score(problem.history))
    first.save(tmp_path / "saved")
    assert np.array_equal(scores, Recommender.load(tmp_path / "saved").scorer.score(problem.history))


def test_people_of_whom_nothing_can_be_read_get_what_sells() -> None:
    problem = asked(6)
    nobody = problem.history_for(np.array([-1]))
    popular = fitted(problem, "popularity").scorer.score(nobody)[0]
    assert popular[made(6).scorer.score(nobody)[0].argmax()] == popular.max()


def test_items_without_content_are_passed_over() -> None:
    problem = asked(6)
    world = problem.world
    bare = world.items.with_columns(
        kind=pl.when(pl.col("item") == world.item_ids.code("old0-0")).then(None).otherwise("kind")
    )
    poor = dataclasses.replace(problem, world=dataclasses.replace(world, items=bare))
    score = fitted(poor, **OPTIONS | {"steps": 5}).scorer.score
    nobody = score(poor.history_for(np.array([-1])))
    assert np.array_equal(score(met(poor, {"old0-0": 1.0})), nobody)
    assert np.array_equal(score(met(poor, {"old1-0": 3.0, "old0-0": 1.0})), score(met(poor, {"old1-0": 3.0})))


def test_items_that_come_later_are_scored_by_their_content() -> None:
    more = made(0).with_items(pl.DataFrame({"item_id": ["late3", "late5"], "kind": ["kind 3", "kind 5"]}))
    problem = asked(0)
    history = met(problem, {"old1-0": 9, "old2-0": 2})
    wider = History(history.counts.copy(), history.ages, history.users)
    wider.counts.resize(1, len(more.item_ids))
    scores = more.scorer.score(wider)[0]
    assert scores.shape == (len(problem.catalogue) + 2,)
    assert scores[-2] > scores[-1] + 1.0
    assert scores[-2] > np.quantile(scores[:-2], 0.8)


def test_the_target_alone_is_a_control_and_reads_nothing_else() -> None:
    method = METHODS.get("sequence")
    assert kind_of(method, SequenceOptions()) == "transfer"
    assert kind_of(method, SequenceOptions(scope="target")) == "control"
    problem = asked(6)
    alone = build(SequenceOptions, OPTIONS | {"scope": "target"})
    scores = method.fit(None, problem, alone).scorer.score
    nobody = scores(problem.history_for(np.array([-1])))
    assert np.array_equal(scores(met(problem, {"old1-0": 3.0})), nobody)
    assert not np.allclose(scores(met(problem, {"new1-0": 3.0})), nobody)
    with pytest.raises(MethodError, match="nobody met an item with content that scope 'target' reads"):
        method.fit(None, asked(0), alone)


@pytest.mark.parametrize("check", ["scores_are_finite", "state_restores_bit_for_bit", "asked_rows_are_not_read"])
def test_the_target_alone_keeps_the_contract(check: str) -> None:
    options = {"scope": "target", "steps": 10, "content": {"text": ""}}
    CHECKS[check](case("sequence", build(SequenceOptions, options)))


@pytest.mark.parametrize(
    "values",
    [
        {"length": 0}, {"layers": 0}, {"heads": 3}, {"negatives": 0}, {"dropout": 1.0}, {"dropout": -0.1},
        {"temperature": 0}, {"rate": 0}, {"decay": -1}, {"scope": "sources"},
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build(SequenceOptions, values)
