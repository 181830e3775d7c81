"""Entire-space fusion: its probabilities are those that were planted, and its base is a base like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from planted_rates import Planted, planted

from crossaisle import metrics
from crossaisle.api import World, fuse, probabilities, transfer
from crossaisle.data.vocab import Vocab
from crossaisle.encoders.content import ContentOptions
from crossaisle.errors import ConfigError, DataError, MethodError
from crossaisle.fusion import rates
from crossaisle.fusion.esmm import EsmmOptions, opened
from crossaisle.models.base import Base
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_world
from crossaisle.train.checkpoint import keeping
from crossaisle.train.exposures import ExposureSampler

SMALL: dict[str, Any] = {
    "negatives": 16, "dim": 16, "hidden": 32, "collaborative": 16, "content": {"text": ""}, "rate": 1e-2, "steps": 300,
}  # fmt: skip
SOURCES = ("d0", "d1")
READ = EsmmOptions(content=ContentOptions(text=""))


def made(world: World, **options: Any) -> Base:
    return fuse(world, options.pop("sources", ()), method="esmm", seed=options.pop("seed", 0), **SMALL | options)


@pytest.fixture(scope="module")
def little() -> World:
    return planted(0, users=60, items=16, views=10).world


@pytest.fixture(scope="module")
def base(little: World) -> Base:
    return made(little, steps=20)


def without(world: World, event: str, *domains: str) -> World:
    codes = [world.domain_code(d) for d in domains]
    gone = (pl.col("event") == world.events.code(event)) & pl.col("domain").is_in(codes)
    return replace(world, interactions=world.interactions.filter(~gone))


def judged(base: Base, world: Planted) -> dict[str, float]:
    """Means over the domains, on held-out exposures: what is said against what came of it, and against the truth."""
    rows = []
    for domain, h in world.held.items():
        said, there = rates.probabilities(base, world.world, domain, h.users, h.items), h.clicked > 0
        rows.append(
            {
                "ctr error": metrics.calibration_error(said.ctr, h.clicked),
                "ctcvr error": metrics.calibration_error(said.ctcvr, h.bought),
                "cvr off": np.abs(said.cvr - h.cvr).mean(),
                "cvr error": metrics.calibration_error(said.cvr, h.cvr),
                "cvr error where clicked": metrics.calibration_error(said.cvr[there], h.cvr[there]),
                "bought after a click": abs(h.bought.sum() / h.clicked.sum() - h.cvr.mean()),
                "cvr bias": (said.cvr - h.cvr).mean(),
                "purchase auc": metrics.auc(said.ctcvr, h.bought),
                "best auc": metrics.auc(h.ctr * h.cvr, h.bought),
                "clicked": h.clicked.mean(),
                "bought": h.bought.mean(),
            }
        )
    return {name: float(np.mean([r[name] for r in rows])) for name in rows[0]}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_probabilities_are_those_that_were_planted(seed: int) -> None:
    """The same network and steps three times: entire space, purchases from clicks alone, purchases from views alone."""
    world = planted(seed, hidden=0.1)
    entire, naive, plain = (
        judged(made(world.world, seed=seed, steps=600, **kw), world)
        for kw in ({}, {"entire": False}, {"click": "nothing"})
    )
    assert entire["ctr error"] < 0.03
    assert entire["ctcvr error"] < 0.025
    assert entire["cvr error"] < min(0.08, naive["cvr error"])
    assert entire["cvr error where clicked"] < 0.05
    assert entire["cvr off"] < min(0.15, naive["cvr off"])
    assert abs(entire["cvr bias"]) < abs(naive["cvr bias"])
    assert entire["purchase auc"] > plain["purchase auc"] - 0.01
    assert entire["purchase auc"] > 0.72
    # What a constant would be off by, and what nothing can beat: the tests above can fail.
    assert entire["clicked"] > 0.1
    assert entire["bought"] > 0.04
    assert entire["bought after a click"] > 0.15
    assert entire["best auc"] > entire["purchase auc"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("common", [0.0, -1.0])
def test_what_is_clicked_is_calibrated_whatever_brings_clicks(common: float, seed: int) -> None:
    """Over what nobody clicks it need not be: no data tell what would be bought there."""
    world = planted(seed, hidden=0.1, common=common)
    found = judged(made(world.world, seed=seed, steps=600), world)
    assert found["cvr error where clicked"] < 0.06
    assert found["ctr error"] < 0.04
    assert found["ctcvr error"] < 0.025


def test_heads_and_terms(little: World, base: Base) -> None:
    events = [f"{d}/{e}" for d in ("d0", "d1") for e in little.events.ids.to_list()]
    assert sorted(base.tasks[1:-4]) == sorted(events)
    assert base.tasks[-4:] == ("d0/ctr", "d0/cvr", "d1/ctr", "d1/cvr")
    assert set(base.facts["losses"]) == {"rank", "ctr", "ctcvr"}
    assert set(made(little, steps=3, rank=0.0, entire=False).facts["losses"]) == {"ctr", "cvr"}
    shown = little.interactions.filter(pl.col("event") == little.events.code("view")).group_by("domain").len()
    assert sum(base.facts["exposures"].values()) == shown["len"].sum()


def test_without_clicks_purchases_have_one_head_and_clicks_are_taken_for_granted(little: World) -> None:
    base = made(without(little, "click", "d1"), steps=20)
    assert base.tasks[-3:] == ("d0/ctr", "d0/cvr", "d1/cvr")
    items = little.item_ids.decode(little.catalogue("d1"))[:3]
    found = probabilities(base, little, "d1", ["u0001"] * 3, items)
    assert found["ctr"].to_list() == [1.0] * 3
    assert found["ctcvr"].to_list() == found["cvr"].to_list()
    assert made(without(little, "view", "d0", "d1"), steps=3).tasks[-2:] == ("d0/cvr", "d1/cvr")


def test_a_domain_without_purchases_ranks_and_has_no_probabilities(little: World) -> None:
    base = made(without(little, "purchase", "d1"), steps=3)
    assert base.tasks[-2:] == ("d0/ctr", "d0/cvr")
    assert "d1/view" in base.tasks
    with pytest.raises(MethodError, match=r"knows probabilities for d0, not for 'd1': fuse with esmm"):
        probabilities(base, little, "d1", [], [])


def test_where_nothing_is_shown_it_refuses() -> None:
    with pytest.raises(
        MethodError,
        match=r"^fusion 'esmm' needs exposures, which cake, coffee, tea lack here: view or click events beside "
        r"purchase events of one domain; .*choose shared_bottom\.$",
    ):
        made(tiny_world(), steps=3)


def test_an_event_with_the_name_of_a_head_is_refused(little: World) -> None:
    names = Vocab([{"click": "ctr"}.get(e, e) for e in little.events.ids.to_list()])
    with pytest.raises(MethodError, match=r"esmm calls its heads d0/ctr and d0/cvr: rename the events"):
        made(replace(little, events=names), steps=3, click="ctr")


def test_many_pairs_are_asked_in_blocks(little: World, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    items = np.repeat(little.catalogue("d0"), 3)
    users = np.arange(len(items)) % little.n_users
    whole = rates.probabilities(base, little, "d0", users, items)
    monkeypatch.setattr(rates, "_BLOCK", 7)
    parts = rates.probabilities(base, little, "d0", users, items)
    assert parts.ctcvr == pytest.approx(whole.ctcvr, rel=1e-5)
    assert len(set(whole.ctcvr.tolist())) > 40


def test_probabilities_by_id(little: World, base: Base) -> None:
    items = little.item_ids.decode(little.catalogue("d0"))
    found = probabilities(base, little, "d0", ["u0003", "a stranger", "another"], [items[2], items[2], items[2]])
    assert found.columns == ["user_id", "item_id", "ctr", "cvr", "ctcvr"]
    table = found.select("ctr", "cvr", "ctcvr").to_numpy()
    assert ((table > 0) & (table < 1)).all()
    assert table[:, 2] == pytest.approx(table[:, 0] * table[:, 1])
    assert (table[1] == table[2]).all()
    assert (table[0] != table[1]).all()
    with pytest.raises(DataError, match="1 users and 2 items were given: give one item for each user"):
        probabilities(base, little, "d0", ["u0003"], items[:2])
    with pytest.raises(DataError, match=r"2 of 3 items are not in 'd0': ask for items of its catalogue"):
        probabilities(
            base, little, "d0", ["u0003"] * 3, [items[0], "nothing", little.item_ids.decode(little.catalogue("d1"))[0]]
        )
    with pytest.raises(MethodError, match="this base of shared_bottom knows probabilities for no domain"):
        probabilities(fuse(little, content={"text": ""}, steps=2), little, "d0", [], [])
    with pytest.raises(MethodError, match="fuse again on these data"):
        probabilities(base, planted(0, users=60, items=17, views=10).world, "d0", [], [])


def test_what_is_asked_is_not_what_is_known(little: World, base: Base) -> None:
    """The pair's own events say nothing about it, those of other pairs do, as in training."""
    rows = little.interactions.filter(pl.col("domain") == little.domain_code("d0"))
    user, item = (int(rows.filter(pl.col("event") == little.events.code("purchase"))[n][0]) for n in ("user", "item"))
    other = int(rows.filter((pl.col("user") == user) & (pl.col("item") != item))["item"][0])
    pair = (np.array([user]), np.array([item]))

    def click(gone: int | None) -> float:
        left = ~((pl.col("user") == user) & (pl.col("item") == (-1 if gone is None else gone)))
        world = replace(little, interactions=little.interactions.filter(left))
        return float(rates.probabilities(base, world, "d0", *pair).ctr[0])

    assert click(item) == pytest.approx(click(None), abs=1e-6)
    assert abs(click(other) - click(None)) > 1e-5


