"""Where sides that are made alike are made wrong, alignment itself hurts, and the guard says so."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from kindred import base_of
from mirrored_worlds import TARGET, mirrored

from crossaisle.evaluate.guard import guard_at
from crossaisle.evaluate.slices import evaluate_users
from crossaisle.evaluate.spec import Entry, MethodSpec, entries_of
from crossaisle.evaluate.steps import Step
from crossaisle.evaluate.tables import Table
from crossaisle.models.base import Base
from crossaisle.transfer.problem import Problem

HEADLINE, SEEDS = ("new", "ndcg", 10), (0, 1, 2)
WEIGHTS: dict[str, dict[str, Any]] = {
    "coral": {"steps": 400}, "dann": {"weight": 10.0}, "mmd": {}, "ot": {}, "wdgrl": {"weight": 10.0},
}  # fmt: skip
"""`cdan` looks at kinds as well: it fell for it at one seed of three, and nothing is claimed of it."""


@cache
def world(mirror: bool, seed: int) -> tuple[Problem, Base]:
    problem = mirrored(mirror, seed)
    return problem, base_of(problem, 300)


@cache
def reached(mirror: bool, seed: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Users, and their nDCG; of `none`, the same steps without an alignment."""
    problem, base = world(mirror, seed)
    entry = named(method)
    found = evaluate_users(entry.method.fit(base, problem, entry.options).scorer.score, problem)[HEADLINE]
    return found.users, np.asarray(found.values)


def named(method: str) -> Entry:
    """For this question the steps without an alignment are the control."""
    if method == "popularity":
        return entries_of((MethodSpec(method),))[0]
    options = {"weight": 0.0} if method == "none" else WEIGHTS[method]
    entry = entries_of((MethodSpec("mmd" if method == "none" else method, method, {"steps": 300} | options),))[0]
    return dataclasses.replace(entry, kind="control") if method == "none" else entry


def verdict(mirror: bool, seed: int, method: str) -> tuple[str, str]:
    """The best control, and what the guard says of `method` against it."""
    entries = [named(name) for name in ("popularity", "none", method)]
    values = {e.label: reached(mirror, seed, e.label)[1][None] for e in entries}
    table = Table(reached(mirror, seed, "none")[0], dict.fromkeys(values, (0,)), values)
    (row,) = guard_at(Step(week=0), TARGET, {HEADLINE: table}, entries, HEADLINE)
    assert row.against == "best_control"
    return row.control, row.verdict


def mean(mirror: bool, method: str) -> float:
    return float(np.mean([reached(mirror, seed, method)[1].mean() for seed in SEEDS]))


@pytest.mark.parametrize("method", WEIGHTS)
def test_where_kinds_are_mirrored_alignment_itself_hurts_and_the_guard_says_so(method: str) -> None:
    assert mean(True, "none") > 2 * mean(True, "popularity")  # what the base knows needs no alignment
    assert mean(True, method) < 0.75 * mean(True, "none")
    assert [verdict(True, seed, method) for seed in SEEDS] == [("none", "hurts")] * len(SEEDS)


@pytest.mark.parametrize("method", WEIGHTS)
def test_where_kinds_are_shared_alike_the_same_alignment_is_harmless(method: str) -> None:
    assert mean(False, method) > 0.97 * mean(False, "none")
    assert ("none", "hurts") not in [verdict(False, seed, method) for seed in SEEDS]
