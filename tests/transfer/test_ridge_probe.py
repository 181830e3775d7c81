"""The head in closed form: its equations, its place in the network's weights, and what it is worth."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from launch_worlds import fitted, fused, launch, made, quality

from crossaisle.transfer.lift import Choice, Features, Judge, Pairs, bilinear, chosen, matrix, popularity
from crossaisle.transfer.network import Shop
from crossaisle.transfer.ridge_probe import RidgeProbeOptions, fold_in, read
from crossaisle.transfer.tuning import Tuning, target_sampler

PEOPLE, ITEMS, DIM, EVENTS = 400, 40, 4, 12


def drawn(matrix_of: np.ndarray, seed: int = 0) -> tuple[Pairs, Features]:
    """People who choose by p_i exp(uᵀ W v_i) of unequally popular items."""
    draw = np.random.default_rng(seed)
    users, vectors = draw.normal(size=(PEOPLE, DIM)), draw.normal(size=(ITEMS, DIM))
    odds = np.exp(users @ matrix_of @ vectors.T + draw.normal(size=ITEMS))
    chosen_items = [draw.choice(ITEMS, EVENTS, replace=False, p=row / row.sum()) for row in odds]
    people, items = np.repeat(np.arange(PEOPLE), EVENTS), np.concatenate(chosen_items)
    met = sp.csr_matrix((np.ones(len(items)), (people, items)), (PEOPLE, ITEMS))
    pairs = Pairs(users[people], people, items, np.ones(len(items)), people % 4, met)
    return pairs, Features(vectors, np.zeros(ITEMS), pairs.users.mean(axis=0))


def test_w_solves_its_equations() -> None:
    pairs, known = drawn(0.5 * np.eye(DIM))
    popular = popularity(pairs, known, Choice(0.0, 10.0))
    middle = popular @ known.vectors
    a = sum(np.outer(u - known.middle, u - known.middle) for u in pairs.users)
    b = sum(p * np.outer(v - middle, v - middle) for p, v in zip(popular, known.vectors, strict=True))
    g = sum(
        np.outer(u - known.middle, known.vectors[i] - middle) for u, i in zip(pairs.users, pairs.items, strict=True)
    )
    for penalty, first, second in bilinear(pairs, known, popular):
        strength = penalty * np.outer(np.linalg.eigvalsh(a), np.linalg.eigvalsh(b)).mean()
        assert a @ first @ b + strength * first == pytest.approx(g, rel=1e-6)
        assert a @ second @ b + strength * second == pytest.approx(
            strength * np.eye(DIM), rel=1e-6, abs=1e-6 * strength
        )


@pytest.mark.parametrize("truth", [0.3 * np.eye(DIM), -0.3 * np.eye(DIM), 0.3 * np.eye(DIM)[::-1]])
def test_the_matrix_that_made_the_pairs_is_found(truth: np.ndarray) -> None:
    pairs, known = drawn(truth)
    choice, gained = chosen(pairs, known, 0)
    found = matrix(pairs, known, choice)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.97
    assert gained > 0.02


def test_where_choice_has_nothing_to_do_with_vectors_next_to_nothing_is_made_of_them() -> None:
    pairs, known = drawn(np.zeros((DIM, DIM)))
    choice, _ = chosen(pairs, known, 0)
    assert np.abs(matrix(pairs, known, choice)).max() < 0.05


def test_vectors_that_are_all_alike_leave_popularity() -> None:
    pairs, known = drawn(0.3 * np.eye(DIM))
    same = dataclasses.replace(known, vectors=np.tile(known.vectors[:1], (ITEMS, 1)))
    choice, _ = chosen(pairs, same, 0)
    personal = (pairs.users - known.middle) @ matrix(pairs, same, choice) @ same.vectors.T
    assert np.abs(personal - personal[:, :1]).max() < 1e-6


def test_popularity_is_shrunk_to_what_content_says() -> None:
    pairs, known = drawn(np.zeros((DIM, DIM)))
    counts = np.bincount(pairs.items, minlength=ITEMS)
    assert popularity(pairs, known, Choice(0.0, 1e-9)) == pytest.approx(counts / counts.sum())
    assert popularity(pairs, known, Choice(1.0, 1e12)) == pytest.approx(known.prior(1.0), rel=1e-3)
    half = popularity(pairs, known, Choice(0.0, float(counts.sum())))
    assert half == pytest.approx(counts / counts.sum() / 2 + 1 / ITEMS / 2)


def test_the_judge_is_the_likelihood_of_the_pair_among_items_its_person_does_not_have() -> None:
    pairs, known = drawn(0.3 * np.eye(DIM))
    few = pairs.take(np.arange(30))
    judge = Judge.of(few, 0)
    scores = few.users @ known.vectors.T + np.arange(ITEMS) / 10
    wanted = 0.0
    for row, (person, item) in enumerate(zip(few.people, few.items, strict=True)):
        free = [i for i in range(ITEMS) if i == item or not few.met[person, i]]
        wanted += scores[row, item] - np.log(np.exp(scores[row, free]).sum())
    got = judge.nats(judge.products(judge.pairs.users, known.vectors) + judge.levels(np.arange(ITEMS) / 10))
    assert got == pytest.approx(wanted)


def test_the_networks_weights_say_what_the_formula_says() -> None:
    problem = launch(made(), 2)
    here, choice = Shop.open(fused(made(), 2), problem), Choice(0.5, 30.0, 1.0, 0.5, 1.0)
    target = here.newcomer()
    target.network.heads.weight.data[0] = 1.3  # a shared head that says something
    target.network.heads.scale.data[0] += 0.2
    sampler = target_sampler(here, Tuning(1, 1.0, 0.0), target.task)
    assert sampler is not None
    pairs, known = read(here, target, sampler.tasks[0], RidgeProbeOptions())
    users = here.scorer(target, "history").user_vectors(problem.history)[:, :-1].astype(float)
    fold_in(target, pairs, known, choice)
    scorer = here.scorer(target, "history")
    popular = popularity(pairs, known, choice)
    wanted = np.log(popular) + (users - known.middle) @ matrix(pairs, known, choice) @ known.vectors.T
    got = scorer.score(problem.history).astype(float)
    assert got - got.mean(axis=1, keepdims=True) == pytest.approx(wanted - wanted.mean(axis=1, keepdims=True), abs=1e-3)


def test_an_item_that_comes_later_is_scored_as_one_of_equal_content_that_nobody_has() -> None:
    problem = launch(made(), 2)
    scorer = fitted(problem, "ridge_probe", fused(made(), 2)).scorer
    shelf = problem.world.content[problem.catalogue.tolist()]
    wider, none = scorer.extend(shelf.drop("domain")), sp.csr_matrix((problem.world.n_users, len(shelf)))
    history = dataclasses.replace(problem.history, counts=sp.hstack([problem.history.counts, none]).tocsr())
    known, again = np.hsplit(wider.score(history), 2)
    more = (known - again).mean(axis=0)
    assert known - again == pytest.approx(np.tile(more, (len(known), 1)), abs=1e-3)  # for everybody alike
    counts = np.asarray((problem.target_counts > 0).sum(axis=0)).ravel()
    assert more[counts == 0] == pytest.approx(0, abs=1e-4)
    assert more[counts > 0].min() > 0.01
    assert np.corrcoef(more, np.log(counts + 1))[0, 1] > 0.8


def reached(changes: dict[str, Any], weeks: float, method: str, **options: Any) -> float:
    problem = launch(made(**changes), weeks)
    return float(quality(problem, fitted(problem, method, fused(problem.world, weeks), **options)).mean())


def test_it_beats_zero_shot_and_the_trained_probe_where_little_is_visible() -> None:
    closed = reached({}, 2, "ridge_probe")
    assert closed > 1.15 * reached({}, 2, "zero_shot")
    assert closed > 1.1 * reached({}, 2, "probe", steps=200)


def test_it_unlearns_a_conflict() -> None:
    assert reached({"conflict": 1.0}, 2, "ridge_probe") > 10 * reached({"conflict": 1.0}, 2, "zero_shot")


@pytest.mark.parametrize("wrong", [{"folds": 1}, {"launch": 1.0}, {"max_pairs": 0}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needed"):
        RidgeProbeOptions(**wrong)


def test_the_most_pairs_are_kept_to() -> None:
    problem = launch(made(), 8)
    assert fitted(problem, "ridge_probe", fused(made(), 8), max_pairs=100).facts["pairs"] == 200