def test_training_and_asking_see_the_same(little: World) -> None:
    ground, chains = opened(little, SOURCES, READ, 0)
    batch = ExposureSampler(ground.sampler(), chains).exposures(1)
    domain = ground.tasks[batch.cvr].split("/")[0]
    chain = next(c for c in chains if c.pairs.task == batch.cvr)
    users, items = chain.pairs.active[chain.pairs.users], chain.pairs.items
    base = replace(fuse(little, content={"text": ""}, steps=1), profiles=ground.profiles, people=ground.people)
    profile, levels = rates.People.open(base, little, domain).of(users, items)
    seen = ground.sampler().seen(chain.pairs, np.arange(len(users)), np.zeros(len(users), dtype=bool))
    assert profile.numpy() == pytest.approx(seen, abs=1e-4)
    assert torch.equal(levels, torch.from_numpy(ground.levels[users]))


def test_exposures_are_drawn_as_they_are(little: World) -> None:
    ground, chains = opened(little, SOURCES, READ, 0)
    sampler = ExposureSampler(ground.sampler(), chains)
    one, again = sampler(7).exposures, sampler(7).exposures
    assert torch.equal(one.profile, again.profile)
    assert torch.equal(one.clicked, again.clicked)
    drawn = [sampler.exposures(step) for step in range(200)]
    for chain in chains:
        mine = [b for b in drawn if b.cvr == chain.pairs.task]
        clicked = np.concatenate([b.clicked.numpy() for b in mine])
        assert clicked.mean() == pytest.approx(chain.clicked.mean(), abs=float(4 * clicked.std() / len(clicked) ** 0.5))
        assert {int(b.items[p]) for b in mine for p in b.place} == set(chain.pairs.items.tolist())


