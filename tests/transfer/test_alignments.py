"""Alignments in Worlds whose truth is known: a shift of content is undone, what is the target's own stays."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from launch_worlds import fitted, fused, launch, made, quality
from shifted_worlds import shifted

from crossaisle.errors import MethodError
from crossaisle.evaluate.guard import guard_at
from crossaisle.evaluate.slices import evaluate_users
from crossaisle.evaluate.spec import MethodSpec, entries_of
from crossaisle.evaluate.steps import Step
from crossaisle.evaluate.tables import Table
from crossaisle.models.base import Base
from crossaisle.recommender import Recommender
from crossaisle.transfer import cdan, coral, dann, mmd, ot, wdgrl
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.network import Shop
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.shared_bottom import source_sampler
from crossaisle.transfer.sides import Lessons
from crossaisle.transfer.tuning import Tuning, target_sampler

MODULES = {"cdan": cdan, "coral": coral, "dann": dann, "mmd": mmd, "ot": ot, "wdgrl": wdgrl}
HEADLINE = ("new", "ndcg", 10)


SEEDS = (0, 1, 2)


@cache
def far(method: str, **options: Any) -> np.ndarray:
    """(nDCG, proxy A-distance before, after), means over seeds, on the first day of a shop that tells other units."""
    found = []
    for seed in SEEDS:
        problem = launch(shifted(3.0, seed=seed)[0], 0, seed)
        made_by = fitted(problem, method, fused(problem.world, 0, seed), **options)
        apart = [made_by.facts.get(name, 2.0) for name in ("proxy_a_before", "proxy_a")]
        found.append([quality(problem, made_by).mean(), *apart])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("method", MODULES)
def test_an_alignment_undoes_a_shift_of_content_and_the_same_steps_without_it_do_not(method: str) -> None:
    reached, before, after = far(method)
    same, _, stayed = far("mmd", weight=0.0)
    assert min(before, stayed) > 1.95
    assert after < before - 0.1
    assert reached > 1.15 * same
    assert reached > 1.08 * far("zero_shot")[0]


def test_sides_that_are_alike_lose_nothing() -> None:
    problem = launch(shifted(0.0, seed=1)[0], 0, 1)
    base = fused(problem.world, 0, 1)
    as_it_is = quality(problem, fitted(problem, "zero_shot", base)).mean()
    assert quality(problem, fitted(problem, "mmd", base)).mean() > 0.97 * as_it_is


def judged(weeks: float, *methods: str) -> dict[tuple[str, str], str]:
    """(method, against) → verdict of the guard where tastes in the target are the opposite of those elsewhere."""
    problem = launch(made(conflict=1.0), weeks)
    base = fused(problem.world, weeks)
    none = MethodSpec("mmd", "none", {"weight": 0.0, "steps": 150})
    specs = [none if name == "none" else MethodSpec(name, options={"steps": 150}) for name in methods]
    entries = entries_of((MethodSpec("popularity"), *specs))
    found = {
        e.label: evaluate_users(e.method.fit(base, problem, e.options).scorer.score, problem)[HEADLINE] for e in entries
    }
    values = {label: part.values[None] for label, part in found.items()}
    table = Table(found["popularity"].users, dict.fromkeys(values, (0,)), values)
    rows = guard_at(Step(week=weeks), "d1", {HEADLINE: table}, entries, HEADLINE)
    return {(r.method, r.against): r.verdict for r in rows}


def test_where_tastes_are_the_opposite_the_guard_says_hurts_of_every_alignment_and_of_the_same_steps_without() -> None:
    names = (*MODULES, "none")
    assert judged(0, *names) == {(name, "best_control"): "hurts" for name in names}


def lessons_of(problem: Problem, base: Base, **changes: Any) -> tuple[Lessons, Shop]:
    shop = Shop.open(base, problem)
    own = target_sampler(shop, Tuning(10, 1e-3, 1.0, batch=16, negatives=32), len(base.tasks))
    assert own is not None
    usual: dict[str, Any] = {"own": own, "sample": 32, "parts": ("items", "users")}
    return Lessons(shop, source_sampler(own, shop), **usual | changes), shop


@pytest.mark.parametrize("method", MODULES)
def test_no_alignment_touches_what_is_the_targets_own(method: str) -> None:
    problem = launch(made(), 2)
    lessons, shop = lessons_of(problem, fused(problem.world, 2))
    target = shop.newcomer().train()
    torch.manual_seed(0)
    _, align = MODULES[method]._terms(lessons, MODULES[method].__dict__[f"{method.capitalize()}Options"](align="both"))
    terms = align(lessons.sides(target, lessons(1)), 1.0)
    assert len(terms) == 2
    named = dict(target.named_parameters())
    grads = torch.autograd.grad(sum(terms.values(), torch.zeros(())), list(named.values()), allow_unused=True)
    moved = {name for name, grad in zip(named, grads, strict=True) if grad is not None and grad.any()}
    assert {"network.item.vector.weight", "network.user.vector.weight"} <= moved
    assert not [n for n in moved if n.startswith(("items.", "network.heads.", "network.item.bias."))]


def test_a_step_draws_of_all_sources_alike_and_of_the_target() -> None:
    problem = launch(made(), 2)
    lessons, shop = lessons_of(problem, fused(problem.world, 2))
    first, again = lessons(3), lessons(3)
    assert [(number, len(codes)) for _, number, codes in first.items] == [(0, 32), (1, 16), (2, 16)]
    for (task, number, codes), (_, _, same) in zip(first.items, again.items, strict=True):
        assert np.array_equal(codes, same)
        domain = problem.target if number == 0 else problem.sources[number - 1]
        assert np.isin(codes, problem.world.catalogue(domain)).all()
        assert number == 0 or shop.base.tasks[task].startswith(f"{domain}/")
    assert len(first) == 32
    sides = lessons.sides(shop.newcomer(), first)
    assert sides["items"].domain.bincount().tolist() == [32, 16, 16]
    assert sides["users"].domain.bincount()[0] == 16
    for rows in sides.values():
        assert rows.scaled.mean(dim=0).abs().max() < 1e-4
        assert rows.scaled.std(dim=0).detach().numpy() == pytest.approx(1.0, abs=1e-3)
        assert not rows.jury.requires_grad


def moved(problem: Problem, found: Recommender) -> set[str]:
    before, after = fused(problem.world, 2).weights, found.scorer.weights  # type: ignore[attr-defined]
    return {n.split(".")[0] for n, t in before.items() if not torch.equal(t, after[n][: len(t)])}


@pytest.mark.parametrize("align", ["items", "users", "both"])
def test_with_data_people_held_out_say_when_to_stop(align: str) -> None:
    problem = launch(made(), 2)
    base = fused(problem.world, 2)
    found = fitted(problem, "coral", base, align=align, steps=120)
    assert 0 < found.facts["steps"] <= 150
    assert found.facts["validation_gain_nats"] > 0
    assert moved(problem, found) == {"heads", "user", "item"}
    assert quality(problem, found).mean() > 1.1 * quality(problem, fitted(problem, "zero_shot", base)).mean()


def test_where_nothing_is_gained_the_base_answers_as_it_is() -> None:
    problem = launch(made(), 2)
    base = fused(problem.world, 2)
    found = fitted(problem, "coral", base, rate=1e-12, steps=40)  # rounding may move the loss, but not up for long
    asked = fitted(problem, "zero_shot", base)
    assert np.allclose(found.scorer.score(problem.history), asked.scorer.score(problem.history), atol=1e-4)


@pytest.mark.parametrize("domains", ["sides", "each"])
def test_a_discriminator_names_sides_or_every_domain(domains: str) -> None:
    problem = launch(shifted(2.0, seed=1)[0], 0, 1)
    found = fitted(problem, "dann", fused(problem.world, 0, 1), domains=domains, steps=150)
    assert found.facts["proxy_a"] < found.facts["proxy_a_before"]


@pytest.mark.parametrize("options", [{"mass": 0.6}, {"entropy": 0.1}])
def test_plans_may_be_partial_or_smooth(options: dict[str, Any]) -> None:
    problem = launch(shifted(2.0, seed=1)[0], 0, 1)
    found = fitted(problem, "ot", fused(problem.world, 0, 1), steps=100, **options)
    assert found.facts["proxy_a"] < found.facts["proxy_a_before"] - 0.2


def test_random_products_stand_for_all() -> None:
    problem = launch(shifted(2.0, seed=1)[0], 0, 1)
    found = fitted(problem, "cdan", fused(problem.world, 0, 1), steps=60, features=64, entropy=False)
    assert np.isfinite(found.scorer.score(problem.history)).all()


def test_a_base_of_other_sources_is_named() -> None:
    problem = launch(made(), 2)
    foreign = dataclasses.replace(fused(problem.world, 2), tasks=("shared", "x/buy"), sources=("x",))
    with pytest.raises(MethodError, match=r"^wdgrl trains the base's domains .* fuse d0, d2"):
        fitted(problem, "wdgrl", foreign)


def test_users_are_aligned_only_where_some_are_visible() -> None:
    problem = launch(made(), 0)
    assert not len(problem.target_rows)
    found = fitted(problem, "mmd", fused(problem.world, 0), align="both", steps=5)
    assert (found.facts["steps"], found.facts["aligned"]) == (5, ["items"])
    assert "validation_gain_nats" not in found.facts


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        *((name, {"sample": 1}) for name in MODULES), ("dann", {"weight": -1.0}), ("dann", {"target_share": 1.0}),
        ("dann", {"hidden": 0}), ("cdan", {"jury": 1}), ("ot", {"mass": 0.0}), ("ot", {"mass": 0.5, "entropy": 0.1}),
        ("wdgrl", {"smooth": 0.0}), ("cdan", {"adversary_rate": 0.0}),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(method: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needed|above 0"):
        METHODS.get(method).options(**wrong)
