"""Contrastive fusion: its terms do what they are for, and its base is a base like any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.api import fuse, transfer
from crossaisle.data.synthetic import Truth, synthetic
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, TrainingError
from crossaisle.fusion.common import event_weights, liked_rows
from crossaisle.models.base import Base, item_rows, tensors_of, user_levels
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_world
from crossaisle.train.checkpoint import keeping

SMALL: dict[str, Any] = {
    "batch": 32, "negatives": 16, "dim": 8, "hidden": 16, "collaborative": 8, "content": {"text": ""}, "rate": 5e-3,
}  # fmt: skip
NONE = {"pairs": 0.0, "bought": 0.0, "text": 0.0, "views": 0.0}
SOURCES = ("tea", "coffee")


def made(world: World, sources: tuple[str, ...] = SOURCES, **options: Any) -> Base:
    return fuse(world, sources, method="contrastive", **SMALL | options)


def same(one: Base, other: Base) -> bool:
    return all(torch.equal(t, other.weights[n]) for n, t in one.weights.items())


class Interrupt(Exception):
    pass


def test_interrupted_and_run_again_gives_the_same_base(tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        if done == 220:
            raise Interrupt

    world = tiny_world()
    whole = made(world, steps=230)
    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        made(world, steps=230)
    steps = []
    with keeping(tmp_path), showing(lambda task, done, total: steps.append(done)):
        resumed = made(world, steps=230)
    assert steps == list(range(201, 231))
    assert same(resumed, whole)
    assert resumed.facts["losses"] == whole.facts["losses"]


def test_terms_are_named_and_weights_of_zero_leave_them_out() -> None:
    world = tiny_world()
    assert set(made(world, steps=3).facts["losses"]) == {"rank", "pairs", "bought", "users", "items"}
    assert set(made(world, steps=3, **NONE).facts["losses"]) == {"rank"}
    assert set(made(world, steps=3, rank=0.0, views=0.0).facts["losses"]) == {"pairs", "bought"}
    assert made(world, steps=3).facts["interactions_per_second"] > 0
    with pytest.raises(TrainingError, match=r"loss term '(pairs|rank|bought|users|items)' became"):
        made(world, steps=50, rate=1e30)


def test_ranking_alone_is_what_shared_bottom_learns() -> None:
    """The same batches and the same loss: only chance (weights at the start, dropout) differs."""
    world = tiny_world()
    alone = made(world, steps=150, **NONE).facts["losses"]["rank"]
    assert alone == pytest.approx(fuse(world, SOURCES, steps=150, **SMALL).facts["losses"]["rank"], abs=0.1)


def test_text_is_aligned_where_there_is_some() -> None:
    base = made(tiny_world(), steps=200, content={"text": "minilm"}, text=1.0)
    assert "text" in base.facts["losses"]
    bare = made(tiny_world(), steps=200, content={"text": "minilm"}, text=0.0)
    assert counterparts_found(base) > counterparts_found(bare) + 0.2


def counterparts_found(base: Base) -> float:
    """Share of tea and coffee whose vector by text alone is nearest to their own vector without text."""
    world = tiny_world()
    rows = np.union1d(*(world.catalogue(name) for name in SOURCES))
    text, numeric, levels = tensors_of(base.reader.read(item_rows(world)), rows)
    network = base.network()
    with torch.no_grad():
        told, _ = network.items(text, torch.zeros_like(numeric), torch.zeros_like(levels), 0)
        rest, _ = network.items(torch.zeros_like(text), numeric, levels, 0)
        near = torch.nn.functional.normalize(told) @ torch.nn.functional.normalize(rest).T
    # Content says brand, price and domain: several items share all of them.
    own = near.diagonal()
    return float((own[:, None] >= near - 1e-4).float().mean())


@pytest.mark.parametrize("method", ["zero_shot", "probe", "finetune", "shared_bottom", "blend"])
def test_every_transfer_of_a_network_takes_the_base(method: str) -> None:
    world = tiny_world()
    base = made(world, steps=20)
    options: dict[str, Any] = {
        "blend": {"parts": ("zero_shot", "popularity"), "min_users": 10_000},
        "zero_shot": {},
    }.get(method, {"steps": 10})
    shop = transfer(world, "cake", method=method, base=base, **options)
    assert np.isfinite(shop.scorer.score(shop.history)).all()


def test_without_log_q_popular_items_score_lower() -> None:
    world = tiny_world()
    only = {"rank": 0.0, "bought": 0.0, "views": 0.0, "pairs": 1.0, "steps": 300}
    with_q, without = (bias_slope(made(world, log_q=corrected, **only), world) for corrected in (True, False))
    assert with_q > without + 0.3


def bias_slope(base: Base, world: World) -> float:
    """How much the mean score of an item grows with the log of how often it is bought."""
    items = np.union1d(*(world.catalogue(name) for name in SOURCES))
    codes = [world.domain_code(name) for name in SOURCES]
    rows = world.interactions.filter(pl.col("domain").is_in(codes))
    sold = np.bincount(rows["item"].to_numpy(), minlength=world.n_items)[items]
    network = base.network()
    with torch.no_grad():
        vectors, biases = network.items(*tensors_of(base.reader.read(item_rows(world)), items), 0)
        users, weight = network.users(torch.zeros(1, base.sizes.profile), torch.zeros(1, 0, dtype=torch.int64), 0)
        scores = (users @ vectors.T + weight * biases).numpy()[0]
    return float(np.polyfit(np.log(sold[sold > 0]), scores[sold > 0], 1)[0])


def across(base: Base, world: World, truth: Truth) -> float:
    """Spearman's correlation, over pairs of items of two domains, of their cosine with that of the true vectors."""
    one, other = (truth.catalogues[d] for d in ("d0", "d1"))
    with torch.no_grad():
        vectors, _ = base.network().items(*tensors_of(base.reader.read(item_rows(world))), 0)
    found, true = (cosines(v[one], v[other]) for v in (vectors.numpy(), truth.items))
    ranks = [np.argsort(np.argsort(c.ravel())) for c in (found, true)]
    return float(np.corrcoef(*ranks)[0, 1])


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one / np.linalg.norm(one, axis=1, keepdims=True)) @ (other / np.linalg.norm(other, axis=1, keepdims=True)).T


