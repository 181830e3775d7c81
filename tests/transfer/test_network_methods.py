"""Transfers of the network in Worlds whose truth is known: they gain where there is something to carry, only there."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from launch_worlds import fitted, fused, launch, made, quality

from crossaisle.api import fuse, transfer
from crossaisle.errors import ConfigError, MethodError
from crossaisle.models.profile import only
from crossaisle.testing_world import tiny_problem, tiny_world
from crossaisle.transfer import finetune, probe, shared_bottom, target_only
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.network import NetworkScorer
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.transfer.shared_bottom import SharedBottomOptions
from crossaisle.types import History

ALONE: dict[str, Any] = {"content": {"text": ""}, "first_steps": 100, "steps": 80}
CHANGED = {"share": {}, "conflict": {"conflict": 1.0}, "unrelated": {"shared": 0.0}}


def reached(world: str, weeks: float, method: str, of: str = "new", **options: Any) -> float:
    problem = launch(made(**CHANGED[world]), weeks)
    return float(quality(problem, fitted(problem, method, fused(problem.world, weeks), **options), of).mean())


def test_on_day_one_zero_shot_ranks_far_better_than_popularity_where_tastes_are_shared_and_content_tells() -> None:
    assert reached("share", 0, "zero_shot") > 1.8 * reached("share", 0, "popularity")


@pytest.mark.parametrize("world", ["conflict", "unrelated"])
def test_on_day_one_nothing_is_gained_where_there_is_nothing_to_carry(world: str) -> None:
    assert reached(world, 0, "zero_shot") < reached(world, 0, "popularity") + 0.01


def test_with_data_finetune_is_better_than_zero_shot_and_than_the_target_alone() -> None:
    tuned = reached("share", 2, "finetune", steps=200)
    assert tuned > 1.1 * reached("share", 2, "zero_shot")
    assert tuned > 1.3 * reached("share", 2, "target_only", **ALONE)
    assert reached("share", 2, "shared_bottom", steps=200) > 1.1 * reached("share", 2, "zero_shot")


def test_with_data_a_conflict_is_unlearned() -> None:
    assert reached("conflict", 2, "probe", steps=200) > 10 * reached("conflict", 2, "zero_shot")


def test_with_data_transfer_gains_nothing_where_domains_are_unrelated() -> None:
    assert reached("unrelated", 8, "finetune", steps=200) < reached("unrelated", 8, "target_only", **ALONE) + 0.02


def network_of(problem: Problem, method: str, **options: Any) -> NetworkScorer:
    scorer = fitted(problem, method, fused(problem.world, 2), **options).scorer
    assert isinstance(scorer, NetworkScorer)
    return scorer


def changed(problem: Problem, method: str, **options: Any) -> set[str]:
    """Which parts of the network a method moved."""
    before, after = fused(problem.world, 2).weights, network_of(problem, method, **options).weights
    moved = {
        n for n, t in before.items() if not torch.equal(t, after[n][: len(t)] if n.startswith("heads") else after[n])
    }
    return {n.split(".")[0] for n in moved}


@pytest.mark.parametrize(
    ("method", "options", "parts"),
    [
        ("zero_shot", {}, set()),
        ("probe", {"steps": 80}, set()),
        ("finetune", {"steps": 80, "unfreeze": ("items",)}, set()),
        ("finetune", {"steps": 80}, {"user"}),
        ("finetune", {"steps": 80, "unfreeze": ("head", "items")}, set()),
        ("finetune", {"steps": 80, "unfreeze": ("item",)}, {"item"}),
        ("finetune", {"steps": 80, "unfreeze": ("bias",)}, {"user", "item"}),
        ("lora", {"steps": 80}, {"user", "item"}),
        ("adapter", {"steps": 80}, set()),
        ("shared_bottom", {"steps": 20}, {"heads", "user", "item"}),
    ],
)  # fmt: skip
def test_what_is_frozen_stays(method: str, options: dict[str, Any], parts: set[str]) -> None:
    assert changed(launch(made(), 2), method, **options) == parts


def test_rates_are_discriminative() -> None:
    problem = launch(made(), 2)
    before = fused(problem.world, 2).weights["user.vector.weight"]
    slow, fast = (
        (network_of(problem, "finetune", steps=40, tower_rate=rate).weights["user.vector.weight"] - before).norm()
        for rate in (0.01, 0.5)
    )
    assert slow < 0.2 * fast


@pytest.mark.parametrize("method", ["finetune", "probe", "shared_bottom"])
def test_with_too_little_data_the_base_answers_as_it_is(method: str) -> None:
    problem = launch(made(), 2)
    few = problem.split.train.filter(
        (pl.col("domain") != problem.domain_codes[-1]) | (pl.int_range(pl.len()).over("domain") < 15)
    )
    poor = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=few))
    assert len(poor.target_rows) == 15
    base = fused(problem.world, 2)
    told, asked = fitted(poor, method, base), fitted(poor, "zero_shot", base)
    assert told.facts["steps"] == 0
    assert np.array_equal(told.scorer.score(poor.history), asked.scorer.score(poor.history))


def test_target_only_reads_no_row_of_another_domain() -> None:
    problem = tiny_problem()
    rows, of_target = problem.split.train, pl.col("domain") == problem.domain_codes[-1]
    sources = rows.filter(~of_target)
    poison = sources.with_columns(pl.Series("item", np.random.default_rng(0).permutation(sources["item"].to_numpy())))
    scores = []
    for others in (sources, poison, sources.clear()):
        train = pl.concat([others, rows.filter(of_target)])
        one = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=train))
        scores.append(fitted(one, "target_only", **ALONE).scorer.score(problem.history))
    assert np.array_equal(scores[0], scores[1])
    assert np.array_equal(scores[0], scores[2])


def test_a_history_elsewhere_says_nothing_to_target_only() -> None:
    problem = tiny_problem()
    scorer = fitted(problem, "target_only", **ALONE).scorer
    listed = np.isin(np.arange(problem.world.n_items), problem.catalogue)
    counts = only(problem.history.counts[:5], ~listed)
    assert counts.nnz
    elsewhere = History(counts, np.zeros(counts.nnz, np.float32), np.full(5, -1))
    stranger = scorer.score(problem.history_for(np.full(5, -1)))
    assert np.array_equal(scorer.score(elsewhere), stranger)


def test_shared_bottom_is_compared_as_a_transfer_and_names_what_it_cannot_train_on() -> None:
    method = METHODS.get("shared_bottom")
    assert kind_of(method, method.options()) == "transfer"
    problem = launch(made(), 2)
    foreign = dataclasses.replace(fused(problem.world, 2), tasks=("shared", "x/buy", "y/buy"), sources=("x", "y"))
    with pytest.raises(MethodError, match=r"of the base's \(x, y\) none is a visible source here; fuse d0, d2"):
        fitted(problem, "shared_bottom", foreign)
    assert fitted(problem, "shared_bottom", fused(problem.world, 2), steps=5).facts["tasks"] == 3


@pytest.mark.parametrize("method", ["zero_shot", "finetune", "blend"])
def test_new_items_are_scored_by_their_content(method: str) -> None:
    world = tiny_world()
    small = {"dim": 16, "hidden": 32, "collaborative": 8, "batch": 64, "rate": 5e-3}
    base = fuse(world, ("tea", "coffee"), steps=150, content={"text": ""}, **small)
    options: dict[str, Any] = {
        "finetune": {"steps": 40},
        "blend": {"min_users": 10_000, "parts": ("zero_shot", "popularity")},
    }
    shop = transfer(world, "cake", method=method, base=base, **options.get(method, {}))
    new = pl.DataFrame({"item_id": ["n0", "n1", "n2"], "title": ["a", "b", "c"], "brand": ["brand 0"] * 2 + [None],
                        "price": [1.0, 1.0, 9.0]})  # fmt: skip
    wider = shop.with_items(new)
    known, fresh = shop.scorer.score(shop.history), wider.scorer.score(wider.history)
    assert fresh.shape == (known.shape[0], known.shape[1] + 3)
    assert np.isfinite(fresh).all()
    assert np.array_equal(fresh[:, -3], fresh[:, -2])  # the same content, the same score
    assert not np.allclose(fresh[:, -3], fresh[:, -1])
    if method != "blend":  # a blend's scores are standardised over the catalogue
        assert fresh[:, :-3] == pytest.approx(known, abs=1e-5)
    assert "n2" in wider.recommend(["u12"], k=27, exclude_seen=False).items[0]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: finetune.FinetuneOptions(unfreeze=()), lambda: finetune.FinetuneOptions(valid_share=1.0),
        lambda: probe.ProbeOptions(rate=0), lambda: shared_bottom.SharedBottomOptions(target_share=0),
        lambda: target_only.TargetOnlyOptions(first_steps=0),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_an_unknown_part_to_unfreeze_is_named() -> None:
    with pytest.raises(ConfigError, match="'tower'"):
        fitted(launch(made(), 2), "finetune", fused(made(), 2), unfreeze=["tower"])


@pytest.mark.parametrize("method", ["als", "ease", "item_knn", "finetune", "shared_bottom", "target_only"])
def test_a_target_without_rows_is_refused_through_the_door(method: str) -> None:
    small = {"dim": 4, "hidden": 4, "collaborative": 4, "content": {"text": ""}}
    base = fuse(tiny_world(), ("tea", "coffee"), steps=2, **small)
    with pytest.raises(MethodError, match="needs target_interactions") as caught:
        transfer(tiny_world(), "cake", method=method, base=base, weeks=0)
    assert "\n" not in str(caught.value)


def test_more_events_of_the_target_are_worth_more_steps() -> None:
    options = SharedBottomOptions(steps=100, passes=2.0, batch=50, target_share=0.5)
    # 2 passes over n pairs are 2n / 50 steps with the target, which are half of all.
    assert [options.steps_for(n) for n in (10, 1250, 2500, 2501, 9_999_999)] == [100, 100, 200, 201, 400]
    assert dataclasses.replace(options, passes=0.0).steps_for(9_999_999) == 100
