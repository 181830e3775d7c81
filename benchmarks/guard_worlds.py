"""Made-up Worlds in which the old knowledge helps or harms by a known amount, and what the guard says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import scipy.sparse as sp

from crossaisle.data.synthetic import START, Truth, synthetic
from crossaisle.evaluate.cells import Cell
from crossaisle.evaluate.guard import best_control, guard_at, ship_at
from crossaisle.evaluate.slices import Slices, UserValues, rank_users, slices_of, values_of
from crossaisle.evaluate.spec import Entry, MethodSpec, Study, entries_of
from crossaisle.evaluate.steps import Step, problem_at, seen_by
from crossaisle.evaluate.tables import tables_of
from crossaisle.metrics import Doubles, hits_of, ndcg
from crossaisle.rng import generator
from crossaisle.transfer.problem import Problem
from crossaisle.types import Codes

KNOWN, TEST = 20, 6
"""Weeks before the cut, and asked."""
EACH = 20.0
"""Mean purchases of a person in a domain, over all weeks."""
DRAWS = 30
"""Fresh test windows of each person, from which the true quality is taken."""
HEADLINE = ("new", "ndcg", 10)
SHIP = "user_kernel"
METHODS = (
    MethodSpec("popularity"),
    MethodSpec("ease"),
    MethodSpec("user_kernel", "user_kernel_target", {"scope": "target", "content_power": 0.0}),
    MethodSpec("user_kernel", SHIP, {"content_power": 0.0}),
)


@dataclass(frozen=True)
class Plan:
    """What is planted: the target is ``d0``, the source ``d1``, with the same items.

    Attributes:
        conflict: share of the factors of taste that the source has the wrong way round.
        shared: share of the factors in which tastes are the same before that.
        overlap: share of the people who are in both.
        weeks: how much of the target is visible.
        seed: of the World.
    """

    conflict: float
    shared: float
    overlap: float
    weeks: float
    seed: int


@dataclass(frozen=True)
class Said:
    """What the guard said of one World, judged on some of its test people, and what is true.

    Attributes:
        users: how many were judged.
        verdict: of `SHIP` against the control that was best on these rows.
        ships: what would go to people.
        difference: measured, with `low` and `high`.
        control: the best control's measured value.
        true: relative difference of `SHIP` from the truly best control.
        covered: whether the interval has the true difference from the control that was compared.
        half: half the width of the interval, relative to the control's measured value.
    """

    users: int
    verdict: str
    ships: str
    difference: float
    low: float
    high: float
    control: float
    true: float
    covered: bool
    half: float


def said(plan: Plan, users: int, sizes: tuple[int, ...]) -> Iterator[Said]:
    """The guard's words on one World of `users` people a domain, by so many test people as `sizes` says."""
    world, truth = synthetic(
        n_domains=2, users=users, items=120, item_overlap=1.0, user_overlap=plan.overlap, conflict=plan.conflict,
        shared=plan.shared, interactions=EACH, seed=plan.seed,
    )  # fmt: skip
    cut = START + timedelta(weeks=KNOWN)
    study = Study("d0", cut=cut, test_weeks=TEST, weeks=(plan.weeks,), ship=SHIP)
    step, entries = Step(week=plan.weeks), entries_of(METHODS)
    problem = problem_at(world, study, step, 0)
    slices = slices_of(problem)
    ranked = {e.label: ranking(e, seen_by(e, problem), slices) for e in entries}
    values = {label: values_of(r, slices, metrics=("ndcg",))[HEADLINE] for label, r in ranked.items()}
    real = true_quality({label: r["new"] for label, r in ranked.items()}, problem, slices, truth, plan.seed)
    best = max(v for label, v in real.items() if label != SHIP)
    asked = values[SHIP].users
    order = generator(plan.seed, "judged").permutation(len(asked))
    for size in (s for s in sizes if s <= len(asked)):
        some = np.sort(order[:size])
        cells = [Cell(label, step, 0, {HEADLINE: UserValues(v.users[some], v.values[some])})
                 for label, v in values.items()]  # fmt: skip
        tables = tables_of(cells)
        rows = guard_at(step, "d0", tables, entries, HEADLINE)
        row = next(r for r in rows if r.against == "best_control")
        sent = ship_at(step, "d0", rows, SHIP, best_control(tables[HEADLINE], entries), True)
        control = float(tables[HEADLINE].mean_of(row.control).mean())
        covered = row.low <= real[SHIP] - real[row.control] <= row.high
        half = (row.high - row.low) / 2 / control
        yield Said(size, row.verdict, sent.ships, row.difference, row.low, row.high, control,
                   real[SHIP] / best - 1, covered, half)  # fmt: skip


def ranking(entry: Entry, problem: Problem, slices: Slices) -> dict[str, Codes]:
    return rank_users(entry.method.fit(None, problem, entry.options).scorer.score, problem, slices)


def true_quality(
    ranked: Mapping[str, Codes], problem: Problem, slices: Slices, truth: Truth, seed: int
) -> dict[str, float]:
    """Method → expected new-to-user nDCG@10 of its rankings over test windows drawn from the truth, all people.

    A window has as many purchases as the World's own law gives it, each drawn from softmax of the true scores; those
    of items that the person had are not asked, and windows without any other are not counted.
    """
    scores = truth.scores(problem.target, slices.users).astype(np.float64)
    ends = np.cumsum(np.exp(scores - scores.max(axis=1, keepdims=True)), axis=1)
    ends /= ends[:, -1:]
    n, items = scores.shape
    draw = generator(seed, "fresh windows")
    sums, windows = dict.fromkeys(ranked, 0.0), 0
    for _ in range(DRAWS):
        share = TEST / (KNOWN + TEST)
        counts = draw.binomial(1, share, n) + draw.poisson((EACH - 1) * share, n)
        rows = np.repeat(np.arange(n), counts)
        columns = np.minimum((ends[rows] < draw.random(len(rows))[:, None]).sum(axis=1), items - 1)
        relevant = fresh(rows, columns, slices.had)
        number = np.diff(relevant.indptr)
        windows += int((number > 0).sum())
        for label, places in ranked.items():
            sums[label] += float(_ndcg(places, relevant, number).sum())
    return {label: total / windows for label, total in sums.items()}


def fresh(rows: Codes, columns: Codes, had: sp.csr_matrix) -> sp.csr_matrix:
    drawn = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=had.shape).tocsr()
    left = sp.csr_matrix(drawn - drawn.multiply(had))
    left.eliminate_zeros()
    return left


def _ndcg(places: Codes, relevant: sp.csr_matrix, number: Any) -> Doubles:
    asked = np.flatnonzero(number)
    return ndcg(hits_of(places[asked], relevant[asked]), number[asked], HEADLINE[2])
