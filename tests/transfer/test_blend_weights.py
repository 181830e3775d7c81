"""Weights of a blend: of their own for people who have nothing of the target, if enough of them were held out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from crossaisle.attribution import contributions_of
from crossaisle.errors import MethodError
from crossaisle.metrics import Bools
from crossaisle.recommender import Recommender
from crossaisle.rng import generator
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer.blend import BlendScorer
from crossaisle.transfer.blend_weights import (
    Jury,
    Learning,
    Person,
    best_found,
    cold_in,
    held_out,
    jury_of,
    learned,
    own_weights,
    shrunk,
)
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.types import Codes, Floats, History

LEARNING = Learning(np.array([0.5, 0.5]), prior_users=50, min_users=40, rounds=20)


def history(rows: list[list[float]]) -> History:
    counts = sp.csr_matrix(np.array(rows, dtype=np.float32))
    return History(counts, np.zeros(counts.nnz, dtype=np.float32), np.arange(len(rows)))


def jury(cold: int, known: int) -> Jury:
    """Part 0 knows what cold people want and part 1 what the others want; each guesses about the rest."""
    people, items = cold + known, 200
    draw = generator(0, "jury")
    wanted = draw.integers(0, items, people)
    scores = draw.normal(size=(2, people, items)).astype(np.float32)
    is_cold = np.arange(people) < cold
    scores[np.where(is_cold, 0, 1), np.arange(people), wanted] += 2.5
    return jury_on(scores, wanted, is_cold)


def jury_on(scores: Floats, wanted: Codes, cold: Bools | None = None) -> Jury:
    """Of scores (parts, people, catalogue), where each wants one item and has none."""
    is_cold = np.zeros(len(wanted), dtype=bool) if cold is None else cold
    nothing = np.zeros(0, dtype=np.int64)
    rows = zip(wanted, is_cold, strict=True)
    return Jury(
        len(scores), [Person.of(scores[:, n], np.array([w]), nothing, bool(c)) for n, (w, c) in enumerate(rows)]
    )


def heard(first: Jury, *parts: Callable[[Floats], Floats]) -> Jury:
    """The same people, of whom more is said: each of `parts` makes it of what part 0 says."""
    more = [np.stack([f(p.scores[0]) for f in parts]).astype(np.float32) for p in first.people]
    people = [replace(p, scores=np.concatenate([p.scores, m])) for p, m in zip(first.people, more, strict=True)]
    return Jury(first.parts + len(parts), people)


def test_who_is_cold_has_something_but_nothing_of_the_catalogue() -> None:
    people = history([[1, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0], [1, 3, 0, 0]])
    assert cold_in(people, np.array([1, 3])).tolist() == [True, False, False, False]


def test_cold_people_are_judged_by_their_own() -> None:
    many = jury(400, 400)
    weights, _ = own_weights(many, LEARNING)
    cold, _ = own_weights(many.of_cold(), replace(LEARNING, prior=weights))
    assert cold[0] > weights[0] + 0.1
    by_own, by_all = many.of_cold().judged(np.stack([cold, weights])).mean(axis=1)
    assert by_own > by_all


def test_one_person_says_what_they_wanted() -> None:
    weights, _ = own_weights(jury(1, 0), LEARNING)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > weights[1]


def test_a_part_that_says_nothing_or_the_contrary_has_no_weight() -> None:
    two = jury(400, 400)
    four = heard(two, np.zeros_like, np.negative)
    found = four.likeliest()
    assert found[2:].tolist() == [0, 0]
    assert found[:2] == pytest.approx(two.likeliest(), abs=1e-3)


def test_weights_that_rank_best_are_taken_where_that_pays() -> None:
    # Part 0 stands far out for one item, rightly in three lists of four; part 1 is right in the fourth.
    people, items = 600, 200
    draw = generator(0, "spikes")
    scores = draw.normal(size=(2, people, items)).astype(np.float32)
    wanted, fourth = draw.integers(0, items, people), np.arange(people) % 4 == 3
    scores[0, np.arange(people), np.where(fourth, (wanted + 1) % items, wanted)] = 60.0
    scores[1, np.arange(people), np.where(fourth, wanted, (wanted + 2) % items)] = 8.0
    spiky = jury_on(scores, wanted)
    found, likely = best_found(spiky, 20), spiky.likeliest()
    assert found[0] > likely[0]
    by_found, by_likely = spiky.judged(np.stack([found, likely])).mean(axis=1)
    assert by_found > by_likely
    calm = jury(400, 400)
    assert best_found(calm, 20) == pytest.approx(calm.likeliest())


def test_where_a_part_alone_ranks_better_weights_are_not_shrunk_and_then_it_is_all_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items, people = 30, 400
    scores = np.zeros((2, people, items), dtype=np.float32)
    scores[0, :, 0], scores[0, :, 1] = 5.0, 4.0  # right three times of four, and far off in the fourth
    scores[1] = generator(0, "few").normal(size=items) / 10
    scores[1, :, 20] = 6.0
    wanted = np.where(np.arange(people) % 4 == 3, 29, 0)
    prior = replace(LEARNING, prior=np.array([0.0, 1.0]), prior_users=10**6)
    people_of_both = jury_on(scores, wanted)
    weights, alone = own_weights(people_of_both, prior)
    assert alone[0].mean() > alone[1].mean()
    assert weights.tolist() == [1, 0]
    monkeypatch.setattr("crossaisle.transfer.blend_weights.best_found", lambda *_: np.array([0.1, 0.9]))
    assert people_of_both.judged(np.array([[0.1, 0.9]])).mean() < alone[0].mean()
    assert own_weights(people_of_both, prior)[0].tolist() == [1, 0]


def test_what_no_shortlist_holds_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.transfer.blend_weights.SHORTLIST", 1)
    last = jury_on(np.tile(np.array([3.0, 2.0, 1.0], np.float32), (2, 4, 1)), np.full(4, 2))
    assert last.likeliest().tolist() == [0, 0]
    assert not last.judged(np.eye(2)).any()
    assert own_weights(last, LEARNING)[0].tolist() == [0.5, 0.5]


def test_a_shortlist_is_what_is_near_the_top_of_any_part_and_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.transfer.blend_weights.SHORTLIST", 2)
    scores = np.array([[3.0, 2, 1, 0, 9], [0, 3, 1, 2, 9]], dtype=np.float32)
    person = Person.of(scores, np.array([2, 3]), known=np.array([4]), cold=False)
    assert person.scores.tolist() == [[3, 2, 0], [0, 3, 2]]
    assert (person.bought.tolist(), person.number) == ([2], 2)


def test_a_part_that_cannot_be_had_without_the_held_out_people_says_nothing() -> None:
    problem = tiny_problem()
    folds = [held_out(problem, fold, 2) for fold in range(2)]

    def fit(name: str, left: Problem) -> Recommender:
        if name == "none":
            raise MethodError("nobody is on both sides.")
        return METHODS.get(name).fit(None, left, METHODS.get(name).options())

    made = jury_of(["popularity", "none"], folds, fit)
    assert all(not person.scores[1].any() for person in made.people)
    assert any(person.scores[0].any() for person in made.people)


def test_a_place_counts_what_stands_above_and_half_of_what_is_alike() -> None:
    scores = np.array([[3.0, 2, 2, 1, 9], [0, 0, 1, 0, 9]], dtype=np.float32)
    person = Person.of(scores, np.array([1, 2]), known=np.array([4]), cold=True)
    both, second, mostly = person.judged(np.array([[1.0, 0], [0, 1], [0.25, 0.75]]))
    ideal = 1 + 1 / np.log2(3)
    assert both == pytest.approx(2 / np.log2(3.5) / ideal)  # both at places 2 and 3
    assert second == pytest.approx((1 + 1 / np.log2(4)) / ideal)  # one among three alike at places 2 to 4
    assert mostly == pytest.approx((1 + 1 / np.log2(4)) / ideal)  # 1.25, then .75 of the first and .5


def test_whose_held_out_items_are_not_ranked_is_not_asked() -> None:
    problem = tiny_problem()
    whole = held_out(problem, 0, 2)
    item = problem.catalogue[whole.relevant.indices[0]]
    fewer = held_out(replace(problem, catalogue=np.array([item])), 0, 2)
    assert 0 < len(fewer.users) < len(whole.users)
    assert (np.diff(fewer.relevant.indptr) == 1).all()


def test_of_whom_nothing_is_left_is_not_asked() -> None:
    problem = tiny_problem()
    alone = replace(problem, split=replace(problem.split, train=problem.target_rows))
    folds = [held_out(p, 0, 2) for p in (problem, alone)]
    assert len(folds[1].users) < len(folds[0].users)
    for fold in folds:
        assert (np.diff(fold.problem.history_for(fold.users).counts.indptr) > 0).all()


def test_weights_found_on_few_are_shrunk_to_the_prior_and_small_ones_left_out() -> None:
    assert shrunk(np.array([1.0, 0.0]), 50, LEARNING) == pytest.approx([0.75, 0.25])
    assert shrunk(np.array([1.0, 0.0]), 5000, LEARNING) == pytest.approx([1, 0])


@pytest.mark.parametrize("least", [1, 10**6], ids=["enough", "too few"])
def test_a_few_cold_people_have_everybodys_weights(least: int) -> None:
    problem = tiny_problem()
    folds = [held_out(problem, fold, 2) for fold in range(2)]
    names = ("popularity", "als")
    fits = {n: METHODS.get(n) for n in names}
    weights, facts = learned(
        names, folds, lambda n, left: fits[n].fit(None, left, fits[n].options()), replace(LEARNING, min_users=least)
    )
    assert weights.sum(axis=1) == pytest.approx([1, 1])
    assert np.array_equal(*weights) == (least > 1)
    assert set(facts["validation_ndcg"]) == set(names)


class Says:
    """Likes one item."""

    kind = "says"

    def __init__(self, item: int) -> None:
        self.item = item

    def score(self, history: History) -> Floats:
        """The item alone, whoever asks."""
        return np.tile(np.eye(3, dtype=np.float32)[self.item], (len(history), 1))

    def state(self) -> None:
        """Never asked."""


def test_it_answers_cold_people_with_their_weights() -> None:
    parts = {"a": Says(0), "b": Says(2)}
    one, other = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    blend = BlendScorer(parts, one, other, np.array([0, 1, 2]))  # type: ignore[arg-type]
    people = history([[0, 0, 0, 5], [0, 1, 0, 0], [0, 0, 0, 0]])
    assert blend.score(people).argmax(axis=1).tolist() == [2, 0, 0]
    plain = BlendScorer(parts, one)  # type: ignore[arg-type]
    assert plain.score(people).argmax(axis=1).tolist() == [0, 0, 0]
    for row in range(3):
        alone = people.of(row)
        found = contributions_of(blend, alone, np.eye(3))
        assert found.start + found.parts.sum(axis=1) == pytest.approx(blend.score(alone)[0], abs=1e-5)


def test_restored_it_knows_cold_people_still() -> None:
    problem = tiny_problem()
    fit = {n: METHODS.get(n).fit(None, problem, METHODS.get(n).options()).scorer for n in ("popularity", "als")}
    one, other = np.array([0.9, 0.1], np.float32), np.array([0.2, 0.8], np.float32)
    for made in (BlendScorer(fit, one, other, problem.catalogue), BlendScorer(fit, one)):
        tensors, meta = made.state()
        again = BlendScorer.restore(tensors, json.loads(json.dumps(meta)))
        assert np.array_equal(made.score(problem.history), again.score(problem.history))
