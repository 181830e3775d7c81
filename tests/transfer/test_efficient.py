"""Transfers that move little of a network: what stays, where they start, and that it pays in Worlds of known truth."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from launch_worlds import fitted, fused, launch, made, quality
from torch import Tensor, nn

from crossaisle.models.adapters import LowRank, add_low_rank, low_rank_parameters, merge_low_rank
from crossaisle.models.network import Network
from crossaisle.rng import seeded
from crossaisle.train.loop import Phase, train
from crossaisle.transfer.adapter import AdapterOptions, with_bottleneck
from crossaisle.transfer.finetune import FinetuneOptions
from crossaisle.transfer.lora import LoraOptions
from crossaisle.transfer.network import NetworkScorer, Shop, Target
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.thaw import Pace, thawed
from crossaisle.transfer.tuning import shelf_vectors

ALONE: dict[str, Any] = {"content": {"text": ""}, "first_steps": 100, "steps": 80}


def problem() -> Problem:
    return launch(made(), 2)


def shop() -> Shop:
    return Shop.open(fused(made(), 2), problem())


def network_of(method: str, **options: Any) -> NetworkScorer:
    scorer = fitted(problem(), method, fused(made(), 2), **options).scorer
    assert isinstance(scorer, NetworkScorer)
    return scorer


def moved(scorer: NetworkScorer) -> set[str]:
    """Names of the base's tensors that differ, heads aside."""
    before = fused(made(), 2).weights
    return {n for n, t in before.items() if not n.startswith("heads") and not torch.equal(t, scorer.weights[n])}


def linear_weights(network: Network) -> set[str]:
    return {f"{n}.weight" for n, m in network.named_modules() if isinstance(m, nn.Linear)}


def answers(target: Target, of: Shop) -> list[Tensor]:
    """Item vectors, biases, user vectors and weight, as the target's head gives them."""
    profile = torch.from_numpy(of.profiles.pair(*(of.profiles.sums(of.events),) * 2))
    with torch.no_grad():
        users = target.network.eval().users(profile, torch.from_numpy(of.levels), target.task)
    return [*shelf_vectors(target, of), *users]


def with_low_rank(target: Target, up: float = 0.0) -> Target:
    with seeded(0, "test"):
        add_low_rank(target.network.user, 4, 8.0)
        add_low_rank(target.network.item, 4, 8.0)
        for part in target.network.modules():
            if isinstance(part, LowRank):
                nn.init.normal_(part.up, std=up) if up else None
    return target


def test_low_rank_changes_and_adapters_start_from_the_base_bit_for_bit() -> None:
    here = shop()
    base = answers(here.newcomer(), here)
    wide = here.newcomer()
    wide = Target(with_bottleneck(wide.network, 8), len(wide.items.bias), wide.task)
    for target in (with_low_rank(here.newcomer()), wide):
        assert all(torch.equal(a, b) for a, b in zip(base, answers(target, here), strict=True))


def test_merged_low_rank_changes_answer_as_before_and_leave_a_plain_network() -> None:
    here = shop()
    target = with_low_rank(here.newcomer(), up=0.5)
    before = answers(target, here)
    assert not torch.allclose(before[0], answers(here.newcomer(), here)[0], atol=0.1)
    merge_low_rank(target.network)
    for a, b in zip(before, answers(target, here), strict=True):
        assert a.numpy() == pytest.approx(b.numpy(), abs=1e-6)
    assert set(target.network.state_dict()) == set(here.newcomer().network.state_dict())
    assert not list(low_rank_parameters(target.network))


def test_lora_changes_the_matrices_of_both_towers_by_its_rank_and_nothing_else() -> None:
    before, scorer = fused(made(), 2).weights, network_of("lora", steps=80, rank=2)
    assert moved(scorer) == linear_weights(fused(made(), 2).network())
    for name in moved(scorer):
        sizes = torch.linalg.svdvals((scorer.weights[name] - before[name]).double())
        assert int((sizes > 1e-5 * sizes[0]).sum()) <= 2, name
        assert torch.linalg.matrix_rank(before[name]) > 2 or min(before[name].shape) <= 2


