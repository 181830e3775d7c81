"""Designs and balances in Worlds whose truth is known: what they gain where domains conflict, and where they agree."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.api import fuse
from crossaisle.data.synthetic import Truth, synthetic
from crossaisle.data.world import World
from crossaisle.fusion.common import event_weights, liked_rows
from crossaisle.models.base import Base, item_rows, tensors_of, user_levels
from crossaisle.models.profile import only
from crossaisle.train.balance import BALANCES

COMMON: dict[str, Any] = {
    "n_domains": 5, "users": 250, "items": 60, "user_overlap": 1.0, "interactions": 15.0, "skew": 0.5, "dim": 8,
}  # fmt: skip
SMALL: dict[str, Any] = {
    "steps": 400, "batch": 128, "negatives": 128, "dim": 8, "hidden": 16, "collaborative": 16, "rate": 1e-2,
    "content": {"text": ""},
}  # fmt: skip
WORLDS: dict[str, dict[str, Any]] = {"agree": {}, "turned": {"distance": 1.0}}
"""In `turned` each domain sees a person's taste turned by a right angle, in planes of its own."""


@cache
def made(world: str) -> tuple[World, Truth]:
    return synthetic(**COMMON | WORLDS[world])


@cache
def agreement(world: str, method: str) -> np.ndarray:
    """(domains,) how well people are understood by what they have elsewhere (see `personal`), by each domain's head."""
    data, truth = made(world)
    base = fuse(data, method=method, **SMALL)
    return np.array([personal(base, data, truth, task) for task in range(1, len(base.tasks))])


def personal(base: Base, world: World, truth: Truth, task: int) -> float:
    """Mean over the domain's people of the correlation of their own part of the scores with that of the true ones."""
    domain = base.tasks[task].split("/")[0]
    items, people, network = truth.catalogues[domain], truth.members[domain], base.network()
    events = event_weights(liked_rows(world, base.sources), world.n_users, world.n_items)[people]
    elsewhere = base.profiles.sums(only(events, ~np.isin(np.arange(world.n_items), items)))
    profile = torch.from_numpy(base.profiles.pair(elsewhere, np.zeros_like(elsewhere)))
    levels = torch.from_numpy(user_levels(world, base.people)[people])
    with torch.no_grad():
        users, _ = network.users(profile, levels, task)
        vectors, _ = network.items(*tensors_of(base.reader.read(item_rows(world)), items), task)
    scores = [centred(s) for s in ((users @ vectors.T).numpy(), truth.scores(domain, people))]
    lengths = [np.linalg.norm(s, axis=1) for s in scores]
    return float(((scores[0] * scores[1]).sum(axis=1) / (lengths[0] * lengths[1])).mean())


def centred(scores: np.ndarray) -> np.ndarray:
    """Without what an item is to everybody, and without each person's mean."""
    own = scores - scores.mean(axis=0)
    return own - own.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(("method", "gain"), [("mmoe", 0.06), ("ple", 0.06), ("star", 0.03)])
def test_where_domains_conflict_a_design_beats_a_shared_bottom_of_the_same_width(method: str, gain: float) -> None:
    shared, own = agreement("turned", "shared_bottom"), agreement("turned", method)
    assert own.mean() > shared.mean() + gain
    assert own.min() > shared.min()


@pytest.mark.parametrize("method", ["mmoe", "ple", "star"])
def test_where_domains_agree_all_designs_do_alike(method: str) -> None:
    assert agreement("agree", method).mean() == pytest.approx(agreement("agree", "shared_bottom").mean(), abs=0.04)


ODD: dict[str, Any] = COMMON | {"n_domains": 4, "conflict": 0.5, "conflict_domains": (3,)}
"""Half of the taste that three domains share is turned around in the fourth."""
SEEDS = range(5)


def worst(balance: str, seed: int, share: float, **options: Any) -> float:
    """`personal` of the domain that is worst off with a shared bottom; of d3's rows a `share` is left."""
    data, truth = synthetic(**ODD, seed=seed)
    gone = pl.Series(np.random.default_rng(seed).random(len(data.interactions)) >= share)
    rows = data.interactions.filter(~(gone & (pl.col("domain") == data.domain_code("d3"))))
    left = dataclasses.replace(data, interactions=rows)
    base = fuse(left, balance=balance, seed=seed, **SMALL | options)
    return min(personal(base, left, truth, task) for task in range(1, len(base.tasks)))


@cache
def worst_with_the_sum() -> np.ndarray:
    return np.array([worst("sum", seed, 0.3) for seed in SEEDS])


@pytest.mark.slow
@pytest.mark.parametrize(("balance", "gain"), [("pcgrad", 0.05), ("upgrad", 0.09)])
def test_the_smallest_of_four_domains_which_the_others_outvote_is_better_off_than_with_the_sum(
    balance: str, gain: float
) -> None:
    gains = [worst(balance, seed, 0.3) for seed in SEEDS] - worst_with_the_sum()
    assert gains.min() > 0
    assert gains.mean() > gain


@pytest.mark.slow
def test_surgery_helps_beyond_that_a_step_sees_every_domain_where_the_network_is_narrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same batches, and gradients that are added up as they are: what is left is what PCGrad takes away."""
    monkeypatch.setitem(BALANCES._items, "added", dataclasses.replace(BALANCES.get("sum"), name="added"))
    narrow = {"share": 1.0, "dim": 4, "hidden": 8}
    gains = np.array([worst("pcgrad", seed, **narrow) - worst("added", seed, **narrow) for seed in SEEDS])
    assert gains.mean() > 0.015
    assert (gains > -0.01).all()
