"""Vectors mapped from the other domains to the target: by hand, and in Worlds with a planted map."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from launch_worlds import fitted, quality
from planted import planted

from crossaisle.errors import ConfigError, MethodError
from crossaisle.models.bridge import Had, PersonalBridge
from crossaisle.recommender import Recommender
from crossaisle.testing import CHECKS, case
from crossaisle.testing_world import tiny_problem, without
from crossaisle.transfer.bridge import factorised
from crossaisle.transfer.emcdr import EmcdrOptions
from crossaisle.transfer.folding import fold_in
from crossaisle.transfer.method import METHODS, check_needs
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.ptupcdr import Asked, PtupcdrOptions, unexplained
from crossaisle.transfer.ridge import PENALTIES, linear, passed
from crossaisle.transfer.sscdr import SscdrOptions, item_pairs
from crossaisle.types import Floats, History, session_of

METHODS_HERE = ("emcdr", "ptupcdr", "sscdr")


@cache
def world(personal: bool) -> Problem:
    return planted(personal)


@cache
def shop(personal: bool, method: str, mapping: str = "") -> Recommender:
    return fitted(world(personal), method, None, **{"mapping": mapping} if mapping else {})


@cache
def reached(personal: bool, method: str, mapping: str = "") -> float:
    return float(quality(world(personal), shop(personal, method, mapping)).mean())


def test_the_linear_map_is_the_planted_one() -> None:
    draw = np.random.default_rng(0)
    x, turn = draw.normal(size=(500, 4)).astype(np.float32), draw.normal(size=(4, 3))
    noise = 0.1 * draw.normal(size=(500, 3))
    y = (x @ turn + np.array([1.0, -2.0, 0.5]) + noise).astype(np.float32)
    ((weights, constants),), facts = linear(x, y)
    assert weights == pytest.approx(turn, abs=0.03)
    assert constants == pytest.approx([1.0, -2.0, 0.5], abs=0.03)
    assert facts["penalty"] < 0.1


def test_the_penalty_is_the_one_that_is_best_on_people_left_out() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(12, 5)).astype(np.float32)
    y = (x @ draw.normal(size=(5, 2)) + 2 * draw.normal(size=(12, 2))).astype(np.float32)

    def left_out(share: float) -> float:
        error = 0.0
        for person in range(12):
            rest = np.arange(12) != person
            # The share is of the spread of all 12, so that the penalty stays as the person leaves.
            size = (np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2).mean()
            own = (np.linalg.svd(x[rest] - x[rest].mean(axis=0), compute_uv=False) ** 2).mean()
            layers, _ = linear(x[rest], y[rest], share * float(size / own))
            error += float(((passed(x[person][None], layers) - y[person]) ** 2).sum())
        return error

    best = min(PENALTIES, key=left_out)
    assert linear(x, y)[1]["penalty"] == best
    assert PENALTIES[0] < best < PENALTIES[-1]


def test_one_person_is_mapped_to_the_own_vector() -> None:
    x, y = np.ones((1, 2), dtype=np.float32), np.array([[3.0, 4.0]], dtype=np.float32)
    assert passed(x, linear(x, y)[0])[0] == pytest.approx([3.0, 4.0])


def test_layers_by_hand() -> None:
    one = np.array([[2.0]], dtype=np.float32), np.array([1.0], dtype=np.float32)
    two = np.array([[10.0]], dtype=np.float32), np.array([5.0], dtype=np.float32)
    assert passed(np.array([[3.0]], dtype=np.float32), (one, two)) == pytest.approx(np.tanh(7.0) * 10 + 5)


def test_a_mean_by_hand() -> None:
    """The vector with the least loss: its gradient is 0, and without events it points where the mean points."""
    draw = np.random.default_rng(2)
    factors = draw.normal(size=(6, 2)).astype(np.float32)
    users = sp.csr_matrix(np.array([[1, 0, 2, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=np.float32))
    mean = draw.normal(size=(2, 2)).astype(np.float32)
    alpha, penalty, strength = 3.0, 0.5, 0.7
    found = fold_in(users, factors, alpha, penalty, mean, strength)
    ground = factors.T @ factors + penalty * np.eye(2)

    def loss(x: np.ndarray) -> float:
        had = users.toarray()[0] > 0
        trust = np.where(had, alpha * users.toarray()[0], 1.0)
        away = x - mean[0]
        return float((trust * (had - factors @ x) ** 2).sum() + penalty * x @ x + strength * away @ ground @ away)

    best = loss(found[0].astype(np.float64))
    for step in np.vstack([np.eye(2), -np.eye(2)]) * 1e-2:
        assert loss(found[0] + step) > best
    assert found[1] == pytest.approx(mean[1] * strength / (1 + strength), rel=1e-5)
    assert fold_in(users, factors, alpha, penalty, mean, 1e6) == pytest.approx(mean, rel=1e-3)
    assert fold_in(users, factors, alpha, penalty, mean, 0.0) == pytest.approx(fold_in(users, factors, alpha, penalty))


def test_a_personal_bridge_by_hand() -> None:
    items = torch.tensor([[1.0], [3.0]])
    net = PersonalBridge(items, 1, torch.tensor([[2.0], [0.5]]))
    had = Had(
        torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), torch.tensor([1.0, 2.0, 1.0]), torch.tensor([[1.0], [4.0]])
    )
    assert net(had).detach().ravel().tolist() == pytest.approx([2.5, 8.5])  # before training: one bridge for all
    with torch.no_grad():
        for part in net.parameters():
            part.fill_(0.0)
        net.meta.weight.fill_(1.0)
        net.personal[:] = torch.tensor([[1.0, 10.0]])
    # No attention: means by weight alone, (1 + 2 · 3) / 3 and 3.
    said = np.tanh(np.array([7 / 3, 3.0]))
    assert net(had).detach().ravel().tolist() == pytest.approx([said[0] * (1 + 10), said[1] * (4 + 10)], rel=1e-5)


def test_the_task_by_hand() -> None:
    """As a share of the loss of no vector: 1 at 0, and least where the person is folded in."""
    draw = np.random.default_rng(3)
    factors = draw.normal(size=(5, 2)).astype(np.float32)
    had = torch.zeros(0, dtype=torch.int64)
    nothing = Had(had, had, torch.zeros(0), torch.zeros(1, 2))
    asked = Asked(nothing, torch.tensor([0, 0]), torch.tensor([1, 3]), torch.tensor([4.0, 2.0]))
    ground = torch.from_numpy(factors.T @ factors + 0.5 * np.eye(2, dtype=np.float32))

    def loss(x: Floats) -> float:
        return float(unexplained(torch.from_numpy(x[None]), asked, torch.from_numpy(factors), ground))

    assert loss(np.zeros(2, dtype=np.float32)) == pytest.approx(1.0)
    trust, liked = np.array([1, 4, 1, 2, 1.0]), np.array([0, 1, 0, 1, 0.0])
    x = np.array([0.3, -0.2], dtype=np.float32)
    assert loss(x) == pytest.approx(((trust * (liked - factors @ x) ** 2).sum() + 0.5 * x @ x) / 6, rel=1e-5)
    events = sp.csr_matrix(np.array([[0, 4, 0, 2, 0]], dtype=np.float32))
    best = fold_in(events, factors, 1.0, 0.5)[0]
    for step in np.vstack([np.eye(2), -np.eye(2)]).astype(np.float32) * np.float32(0.05):
        assert loss(best + step) > loss(best)


@pytest.mark.parametrize("mapping", ["linear", "mlp"])
def test_a_map_for_all_serves_people_who_are_new_to_the_target(mapping: str) -> None:
    assert reached(False, "emcdr", mapping) > 2.5 * reached(False, "popularity")


def test_a_bridge_of_ones_own_wins_where_the_map_is_personal() -> None:
    assert reached(True, "ptupcdr") > 2 * reached(True, "emcdr")


def test_a_bridge_of_ones_own_costs_nothing_where_it_is_not() -> None:
    assert reached(False, "ptupcdr") > reached(False, "emcdr") - 0.02


def test_where_nothing_personal_helps_the_bridge_is_that_of_emcdr() -> None:
    problem = world(False)
    found = fitted(problem, "ptupcdr", None, rate=1.0, decay=0.0)  # so fast that it only gets worse
    assert found.facts["steps"] == 0
    scores = shop(False, "emcdr").scorer.score(problem.history)
    assert found.scorer.score(problem.history) == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("check", CHECKS)
def test_the_network_keeps_the_contract_too(check: str) -> None:
    CHECKS[check](case("emcdr", EmcdrOptions(mapping="mlp", steps=40)))


@pytest.mark.parametrize("method", METHODS_HERE)
def test_own_events_in_the_target_correct_what_was_mapped(method: str) -> None:
    """People of whom three purchases are shown are served better than by the map, and by these alone."""
    problem, scorer = world(False), shop(False, method).scorer
    known = problem.split.test
    asked = np.unique(known["user"].to_numpy())
    shown = known.filter(pl.int_range(pl.len()).over("user") < 3)
    mixed = _with(problem, shown, asked)
    own = dataclasses.replace(mixed, counts=_only(mixed.counts, problem.catalogue))
    want = np.zeros((len(asked), len(problem.catalogue)))
    left = known.join(shown, on=["user", "item"], how="anti")
    want[
        np.searchsorted(asked, left["user"].to_numpy()), np.searchsorted(problem.catalogue, left["item"].to_numpy())
    ] = 1

    def found(history: History) -> float:
        scores = scorer.score(history).copy()
        scores[mixed.counts[:, problem.catalogue].nonzero()] = -np.inf
        best = np.argsort(-scores, axis=1)[:, :10]
        return float(np.take_along_axis(want, best, axis=1).mean())

    both = found(mixed)
    assert both > found(own)
    assert both > found(problem.history_for(asked)) - 0.01


@pytest.mark.parametrize("method", METHODS_HERE)
def test_who_has_nothing_elsewhere_has_the_own_vector_and_who_has_nothing_gets_what_is_popular(method: str) -> None:
    problem, scorer = world(False), shop(False, method).scorer
    own = session_of([int(problem.catalogue[0]), int(problem.catalogue[3])], problem.world.n_items)
    sides: Any = scorer.sides  # type: ignore[attr-defined]
    vector = fold_in(sides.read(own)[1], sides.here, sides.alpha, sides.regularization)
    assert scorer.score(own) == pytest.approx(vector @ sides.here.T, abs=2e-6)
    nobody = scorer.score(session_of([], problem.world.n_items))[0]
    assert np.array_equal(np.argsort(-nobody, kind="stable"), np.argsort(-sides.popularity, kind="stable"))


@pytest.mark.parametrize("method", METHODS_HERE)
def test_the_order_of_people_does_not_matter(method: str) -> None:
    problem, scorer = world(True), shop(True, method).scorer
    order = np.random.default_rng(0).permutation(problem.world.n_users)
    scores = scorer.score(problem.history)
    assert scorer.score(problem.history_for(order)) == pytest.approx(scores[order], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("options", [("emcdr", "linear"), ("emcdr", "mlp"), ("ptupcdr", "")])
def test_the_same_seed_gives_the_same_scores_and_another_others(options: tuple[str, str]) -> None:
    method, chosen = options[0], {"mapping": options[1]} if options[1] else {}
    problem = tiny_problem()
    again, other = (fitted(dataclasses.replace(problem, seed=s), method, None, **chosen) for s in (0, 1))
    scores = fitted(problem, method, None, **chosen).scorer.score(problem.history)
    assert np.array_equal(scores, again.scorer.score(problem.history))
    assert not np.array_equal(scores, other.scorer.score(problem.history))


@pytest.mark.parametrize("method", METHODS_HERE)
def test_without_people_on_both_sides_it_is_refused(method: str) -> None:
    with pytest.raises(MethodError, match="needs overlapping_users"):
        check_needs(METHODS.get(method), None, without(tiny_problem(), "overlapping_users"))
    problem = tiny_problem()
    here = problem.split.train["item"].is_in(pl.Series(problem.catalogue).implode())
    alone = dataclasses.replace(
        problem, split=dataclasses.replace(problem.split, train=problem.split.train.filter(here))
    )
    with pytest.raises(MethodError, match="nobody has both an item of 'cake' and one that only other domains sell"):
        METHODS.get(method).fit(None, alone, METHODS.get(method).options())


@pytest.mark.parametrize("method", METHODS_HERE)
def test_whether_people_are_on_both_sides_is_asked_of_what_is_visible(method: str) -> None:
    problem, apart = tiny_problem(), without(tiny_problem(), "overlapping_users")

    def asking(problem: Problem, user: int) -> Problem:
        asked = problem.split.test.with_columns(user=pl.lit(user, dtype=problem.split.test["user"].dtype))
        return dataclasses.replace(problem, split=dataclasses.replace(problem.split, test=asked))

    check_needs(METHODS.get(method), None, asking(problem, 9_999))  # a stranger
    known = apart.visible.filter(pl.col("domain") != problem.domain_codes[-1])["user"][0]
    with pytest.raises(MethodError, match="needs overlapping_users"):
        check_needs(METHODS.get(method), None, asking(apart, known))


@pytest.mark.parametrize("method", METHODS_HERE)
def test_before_the_first_sale_it_says_that_sales_are_missing(method: str) -> None:
    with pytest.raises(MethodError, match="needs target_interactions"):
        check_needs(METHODS.get(method), None, without(tiny_problem(), "target_interactions"))


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"prior": 0.0}, {"penalty": -1.0}, {"steps": 0}, {"alpha": 0.0}])
def test_options_of_emcdr_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises((ValueError, ConfigError), match=r"must be|above 0"):
        EmcdrOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"factors": 33}, {"iterations": 0}, {"batch": 0}, {"rate": 0.0}, {"decay": -1.0}])
def test_options_of_ptupcdr_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises((ValueError, ConfigError), match=r"must be|above 0"):
        PtupcdrOptions(**wrong)  # type: ignore[arg-type]


def _with(problem: Problem, rows: pl.DataFrame, people: np.ndarray) -> History:
    """Histories of `people` as of the end of training, and `rows` beside."""
    history = problem.history_for(people)
    pairs = np.searchsorted(people, rows["user"].to_numpy()), rows["item"].to_numpy()
    more = sp.coo_matrix((np.ones(len(rows), dtype=np.float32), pairs), history.counts.shape)
    counts = (history.counts + more).tocsr().astype(np.float32)
    counts.sort_indices()
    return History(counts, np.zeros(counts.nnz, dtype=np.float32), history.users)


def _only(counts: sp.csr_matrix, items: np.ndarray) -> sp.csr_matrix:
    kept = np.zeros(counts.shape[1], dtype=np.float32)
    kept[items] = 1.0
    made = (counts @ sp.diags(kept)).tocsr().astype(np.float32)
    made.eliminate_zeros()
    return made


def of_few(problem: Problem, people: int) -> Problem:
    """`problem` where all but so many of the people on both sides have nothing elsewhere."""
    here, train = problem.domain_codes[-1], problem.split.train
    known = train.filter(pl.col("domain") == here)["user"].unique().sort().to_numpy()
    draw = np.random.default_rng(problem.seed)
    gone = pl.Series(np.setdiff1d(known, draw.choice(known, people, replace=False)))
    kept = train.filter((pl.col("domain") == here) | ~pl.col("user").is_in(gone.implode()))
    return dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=kept))


def test_items_help_the_map_where_few_people_are_on_both_sides_and_do_no_harm_where_many_are() -> None:
    def reach(method: str, people: int) -> float:
        found = [of_few(planted(False, seed), people) for seed in range(4)]
        return float(np.mean([quality(p, fitted(p, method, factors=8)).mean() for p in found]))

    assert reach("sscdr", 10) > reach("emcdr", 10) + 0.01
    assert reach("sscdr", 100) > reach("emcdr", 100) - 0.01


def test_an_item_stands_for_somebody_who_has_nothing_else() -> None:
    problem = world(False)
    sides, pairs = factorised(problem, SscdrOptions())
    y = sides.vectors_here(pairs.here)
    vectors, wanted = item_pairs(sides, pairs, y)
    had = pairs.there.toarray() > 0
    assert len(vectors) == len(wanted) == had.any(axis=0).sum()
    assert wanted[3] == pytest.approx(y[had[:, np.flatnonzero(had.any(axis=0))[3]]].mean(axis=0), abs=1e-5)