def test_adapter_moves_no_weight_of_the_base_and_answers_the_bases_domains_as_before() -> None:
    here, scorer = shop(), network_of("adapter", steps=80)
    assert moved(scorer) == set()
    adapted = Network(scorer.sizes, scorer.tasks)
    adapted.load_state_dict(dict(scorer.weights))
    for task in range(scorer.task):
        old, new = (answers(Target(n, 1, task), here) for n in (here.base.network(), adapted))
        assert all(torch.equal(a, b) for a, b in zip(old, new, strict=True))
    assert not torch.equal(answers(here.newcomer(), here)[0], answers(Target(adapted, 1, scorer.task), here)[0])


def test_a_network_with_adapters_grows_by_a_task_like_the_shared_one() -> None:
    here, scorer = shop(), network_of("adapter", steps=80)
    adapted = Network(scorer.sizes, scorer.tasks)
    adapted.load_state_dict(dict(scorer.weights))
    shared, new = (answers(Target(n, 1, t), here) for n, t in ((adapted, 0), (adapted.grown(), scorer.tasks)))
    assert all(torch.equal(a, b) for a, b in zip(shared, new, strict=True))


def test_bias_moves_only_what_is_added_and_the_layer_norms() -> None:
    names = moved(network_of("finetune", steps=80, unfreeze=("head", "items", "bias")))
    assert names == {
        "item.fuse.dense.0.bias", "item.body.0.weight", "item.body.0.bias", "item.vector.bias", "item.bias.0.bias",
        "item.bias.2.bias", "user.fuse.dense.0.bias", "user.body.0.weight", "user.body.0.bias", "user.vector.bias",
    }  # fmt: skip


@pytest.mark.parametrize("parts", [("head", "items", "bias", "user"), ("item", "bias", "user"), ("bias",)])
def test_no_weight_is_in_two_groups(parts: Any) -> None:
    all_of = [id(p) for g in thawed(shop().newcomer(), parts, Pace(1e-2)) for p in g["params"]]
    assert len(all_of) == len(set(all_of))


def test_deeper_layers_move_at_lower_rates() -> None:
    target = shop().newcomer()
    rates = {id(p): g.get("lr") for g in thawed(target, ("head", "user"), Pace(1e-2, 0.1, 0.5)) for p in g["params"]}
    assert rates[id(target.network.heads.scale)] is None  # that of the phase
    assert rates[id(target.network.user.vector.weight)] == pytest.approx(1e-3)
    assert rates[id(target.network.user.fuse.dense[0].weight)] == pytest.approx(5e-4)


HEAD, LAST = {"heads"}, {"heads", "vector", "bias"}


@pytest.mark.parametrize(
    ("steps", "parts"), [(3, HEAD), (4, LAST), (6, LAST), (7, LAST | {"body", "fuse"})]
)  # fmt: skip
def test_gradual_unfreezing_moves_the_head_then_the_last_layer_then_all(steps: int, parts: set[str]) -> None:
    here = shop()
    target, start = here.newcomer(), here.newcomer().network.state_dict()
    groups = thawed(target, ("head", "user", "item"), Pace(1e-2, stage=3))
    train(Phase("gradual", steps, decay=0.0), target, groups, lambda _: (0,), lambda _, __: _loss(target, here))
    state = target.network.state_dict()
    changed = {n.split(".")[0 if n.startswith("heads") else 1] for n in state if not torch.equal(state[n], start[n])}
    assert changed == parts


def _loss(target: Target, here: Shop) -> dict[str, Tensor]:
    content = here.shelf
    vectors, biases = target.network.items(*map(torch.from_numpy, (content.text, content.numeric, content.levels)), 1)
    profile = torch.from_numpy(here.profiles.pair(*(here.profiles.sums(here.events[:40]),) * 2))
    users, weight = target.network.users(profile, torch.from_numpy(here.levels[:40]), target.task)
    return {"scores": (users @ vectors.T + weight * biases).square().mean()}


