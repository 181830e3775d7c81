"""Content: three views of an item by hand, and items that nobody bought."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from crossaisle.config import build
from crossaisle.errors import ConfigError, MethodError
from crossaisle.testing import CHECKS, case, tiny_base
from crossaisle.testing_world import tiny_problem, without
from crossaisle.transfer import content
from crossaisle.transfer.alike import alike
from crossaisle.transfer.common import popularity_of, standardised
from crossaisle.transfer.content import ContentKernelOptions, ContentScorer
from crossaisle.transfer.method import METHODS, check_needs
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.types import Floats, session_of


def fitted(problem: Problem, **options: object) -> ContentScorer:
    made = content.fit(None, problem, ContentKernelOptions(**options)).scorer  # type: ignore[arg-type]
    assert isinstance(made, ContentScorer)
    return made


def without_some(problem: Problem) -> tuple[Problem, list[int]]:
    """`problem` with all rows of every third item of the target taken away, and the places of these items."""
    cold = list(range(0, len(problem.catalogue), 3))
    of_cold = pl.col("item").is_in(problem.catalogue[cold].tolist())
    split = dataclasses.replace(problem.split, train=problem.split.train.filter(~of_cold))
    return dataclasses.replace(problem, split=split), cold


def test_votes_are_shared_by_hand() -> None:
    near = sp.csr_matrix(np.array([[0, 0.5, 0.25], [0.5, 0, 0], [0.25, 0, 0]], np.float32))
    got = content.votes_of(near, np.array([0, 4, 2], np.float32), 1.0).toarray()
    below = 0.5 * (4 + 1) + 0.25 * (2 + 1)
    assert got[0] == pytest.approx([0, 0.5 / below, 0.25 / below])
    assert got[1] == pytest.approx([0.5 / (0.5 * 1), 0, 0])  # the item itself does not vote


def test_the_score_is_near_and_votes_and_sales() -> None:
    problem = tiny_problem()
    made = fitted(problem, scope="target", power=2.0, half_life_weeks=None, prior_people=1.0, prior_sales=2.0)
    like = alike(problem.world.content[problem.catalogue.tolist()], 2.0, 100).toarray()
    other = like * (1 - np.eye(len(like)))
    had = (problem.target_counts.toarray() > 0).astype(float)
    assert made.people is not None
    said = made.people.score(problem.history)
    votes = (other @ said.T).T / np.maximum(other @ (had.sum(axis=0) + 1.0), 1e-9)
    sold = np.sqrt(popularity_of(problem, "target", "events"))
    sales = (other @ sold + 2 * sold[sold > 0].mean()) / (other @ (sold > 0) + 2)
    mine = (problem.history.counts[:, problem.catalogue].toarray() > 0).astype(float)  # in whichever shop
    parts = (mine @ like, votes, np.tile(sales, (len(had), 1)))
    expected = sum(standardised(np.asarray(p, np.float32)) for p in parts)
    assert made.score(problem.history) == pytest.approx(expected, abs=1e-4)
    plain = fitted(problem, scope="target", power=2.0, half_life_weeks=None, votes=False, sales=False)
    assert plain.score(problem.history) == pytest.approx(standardised((mine @ like).astype(np.float32)), abs=1e-4)


def mean_of(scores: Floats, problem: Problem, cold: list[int], alike_: bool) -> float:
    """Mean score of the `cold` items that are (not) to the taste of each person who buys: the title's first word."""
    taste = np.array([t.split()[0] for t in problem.world.content[problem.catalogue.tolist()]["title"]])
    words = ("green", "dark", "fruity", "plain")
    buyers = np.flatnonzero(np.diff(problem.history.counts.indptr))
    values = [scores[u, i] for u in buyers for i in cold if (taste[i] == words[u % 4]) == alike_]
    return float(np.mean(values))


@pytest.mark.parametrize("scope", ["target", "all"])
def test_items_that_nobody_bought_find_their_people(scope: str) -> None:
    problem, cold = without_some(tiny_problem())
    scores = fitted(problem, scope=scope).score(problem.history)
    assert mean_of(scores, problem, cold, True) > mean_of(scores, problem, cold, False) + 1.0


def test_before_the_first_sale_other_shops_tell_the_taste() -> None:
    problem = tiny_problem(weeks=0)
    scores = fitted(problem).score(problem.history)
    every = list(range(len(problem.catalogue)))
    assert mean_of(scores, problem, every, True) > mean_of(scores, problem, every, False) + 0.3
    alone = fitted(problem, scope="target")
    assert alone.people is None
    strangers = np.diff(problem.history.counts[:, problem.catalogue].indptr) == 0
    assert (alone.score(problem.history)[strangers] == 0).all()


def test_the_target_alone_reads_nothing_else() -> None:
    problem = tiny_problem()
    made = fitted(problem, scope="target")
    assert np.array_equal(made.inputs, problem.catalogue)
    elsewhere = np.setdiff1d(np.unique(problem.visible["item"].to_numpy()), problem.catalogue)[:5]
    asked, nobody = (made.score(session_of(items, problem.world.n_items)) for items in (elsewhere, []))
    assert np.array_equal(asked, nobody)
    method = METHODS.get("content")
    assert kind_of(method, ContentKernelOptions(scope="target")) == "control"
    assert kind_of(method, ContentKernelOptions()) == "transfer"


@pytest.mark.parametrize("options", [{"scope": "target"}, {"neighbours": 3, "half_life_weeks": None}, {"max_users": 5}])
@pytest.mark.parametrize("check", ["scores_are_finite", "state_restores_bit_for_bit", "asked_rows_are_not_read"])
def test_options_keep_the_contract(options: dict[str, object], check: str) -> None:
    CHECKS[check](case("content", ContentKernelOptions(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values", [{"power": 0}, {"neighbours": 0}, {"prior_people": 0}, {"prior_sales": 0}, {"half_life_weeks": 0}]
)
def test_options_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build(ContentKernelOptions, values)


def test_a_base_that_knows_items_by_their_ids_does_not_tell_content_anything() -> None:
    bare = without(tiny_problem(), "item_content")
    base = tiny_base(bare)
    check_needs(METHODS.get("finetune"), base, bare)
    for name in ("content", "item_prior"):
        with pytest.raises(MethodError, match="needs item_content"):
            check_needs(METHODS.get(name), base, bare)
