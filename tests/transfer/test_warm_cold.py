"""Warm and cold: in a World where content determines taste, items that nobody has find the people they suit."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from launch_worlds import fitted

from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, MethodError
from crossaisle.metrics import Doubles
from crossaisle.recommender import Recommender
from crossaisle.rng import generator
from crossaisle.testing import CHECKS, case
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer.als import AlsScorer
from crossaisle.transfer.method import METHODS, check_needs
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.transfer.ridge import PENALTIES, linear, passed
from crossaisle.transfer.warm_cold import WarmColdOptions, WarmColdScorer
from crossaisle.types import Floats, session_of

KINDS, EACH, COLD, PEOPLE = 5, 12, 3, 200
"""Kinds of items and of people; items of each kind in each shop, the last of which nobody has; people."""
NO_TEXT = {"text": ""}


@cache
def planted(opened: bool = True) -> Problem:
    """Two shops; seven in ten purchases are of a person's own kind, and what is dear (even numbers) sells four times.

    A tenth of the purchases of the target, and all of its cold items, are asked; unless `opened`, all of it is.
    """
    draw = generator(0, "warm and cold")
    chance = np.where(np.arange(EACH) % 2 == 0, 4.0, 1.0)
    rows = []
    for person in range(PEOPLE):
        for shop in ("old", "new"):
            for _ in range(10):
                kind = person % KINDS if draw.random() < 0.7 else int(draw.integers(KINDS))
                rows.append((f"u{person}", f"{shop}{kind}.{draw.choice(EACH, p=chance / chance.sum())}", shop))
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain"], orient="row").unique(maintain_order=True)
    shelf = [
        (f"{shop}{kind}.{n}", shop, f"kind {kind}", "small" if n % 2 else "big", float(draw.random()))
        for shop in ("old", "new")
        for kind in range(KINDS)
        for n in range(EACH)
    ]
    items = pl.DataFrame(shelf, schema=["item_id", "domain", "category", "brand", "weight"], orient="row")
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")), items)
    every = world.interactions
    here = pl.col("domain") == world.domain_code("new")
    cold = pl.col("item").is_in(codes(world, [f"new{k}.{n}" for k in range(KINDS) for n in range(EACH - COLD, EACH)]))
    asked = here & (cold | (pl.int_range(pl.len()) % 10 == 0)) if opened else here
    split = Split(every.filter(~asked), every.clear(), every.filter(asked), every.clear(), "planted")
    return Problem(world, "new", ("old",), split, world.catalogue("new"))


def codes(world: World, names: list[str]) -> list[int]:
    return world.item_ids.encode(pl.Series(names)).tolist()


@cache
def shop(method: str = "warm_cold", opened: bool = True, **options: Any) -> Recommender:
    content = {"content": NO_TEXT} if method == "warm_cold" else {}
    return fitted(planted(opened), method, None, **content, **options)


def scorer(**options: Any) -> WarmColdScorer:
    made = shop(**options).scorer
    assert isinstance(made, WarmColdScorer)
    return made


def table(problem: Problem) -> tuple[Doubles, Doubles, Doubles]:
    """Kind, number and people of each item of the catalogue."""
    names = [problem.world.item_ids.ids[int(i)].removeprefix("new").split(".") for i in problem.catalogue]
    kind, number = (np.array([float(n[j]) for n in names]) for j in (0, 1))
    return kind, number, np.asarray((problem.target_counts > 0).sum(axis=0), dtype=float).ravel()


def own_kind(problem: Problem, scores: Floats, among: Doubles, best: int) -> float:
    """Share of the `best` first items of `among`, the columns that are True, that are of each person's own kind."""
    kind, columns = table(problem)[0], np.flatnonzero(among)
    people = [int(name[1:]) % KINDS for name in problem.world.user_ids.ids.to_list()]
    first = columns[np.argsort(-scores[:, columns], axis=1)[:, :best]]
    return float((kind[first] == np.array(people)[:, None]).mean())