def test_a_schedule_that_ends_before_the_next_layer_leaves_it() -> None:
    names = moved(network_of("finetune", steps=80, schedule="gradual", stage=101))  # 80 steps are 100 on all rows
    assert names == set()
    names = moved(network_of("finetune", steps=80, rate=0.02, schedule="gradual", stage=51))
    assert names == {"user.vector.weight", "user.vector.bias"}


def test_l2_sp_pulls_weights_to_where_they_start() -> None:
    def way(**options: Any) -> float:
        before = fused(made(), 2).weights
        after = network_of("finetune", steps=120, unfreeze=("head", "items", "user", "item"), **options).weights
        return float(sum((after[n] - t).square().sum() for n, t in before.items() if not n.startswith("heads"))) ** 0.5

    free, some, held = way(), way(l2_sp=1e3), way(l2_sp=1e5)
    assert 0 < held < 0.1 * free
    assert held < some < 0.6 * free


def test_where_tastes_are_shared_some_weeks_are_worth_moving_a_little() -> None:
    base, asked = fused(made(), 2), problem()
    alone = quality(asked, fitted(asked, "target_only", **ALONE)).mean()
    zero = quality(asked, fitted(asked, "zero_shot", base)).mean()
    for method in ("lora", "adapter"):
        reached = quality(asked, fitted(asked, method, base, steps=200)).mean()
        assert reached > 1.1 * zero, method
        assert reached > 1.3 * alone, method


def source_quality(scorer: NetworkScorer | None = None) -> float:
    """nDCG@10 of the first source's own head in its later weeks, in an adapted network or the base."""
    asked, base = problem(), fused(made(), 2)
    rows, cut = asked.world.interactions, asked.split.cut
    source = asked.sources[0]
    later = rows.filter((pl.col("domain") == asked.world.domain_code(source)) & (pl.col("timestamp") >= cut))
    split = dataclasses.replace(asked.split, test=later, hidden=rows.clear())
    there = Problem(asked.world, source, asked.sources[1:], split, asked.world.catalogue(source))
    network = base.network()
    if scorer is not None:
        network = Network(scorer.sizes, scorer.tasks)
        network.load_state_dict(dict(scorer.weights))
    of = Shop.open(base, there)
    made_of = of.scorer(Target(network, len(there.catalogue), 1), "history")
    return float(quality(there, dataclasses.replace(fitted(there, "popularity"), scorer=made_of)).mean())


def test_an_adapter_forgets_nothing_of_the_sources_where_moving_the_whole_network_does() -> None:
    base, whole = source_quality(), ("head", "items", "user", "item")
    assert source_quality(network_of("adapter", steps=200)) == base
    assert source_quality(network_of("finetune", steps=200, unfreeze=whole, tower_rate=1.0)) < 0.9 * base


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: FinetuneOptions(l2_sp=-1), lambda: FinetuneOptions(stage=0), lambda: FinetuneOptions(layer_rate=0),
        lambda: LoraOptions(rank=0), lambda: LoraOptions(alpha=0), lambda: AdapterOptions(width=0),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="needed"):
        wrong()


@pytest.mark.parametrize("method", ["lora", "adapter", "ridge_probe"])
def test_with_too_little_data_the_base_answers_as_it_is(method: str) -> None:
    asked = problem()
    few = asked.split.train.filter(
        (pl.col("domain") != asked.domain_codes[-1]) | (pl.int_range(pl.len()).over("domain") < 15)
    )
    poor = dataclasses.replace(asked, split=dataclasses.replace(asked.split, train=few))
    told, zero = (fitted(poor, m, fused(made(), 2)) for m in (method, "zero_shot"))
    assert told.facts["why"] == "too little of the target is visible"
    assert np.array_equal(told.scorer.score(poor.history), zero.scorer.score(poor.history))
