"""Few-shot transfers: their parts by hand, and Worlds in which sources teach how to launch, or do not."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from kindred import base_of, kindred
from launch_worlds import fitted, fused, launch, made, quality

from crossaisle.models.base import Base
from crossaisle.testing import tiny_base
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer import meta
from crossaisle.transfer.few_shot import put, shown_pairs
from crossaisle.transfer.launches import Launches, launches_of
from crossaisle.transfer.meta import (
    HEAD,
    ITEM,
    LAST,
    OWN,
    Hidden,
    Learner,
    MetaOptions,
    Recipe,
    Shown,
    _asked,
    learned,
)
from crossaisle.transfer.meta_embedding import MetaEmbeddingOptions
from crossaisle.transfer.network import NetworkScorer, Shop, Target
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.protonet import ProtonetOptions
from crossaisle.transfer.prototypes import Evidence, expected

LEARNING = ("anil", "maml", "meta_embedding")
METHODS_HERE = (*LEARNING, "protonet")


@cache
def tiny() -> tuple[Problem, Base]:
    problem = tiny_problem()
    return problem, tiny_base(problem)


@cache
def world(kin: bool, seed: int = 0) -> tuple[Problem, Base]:
    problem = kindred(1.0, seed, kin)
    return problem, base_of(problem)


@cache
def reached(kin: bool, method: str, seed: int = 0, **options: Any) -> float:
    problem, base = world(kin, seed)
    return float(quality(problem, fitted(problem, method, base, **options)).mean())


def tiny_shop() -> Shop:
    problem, base = tiny()
    return Shop.open(base, problem)


def tiny_launches(shots: float = 2.0) -> Launches:
    made = launches_of(tiny_shop(), shots, side=2, shelf=12)
    assert made is not None
    return made


def random_shown(network: Any, pairs: int = 30, items: int = 6) -> Shown:
    draw, width = torch.Generator().manual_seed(0), network.sizes.hidden
    positive = torch.randint(0, items, (pairs,), generator=draw)
    excluded = torch.nn.functional.one_hot(positive, items).bool()
    people, things = (torch.randn(n, width, generator=draw) for n in (pairs, items))
    return Shown(people, things, positive, excluded)


def test_last_layers_score_as_the_network_does() -> None:
    shop = tiny_shop()
    target = Target(shop.base.network(), len(shop.problem.catalogue), 0)
    sampler = shown_pairs(shop)
    assert sampler is not None
    batch = sampler.batch(sampler.tasks[0], np.arange(9), shop.problem.catalogue, launch=True)
    hidden, learner = Hidden(target.network, shop), Learner(target.network, (), 1.0)
    things = hidden.items(shop.shelf)
    none = torch.zeros(len(things), target.network.sizes.dim), torch.zeros(len(things))
    scores = learner.last(hidden.users(batch.profile, batch.levels), things, *none)
    users, weight = target.network.users(batch.profile, batch.levels, 0)
    vectors = torch.from_numpy(shop.scorer(target, "content").item_vectors)
    assert torch.allclose(scores, users @ vectors[:, :-1].T + weight * vectors[:, -1], atol=1e-5)


def test_an_inner_step_by_hand() -> None:
    network = tiny()[1].network()
    learner, shown = Learner(network, ("shift", "own.bias"), 0.5), random_shown(network)
    start = learner.start(6)
    assert list(start) == ["shift", "own.bias"]
    last, none = learner.last, torch.zeros(6, network.sizes.dim)
    free = {n: w.detach().clone().requires_grad_() for n, w in start.items()}
    users = last.user(shown.people) * (1 + last.scale) + free["shift"]
    scores = users @ (last.item(shown.things) + none).T + last.weight * (
        last.bias(shown.things)[:, 0] + free["own.bias"]
    )
    slopes = torch.autograd.grad(torch.nn.functional.cross_entropy(scores, shown.positive), list(free.values()))
    after = learner.step(start, (shown,))
    assert torch.allclose(after["shift"], free["shift"] - 0.5 * slopes[0], atol=1e-5)
    assert torch.allclose(after["own.bias"], -0.5 * 30 / (1 + 30 / 6) * slopes[1], atol=1e-5)


def test_parts_of_unequal_size_make_the_step_of_all_pairs() -> None:
    network = tiny()[1].network()
    learner, shown = Learner(network, (*LAST, *OWN), 0.1), random_shown(network)
    halves = [
        dataclasses.replace(shown, people=shown.people[s], positive=shown.positive[s], excluded=shown.excluded[s])
        for s in (slice(7), slice(7, None))
    ]
    whole, parts = (learner.step(learner.start(6), given) for given in ((shown,), halves))
    for name, weight in whole.items():
        assert torch.allclose(weight, parts[name], atol=1e-6), name


def outer_slopes(first_order: bool, side: int = 2) -> tuple[float, torch.Tensor]:
    shop, launches = tiny_shop(), tiny_launches()
    learner, hidden = Learner(shop.base.network(), (*LAST, *OWN), 0.3), Hidden(shop.base.network(), shop)
    episode = launches(1)
    episode = dataclasses.replace(episode, batches=episode.batches[:side])
    _, warm = _asked(learner, hidden, episode, MetaOptions(first_order=first_order))
    return warm.item(), torch.autograd.grad(warm, learner.last.shift)[0]


def test_the_first_order_has_the_same_loss_and_another_gradient() -> None:
    (loss, slope), (same, other) = outer_slopes(False), outer_slopes(True)
    assert loss == pytest.approx(same)
    assert not torch.allclose(slope, other, rtol=1e-2)


def test_the_gradient_of_the_outer_loop_is_that_of_finite_differences() -> None:
    shop, episode = tiny_shop(), tiny_launches()(1)
    learner, hidden = Learner(shop.base.network(), (*LAST, *OWN), 0.3), Hidden(shop.base.network(), shop)
    _, warm = _asked(learner, hidden, episode, MetaOptions())
    slope = torch.autograd.grad(warm, learner.rates)[0]
    for place in (learner.names.index("shift"), learner.names.index("own.bias")):
        found = []
        for change in (0.05, -0.05):
            with torch.no_grad():
                learner.rates[place] += change
                found.append(_asked(learner, hidden, episode, MetaOptions())[1].item())
                learner.rates[place] -= change
        assert (found[0] - found[1]) / 0.1 == pytest.approx(slope[place].item(), rel=0.05, abs=1e-4)


def test_pseudo_launches_show_early_people_and_ask_later_ones() -> None:
    launches = tiny_launches()
    for step in range(1, 6):
        episode = launches(step)
        assert episode.support == 24  # two for each of twelve items
        for batch in episode.batches:
            assert len(batch.items) == 12
            assert not batch.profile[:, batch.profile.shape[1] // 2 :].any()  # nothing of their own in that source
            early, later = ({tuple(row.tolist()) for row in part} for part in (batch.profile[:24], batch.profile[24:]))
            assert len(early & later) <= 1  # two people may have equal profiles
    again = tiny_launches()(3)
    assert all(torch.equal(a.positive, b.positive) for a, b in zip(launches(3).batches, again.batches, strict=True))
    assert not torch.equal(again.batches[0].positive, launches(4).batches[0].positive)


def test_a_rarely_sold_shelf_still_has_pairs() -> None:
    launches = tiny_launches(shots=0.1)
    sampler = launches.sampler
    rare = sampler.tasks[0].take(np.arange(20))
    poor = dataclasses.replace(launches, sampler=dataclasses.replace(sampler, tasks=(rare,)), shelf=4)
    for step in range(1, 20):
        assert len(poor(step)) == 2 * (poor(step).support + 256)


@pytest.mark.parametrize(
    ("method", "inner", "outer"),
    [("anil", (*HEAD, "own.bias"), LAST), ("maml", (*LAST, *OWN), LAST), ("meta_embedding", OWN, ITEM)],
)
def test_what_is_learned_and_what_adapts(method: str, inner: tuple[str, ...], outer: tuple[str, ...]) -> None:
    problem, base = world(True)
    options: Any = {"steps": 30}
    shop = Shop.open(base, problem)
    sampler = shown_pairs(shop)
    assert sampler is not None
    cold = 0.1 if method == "meta_embedding" else 0.0
    recipe = Recipe(method, inner, outer, MetaOptions(**options), cold)
    learner, _ = learned(shop, len(sampler.tasks[0].users) / len(problem.catalogue), recipe)
    before = dict(Learner(base.network(), (), 1.0).last.named_parameters())
    start = dict(learner.last.named_parameters())
    moved = {n for n, w in start.items() if not torch.equal(w, before[n])}
    assert set(outer) - {"bias.2.bias", "item.bias"} <= moved <= set(outer)  # these two add the same to all items
    made = fitted(problem, method, base, **options)
    assert made.facts["steps"] > 0
    scorer = made.scorer
    assert isinstance(scorer, NetworkScorer)
    network = Target(base.network(), 1, 0).network
    network.load_state_dict(dict(scorer.weights))
    after = dict(Learner(network, (), 1.0).last.named_parameters())
    adapted = {n for n, w in after.items() if not torch.allclose(w, start[n], rtol=0, atol=0)}
    assert adapted <= set(inner)
    assert adapted >= {n for n in inner if n in ("scale", "shift", "weight", "user.weight")}
    towers = {n: w for n, w in base.weights.items() if ".fuse." in n or ".body." in n}
    assert all(torch.equal(w, scorer.weights[n]) for n, w in towers.items())
    plain = put(learner, {}, Target(base.network(), len(problem.catalogue), 0))
    own = scorer.item_vectors - shop.scorer(plain, "content").item_vectors
    assert own[:, -1].any()
    assert own[:, :-1].any() == (method != "anil")


@pytest.mark.parametrize("method", METHODS_HERE)
def test_with_too_little_the_base_answers_as_it_is(method: str) -> None:
    problem, base = tiny()
    few = problem.split.train.filter(
        (pl.col("domain") != problem.domain_codes[-1]) | (pl.int_range(pl.len()).over("domain") < 15)
    )
    poor = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=few))
    told, asked = fitted(poor, method, base), fitted(poor, "zero_shot", base)
    assert told.facts["why"].startswith("too little")
    assert np.array_equal(told.scorer.score(poor.history), asked.scorer.score(poor.history))


@pytest.mark.parametrize("method", LEARNING)
def test_without_visible_sources_the_base_itself_is_adapted(method: str) -> None:
    problem, base = tiny()
    alone = problem.split.train.filter(pl.col("domain") == problem.domain_codes[-1])
    made = fitted(dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=alone)), method, base)
    assert made.facts["sources"] == 0
    assert np.isfinite(made.scorer.score(problem.history)).all()


def test_expected_people_are_those_of_draws_one_after_the_other() -> None:
    draw = np.random.default_rng(0)
    users, items, bias = draw.normal(size=(3, 2)), draw.normal(size=(8, 2)), draw.normal(size=8)
    baskets = np.array([1, 3, 5])
    scores = users @ items.T + bias
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    counted, tries = np.zeros((3, 8)), 4000
    for u in range(3):
        for _ in range(tries):
            counted[u, draw.choice(8, baskets[u], replace=False, p=chance[u])] += 1 / tries
    told = [torch.from_numpy(x.astype(np.float32)) for x in (users, baskets, items, bias)]
    number, there = expected(*told)
    assert number.numpy() == pytest.approx(counted.sum(axis=0), abs=0.15)
    assert there.numpy() == pytest.approx(counted.T @ users, abs=0.15)
    assert number.sum() == pytest.approx(9, rel=0.01)


def test_prototypes_by_hand() -> None:
    problem, base = tiny()
    shop, sampler = tiny_shop(), shown_pairs(tiny_shop())
    assert sampler is not None
    evidence = Evidence(Target(base.network(), len(problem.catalogue), 0), shop, sampler)
    rows = np.arange(len(evidence.users))
    made = dict(evidence.corrections(rows, ((2.0, 1e6), (3.0,))))
    vectors, biases = made[2.0, 3.0]
    item = int(np.bincount(evidence.items).argmax())
    buyers = evidence.users[evidence.items == item]
    basket = torch.bincount(torch.from_numpy(evidence.users)).float()
    many, there = expected(evidence.people, basket, evidence.vectors, evidence.biases)
    away = evidence.people[buyers].mean(dim=0) - there[item] / many[item]
    share = len(buyers) / (len(buyers) + 2.0)
    assert evidence.spread @ vectors[item] == pytest.approx((share * away).numpy(), abs=1e-4)
    moved, _ = expected(evidence.people, basket, evidence.vectors + vectors, evidence.biases)
    assert biases[item].item() == pytest.approx(np.log((len(buyers) + 3.0) / (moved[item].item() + 3.0)), abs=1e-4)
    never = np.setdiff1d(np.arange(len(problem.catalogue)), evidence.items)
    assert not vectors[never].any()
    assert made[1e6, 3.0][0].abs().max() < 1e-3


def test_an_item_that_comes_later_starts_from_the_generator() -> None:
    problem, base = tiny()
    made = fitted(problem, "meta_embedding", base, steps=40)
    code = int(problem.catalogue[0])
    row = problem.world.content[[code]].select("title", "brand", "price")
    wider = made.with_items(row.with_columns(item_id=pl.lit("new")))
    assert isinstance(wider.scorer, NetworkScorer)
    shop = tiny_shop()
    untouched = shop.scorer(Target(base.network(), len(problem.catalogue), 0), "content").item_vectors[0]
    learner_says = wider.scorer.item_vectors[-1]
    assert not np.allclose(learner_says, untouched, atol=1e-3)  # not as the base says
    assert not np.allclose(learner_says, made.scorer.item_vectors[0], atol=1e-3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MetaOptions(steps=0),
        lambda: MetaOptions(inner_steps=0),
        lambda: MetaOptions(inner_rate=0.0),
        lambda: MetaOptions(shelf=1),
        lambda: MetaEmbeddingOptions(cold=1.5),
        lambda: ProtonetOptions(strengths=()),
        lambda: ProtonetOptions(strengths=(0.0,)),
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_who_has_learned_to_launch_needs_fewer_purchases() -> None:
    """One purchase per item tells how the target looks at tastes, to who has learned that this is what differs."""
    for method in ("anil", "maml"):
        assert reached(True, method, steps=150) > 1.15 * reached(True, "finetune"), method
        assert reached(True, method, steps=150) > 1.15 * reached(True, "probe"), method
        assert reached(True, method, steps=150) > 1.4 * reached(True, "zero_shot"), method


def test_learning_to_launch_beats_the_same_steps_unlearned(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = reached(True, "anil", steps=150)
    monkeypatch.setattr(meta, "launches_of", lambda *_: None)
    problem, base = world(True)
    unlearned = fitted(problem, "anil", base)
    assert unlearned.facts["sources"] == 0
    assert learnt > 1.15 * float(quality(problem, unlearned).mean())


@pytest.mark.parametrize("method", ["anil", "maml"])
def test_where_domains_have_nothing_in_common_nothing_is_gained_by_it(method: str) -> None:
    assert reached(False, method, steps=150) < reached(False, "popularity") + 0.02


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_a_purchase_or_two_per_item_move_prototypes_further_than_content_and_finetuning(noise: float) -> None:
    problem = launch(made(content_noise=noise), 0.5)
    base = fused(problem.world, 0.5)
    assert 1 < len(problem.target_rows) / len(problem.catalogue) < 2
    found = {m: float(quality(problem, fitted(problem, m, base)).mean()) for m in ("protonet", "zero_shot", "finetune")}
    assert found["protonet"] > 1.1 * max(found["zero_shot"], found["finetune"])