def found(problem: Problem, scores: Floats, asked_of: Doubles, best: int = 10) -> float:
    """Share of asked purchases of the items `asked_of` among the `best` of the catalogue that the person lacks."""
    left = np.where(problem.target_counts.toarray() > 0, -np.inf, scores)
    place = np.argsort(np.argsort(-left, axis=1, kind="stable"), axis=1)
    rows = problem.split.test
    user, column = rows["user"].to_numpy(), np.searchsorted(problem.catalogue, rows["item"].to_numpy())
    kept = asked_of[column] > 0
    return float((place[user[kept], column[kept]] < best).mean())


@pytest.mark.parametrize(("scope", "least"), [("all", 0.8), ("target", 0.7)])
def test_items_that_nobody_has_find_the_people_they_suit(scope: str, least: float) -> None:
    problem = planted()
    people = table(problem)[2]
    assert (people == 0).sum() == KINDS * COLD
    scores = shop(scope=scope).scorer.score(problem.history)
    assert own_kind(problem, scores, people == 0, COLD) > least  # by chance: 0.2
    popular = shop("popularity").scorer.score(problem.history)
    plain = shop("als", scope=scope).scorer.score(problem.history)
    reached = found(problem, scores, people == 0)
    assert reached > 2.5 * found(problem, popular, people == 0)
    assert reached > found(problem, plain, people == 0) + 0.3
    assert reached > 0.4


@pytest.mark.parametrize("scope", ["all", "target"])
def test_known_items_are_found_about_as_well_as_without_content(scope: str) -> None:
    problem = planted()
    warm = table(problem)[2] > 0
    mixed, plain = (
        found(problem, np.where(warm, shop(m, scope=scope).scorer.score(problem.history), -np.inf), warm)
        for m in ("warm_cold", "als")
    )
    assert mixed > plain - 0.03


@pytest.mark.parametrize("scope", ["all", "target"])
def test_in_one_list_new_items_are_found_and_few_known_ones_are_pushed_out(scope: str) -> None:
    """Beside what `als` finds of known items with the same options, and with its own; it finds no new one."""
    problem = planted()
    people = table(problem)[2]
    mixed = shop(scope=scope).scorer.score(problem.history)
    plain = shop("als", scope=scope, factors=16, alpha=10.0, regularization=10.0).scorer.score(problem.history)
    popular = shop("popularity").scorer.score(problem.history)
    assert found(problem, mixed, people == 0) > 0.5 + max(found(problem, s, people == 0) for s in (plain, popular))
    known = found(problem, mixed, people > 0)
    assert known > 0.85 * found(problem, plain, people > 0)
    assert known > found(problem, shop("als", scope=scope).scorer.score(problem.history), people > 0)


def test_before_the_first_sale_the_old_shop_places_the_items_of_the_new_one() -> None:
    problem = planted(opened=False)
    scores = shop(opened=False).scorer.score(problem.history)
    assert own_kind(problem, scores, np.ones(len(problem.catalogue)), EACH) > 0.8
    with pytest.raises(MethodError, match="nobody has an item with content that scope 'target' reads"):
        shop(opened=False, scope="target")


def test_the_vector_is_what_content_says_and_fades_into_the_own() -> None:
    few, usual, endless = (scorer(scope="target", prior_people=k) for k in (1e-9, 4.0, 1e9))
    people = table(planted())[2][:, None]
    plain = shop("als", factors=16, alpha=10.0, regularization=10.0).scorer  # as its own defaults
    assert isinstance(plain, AlsScorer)
    warm = people[:, 0] > 0
    assert few.vectors[warm] == pytest.approx(plain.factors[warm], abs=1e-5)
    assert few.vectors[~warm] == pytest.approx(endless.vectors[~warm], abs=1e-5)
    by_hand = (people * few.vectors + 4.0 * endless.vectors) / (people + 4.0)
    assert usual.vectors == pytest.approx(by_hand, abs=1e-5)
    said = endless.student.says(_content(endless))
    assert endless.vectors == pytest.approx(said[:, :-1], abs=1e-5)
    assert endless.appeal == pytest.approx(said[:, -1], abs=1e-4)