@pytest.mark.parametrize("method", ["zero_shot", "probe", "finetune", "shared_bottom", "lora"])
def test_every_transfer_of_a_network_takes_the_base(little: World, method: str) -> None:
    base = made(little, sources=("d0",), steps=20)
    shop = transfer(little, "d1", method=method, base=base, **({} if method == "zero_shot" else {"steps": 10}))
    assert np.isfinite(shop.scorer.score(shop.history)).all()


def test_ranking_is_no_worse_for_it() -> None:
    """Zero-shot on a domain that was not fused, by clicks of what was shown there."""
    world = planted(0, domains=3, users=200, hidden=0.1).world
    aucs = {}
    for method in ("esmm", "shared_bottom"):
        shop = transfer(world, "d2", method="zero_shot", base=fuse(world, ("d0", "d1"), method=method, **SMALL))
        rows = world.interactions.filter(pl.col("domain") == world.domain_code("d2"))
        pairs = rows.group_by("user", "item").agg(n=pl.len()).sort("user", "item")
        users, items = (pairs[n].to_numpy().astype(np.int64) for n in ("user", "item"))
        scores = shop.scorer.score(shop.history)[users, np.searchsorted(shop.catalogue, items)]
        aucs[method] = metrics.gauc(scores, (pairs["n"] > 1).to_numpy(), users)
    assert aucs["esmm"] > max(0.55, aucs["shared_bottom"] - 0.03), aucs


class Interrupt(Exception):
    pass


def test_interrupted_saved_and_loaded(little: World, tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        if done == 210:
            raise Interrupt

    whole = made(little, steps=220, batch=32)
    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        made(little, steps=220, batch=32)
    with keeping(tmp_path):
        resumed = made(little, steps=220, batch=32)
    assert all(torch.equal(t, resumed.weights[n]) for n, t in whole.weights.items())
    whole.save(tmp_path / "base")
    items = little.item_ids.decode(little.catalogue("d0"))
    pairs = (little, "d0", ["u0000"] * len(items), items)
    assert probabilities(Base.load(tmp_path / "base"), *pairs).equals(probabilities(whole, *pairs))


@pytest.mark.parametrize("balance", ["uncertainty", "gradnorm", "upgrad"])
def test_balances_weigh_its_terms(little: World, balance: str) -> None:
    facts = made(without(little, "click", "d1"), steps=30, balance=balance).facts
    assert set(facts["losses"]) == {"rank", "ctr", "ctcvr", "cvr"}


@pytest.mark.parametrize(
    "wrong", [{"rank": -1.0}, {"chain": 0.0}, {"click": "view"}, {"purchase": "click"}, {"steps": 0}]
)
def test_options_that_mean_nothing_are_refused(little: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        made(little, **wrong)
