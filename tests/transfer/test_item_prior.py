"""Item prior: ranks, kinds and strength by hand, and shops in which the same law says what sells."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import scipy.stats

from crossaisle.data.world import World
from crossaisle.encoders.content import Content, ContentOptions
from crossaisle.errors import MethodError
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer import item_prior
from crossaisle.transfer.item_prior import ItemPriorOptions, buyers_of, forecast_of, strength_of
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.sales_facts import Shelves, ranks_within
from crossaisle.transfer.visible import problem_of
from crossaisle.types import Floats

PLAIN = ItemPriorOptions(content=ContentOptions(text=""), forests=2)
SHOPS, ITEMS, PEOPLE = ("tea", "coffee", "cake"), 150, 400


def test_ranks_are_within_the_group_and_ties_share_theirs() -> None:
    group, values = np.array([1, 0, 1, 1, 0, 1]), np.array([5.0, 9.0, 1.0, 5.0, 2.0, 7.0], dtype=np.float32)
    assert ranks_within(group, values).tolist() == [1.5 / 4 + 0.125, 0.75, 0.125, 1.5 / 4 + 0.125, 0.25, 3.5 / 4]


def test_a_kind_sells_as_it_does_elsewhere() -> None:
    nothing = np.zeros((5, 0), dtype=np.float32)
    content = Content(nothing, nothing, np.zeros((5, 0), dtype=np.int64))
    shelves = Shelves(np.array([0, 0, 1, 1, 2]), content, nothing, np.array([[1], [2], [1], [1], [1]]))
    facts = shelves.facts(np.array([1.0, -1.0, 2.0, 4.0, 99.0]), np.array([0, 1]))
    mean, number, crowd, share = facts.T
    assert mean == pytest.approx([6 / 7, 0, 1 / 6, 1 / 6, 7 / 8])  # shrunk as if five more had no success
    assert number == pytest.approx(np.log1p([2, 0, 1, 1, 3]))
    assert crowd == pytest.approx(np.log([1, 1, 2, 2, 1]))
    assert share == pytest.approx([0.5, 0.5, 1, 1, 1])


def test_the_forecast_counts_as_much_as_it_was_right() -> None:
    forecast = np.array([0.6, 0.3, 0.1])
    right, wrong = (
        strength_of(forecast, np.array([60.0, 30.0, 10.0])),
        strength_of(forecast, np.array([5.0, 5.0, 90.0])),
    )
    assert right > 1e4
    assert wrong < 10
    likelier = [scipy.stats.dirichlet_multinomial.logpmf([5, 5, 90], k * forecast, 100) for k in (wrong, 2 * wrong, 1)]
    assert likelier[0] > max(likelier[1:])


def shops(law: float) -> Problem:
    """Three shops; cheap items sell in two of them, and in `cake`, of which nothing is visible, as the price^−`law`."""
    draw, rows, items = np.random.default_rng(0), [], []
    for shop in SHOPS:
        prices = np.exp(draw.normal(size=ITEMS))
        chance = prices ** -(law if shop == "cake" else 1.0)
        items += [(f"{shop}{i}", shop, float(p)) for i, p in enumerate(prices)]
        for user in range(PEOPLE):
            for i in draw.choice(ITEMS, 5, replace=False, p=chance / chance.sum()):
                day = datetime(2024, 1, 1) + timedelta(days=int(draw.integers(100)))
                rows.append((f"u{user}", f"{shop}{i}", shop, day))
    told = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    listed = pl.DataFrame(items, schema=["item_id", "domain", "price"], orient="row")
    world = World.from_frames(told.with_columns(event=pl.lit("purchase")), listed, name="shops")
    return problem_of(world, "cake", (), datetime(2024, 4, 10), 0.0, 0)


def agreement(problem: Problem, scores: Floats) -> float:
    """Spearman correlation of scores with what sells in `cake` after all."""
    truth = buyers_of(problem.world.interactions, problem.world.n_items)[problem.catalogue]
    return float(scipy.stats.spearmanr(scores, truth).statistic)


@pytest.mark.parametrize(("law", "least", "most"), [(1.0, 0.7, 1.0), (-1.0, -1.0, -0.7)])
def test_a_law_that_holds_everywhere_is_carried_over_and_another_is_not_known(
    law: float, least: float, most: float
) -> None:
    problem = shops(law)
    assert not len(problem.target_rows)
    assert least <= agreement(problem, forecast_of(problem, PLAIN)) <= most


def test_sales_of_the_target_outweigh_a_forecast_that_is_wrong() -> None:
    unseen = shops(-1.0)
    seen = problem_of(unseen.world, "cake", (), None, 100.0, 0)
    made = item_prior.fit(None, seen, PLAIN)
    assert agreement(seen, made.scorer.score(seen.history_for(np.array([0])))[0]) > 0.9
    assert made.facts["buyers"] == 5 * PEOPLE


def test_sources_that_are_too_small_are_a_sentence() -> None:
    problem = dataclasses.replace(tiny_problem(), sources=("tea",))
    with pytest.raises(MethodError, match="at least 1000 items"):
        item_prior.fit(None, problem, ItemPriorOptions(min_items=1000))