def _content(made: WarmColdScorer) -> Any:
    world = planted().world
    rows = world.content[made.inputs.tolist()].with_columns(domain=pl.lit("new"))
    return made.student.features.reader.read(rows)


def test_what_sells_is_told_by_content_where_nobody_bought_yet() -> None:
    problem = planted()
    _, number, people = table(problem)
    for weight in (0.3, 0.0):  # without a weight it still orders what is equal
        made = scorer(sales=weight)
        nobody = made.score(session_of([], problem.world.n_items))[0]
        assert np.array_equal(np.argsort(-nobody, kind="stable"), np.argsort(-made.appeal, kind="stable"))
        cold = people == 0
        assert nobody[cold & (number % 2 == 0)].min() > nobody[cold & (number % 2 == 1)].max()
        assert nobody[cold].max() > nobody[~cold].min()
        assert np.argmax(nobody) in np.flatnonzero(~cold)
    kind, known = table(problem)[0], session_of([int(problem.catalogue[0])], problem.world.n_items)
    tasteful, sold = (scorer(sales=s).score(known)[0] for s in (0.0, 100.0))
    assert kind[np.argmax(tasteful)] == kind[0]
    assert np.array_equal(np.argsort(-sold)[:5], np.argsort(-scorer().appeal)[:5])


@pytest.mark.parametrize("kind", range(KINDS))
def test_an_item_that_comes_later_is_placed_by_its_content_and_counts_at_once(kind: int) -> None:
    row = {"item_id": "fresh", "category": f"kind {kind}", "brand": "big", "weight": 0.5}
    problem, longer = planted(), shop().with_items(pl.DataFrame([row]))
    fresh = longer.scorer.score(longer.history)[:, -1]
    mine = np.array([int(n[1:]) % KINDS == kind for n in problem.world.user_ids.ids.to_list()])
    assert fresh[mine].mean() > fresh[~mine].mean() + 1.0
    had = longer.scorer.score(session_of([problem.world.n_items], problem.world.n_items + 1))[0, :-1]
    assert table(problem)[0][np.argmax(had)] == kind
    tensors, meta = longer.scorer.state()
    again = WarmColdScorer.restore(tensors, meta)
    assert np.array_equal(again.score(longer.history), longer.scorer.score(longer.history))


def test_an_event_of_an_item_that_nobody_had_counts_at_once() -> None:
    problem = planted()
    kind, _, people = table(problem)
    for column in np.flatnonzero(people == 0):
        scores = scorer(item_exponent=0.3).score(session_of([int(problem.catalogue[column])], problem.world.n_items))[0]
        assert kind[np.argmax(scores)] == kind[column]