def test_what_the_same_people_buy_is_nearer_across_domains() -> None:
    gains = []
    for seed in range(3):
        world, truth = synthetic(n_domains=2, users=300, items=60, user_overlap=1.0, interactions=12.0, seed=seed)
        bought, without = (
            across(made(world, ("d0", "d1"), steps=150, batch=64, **NONE | {"bought": w}), world, truth)
            for w in (0.5, 0.0)
        )
        gains.append(bought - without)
    assert min(gains) > 0.02


def halves_found(base: Base, world: World) -> float:
    """Mean share of people who are farther from one half of somebody's history than that person's other half is."""
    events = event_weights(liked_rows(world, base.sources), world.n_users, world.n_items)
    people = np.flatnonzero(np.diff(events.indptr) > 3)
    first = np.random.default_rng(0).random(events.nnz) < 0.5
    halves = [events.copy() for _ in range(2)]
    for half, there in zip(halves, (first, ~first), strict=True):
        half.data = half.data * there
    nothing = np.zeros((len(people), base.profiles.facts.shape[1] + 2), dtype=np.float32)
    profiles = [torch.from_numpy(base.profiles.pair(base.profiles.sums(h[people]), nothing)) for h in halves]
    levels = torch.from_numpy(user_levels(world, base.people)[people])
    with torch.no_grad():
        one, other = (base.network().users(p, levels, 0)[0].numpy() for p in profiles)
    near = cosines(one, other)
    return float((near < near.diagonal()[:, None]).mean())


def neighbours_kept(base: Base, world: World, k: int = 5) -> float:
    """Mean share of an item's k nearest that are its nearest without one kind of its content as well, kind by kind."""
    text, numeric, levels = tensors_of(base.reader.read(item_rows(world)))
    network, poorer = base.network(), [(text, torch.zeros_like(numeric), levels)]
    for column in range(levels.shape[1]):
        gone = levels.clone()
        gone[:, column] = 0
        poorer.append((text, numeric, gone))
    with torch.no_grad():
        whole = network.items(text, numeric, levels, 0)[0].numpy()
        parts = [network.items(*content, 0)[0].numpy() for content in poorer]
    before, *after = (nearest(cosines(v, whole), k) for v in (whole, *parts))
    return float(np.mean([(before & a).sum() / before.sum() for a in after]))


def nearest(near: np.ndarray, k: int) -> np.ndarray:
    """(n, n) True for the k nearest of each row, itself left out."""
    near = near - 9 * np.eye(len(near))
    return near >= np.sort(near, axis=1)[:, [-k]]


Measure = Callable[[Base, World], float]


def with_and_without(measure: Measure, seed: int, without: dict[str, Any]) -> float:
    """How much more views reach than what has `without`."""
    world, _ = synthetic(n_domains=2, users=200, items=60, user_overlap=1.0, interactions=12.0, seed=seed)
    options = ({"views": 1.0}, {"views": 1.0, **without})
    found = [measure(made(world, ("d0", "d1"), steps=150, batch=64, **NONE | o), world) for o in options]
    return found[0] - found[1]


@pytest.mark.parametrize("measure", [halves_found, neighbours_kept])
def test_views_bring_together_halves_of_a_history_and_an_item_with_and_without_part_of_its_content(
    measure: Measure,
) -> None:
    assert min(with_and_without(measure, seed, {"views": 0.0}) for seed in range(3)) > 0.08


def test_it_takes_parts_of_a_history_to_learn_what_its_parts_have_in_common() -> None:
    """With whole histories twice, people are pushed apart, and halves of a history are not brought together."""
    assert min(with_and_without(halves_found, seed, {"kept": 1.0}) for seed in range(2)) > 0.08


def test_it_takes_items_without_part_of_their_content_to_learn_to_do_without() -> None:
    gains = [with_and_without(neighbours_kept, seed, {"dropped": 0.0}) for seed in range(2)]
    assert min(gains) > 0.08, gains


@pytest.mark.parametrize(
    "wrong",
    [{"pairs": -1.0}, {"rank": 0.0, "pairs": 0.0}, {"temperature": 0.0}, {"kept": 0.0}, {"dropped": 1.0}, {"steps": 0}],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        made(tiny_world(), **wrong)


def test_people_of_one_domain_each_are_no_obstacle() -> None:
    world = tiny_world()
    apart = pl.col("user") % 2 == pl.col("domain").cast(pl.Int64) % 2
    base = made(dataclasses.replace(world, interactions=world.interactions.filter(apart)), steps=10)
    assert np.isfinite(list(base.facts["losses"].values())).all()