def test_rows_that_weigh_more_are_rows_that_are_there_more_often() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(9, 3)).astype(np.float32), draw.normal(size=(9, 2)).astype(np.float32)
    worth = draw.integers(1, 5, 9)
    ((weights, constants),), _ = linear(x, y, 0.2, worth.astype(np.float32))
    ((wanted, level),), _ = linear(np.repeat(x, worth, axis=0), np.repeat(y, worth, axis=0), 0.2)
    assert weights == pytest.approx(wanted, abs=1e-5)
    assert constants == pytest.approx(level, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_penalty_is_the_one_that_is_best_on_weighted_rows_left_out(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(14, 5)).astype(np.float32)
    y = (x @ draw.normal(size=(5, 2)) + 2 * draw.normal(size=(14, 2))).astype(np.float32)
    worth = draw.integers(1, 9, 14).astype(np.float32)

    def spread(rows: Any) -> float:
        middle = np.average(x[rows], axis=0, weights=worth[rows])
        root = np.sqrt(worth[rows])[:, None]
        return float((np.linalg.svd(root * (x[rows] - middle), compute_uv=False) ** 2).mean())

    def left_out(share: float) -> float:
        error = 0.0
        for row in range(14):
            rest = np.flatnonzero(np.arange(14) != row)
            # The share is of the spread of all rows, so that the penalty stays as the row leaves.
            own = share * spread(np.arange(14)) / spread(rest)
            layers, _ = linear(x[rest], y[rest], own, worth[rest])
            error += float(worth[row] * ((passed(x[row][None], layers) - y[row]) ** 2).sum())
        return error

    assert linear(x, y, worth=worth)[1]["penalty"] == min(PENALTIES, key=left_out)


def test_levels_are_the_commonest_and_may_be_none() -> None:
    assert scorer(levels=0).student.features.levels.shape == (0,)
    assert len(scorer(levels=3).student.features.levels) == 3
    assert len(scorer().student.features.levels) == KINDS + 2
    people = table(planted())[2]
    blind = scorer(levels=0).score(planted().history)
    assert own_kind(planted(), blind, people == 0, COLD) < 0.4


def test_the_target_alone_reads_nothing_else() -> None:
    problem, made = planted(), scorer(scope="target")
    assert np.array_equal(made.inputs, problem.catalogue)
    elsewhere = codes(problem.world, ["old0.0", "old0.2"])
    asked, nobody = (made.score(session_of(i, problem.world.n_items)) for i in (elsewhere, []))
    assert np.array_equal(asked, nobody)
    method = METHODS.get("warm_cold")
    assert kind_of(method, WarmColdOptions(scope="target")) == "control"
    assert kind_of(method, WarmColdOptions()) == "transfer"


def test_another_seed_gives_other_scores() -> None:
    problem = tiny_problem()
    scores = [
        fitted(dataclasses.replace(problem, seed=s), "warm_cold", None, content=NO_TEXT).scorer.score(problem.history)
        for s in (0, 1)
    ]
    assert not np.array_equal(*scores)


def test_items_without_content_are_refused() -> None:
    problem = planted()
    bare = dataclasses.replace(problem, world=World.from_frames(_named(problem)))
    with pytest.raises(MethodError, match="needs item_content"):
        check_needs(METHODS.get("warm_cold"), None, bare)


def _named(problem: Problem) -> pl.DataFrame:
    world, rows = problem.world, problem.world.interactions
    names = {
        "user_id": world.user_ids.ids.to_list(),
        "item_id": world.item_ids.ids.to_list(),
        "domain": world.domains.ids.to_list(),
    }
    columns = zip(names.items(), ("user", "item", "domain"), strict=True)
    made = {new: [known[i] for i in rows[old].to_list()] for (new, known), old in columns}
    return pl.DataFrame(made).with_columns(event=pl.lit("purchase"))


@pytest.mark.parametrize(
    "options", [{"scope": "target"}, {"levels": 0, "sales": 0.0}, {"item_exponent": 0.4, "penalty": 0.1}]
)
@pytest.mark.parametrize("check", ["scores_are_finite", "state_restores_bit_for_bit", "asked_rows_are_not_read"])
def test_options_keep_the_contract(options: dict[str, object], check: str) -> None:
    CHECKS[check](case("warm_cold", build(WarmColdOptions, options | {"content": NO_TEXT})))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prior_people": 0.0}, "prior_people above 0"),
        ({"sales": -1.0}, "must be 0 or more"),
        ({"penalty": -1.0}, "must be 0 or more"),
        ({"levels": -1}, "must be 0 or more"),
        ({"factors": 0}, "factors and iterations must be at least 1"),
        ({"alpha": 0.0}, "alpha and regularization above 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(WarmColdOptions, wrong)
