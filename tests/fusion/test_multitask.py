"""Every fusion of tasks takes every balance; its bases are saved, resumed and carried over like any other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from crossaisle.api import fuse
from crossaisle.config import build
from crossaisle.errors import ConfigError, MethodError
from crossaisle.fusion.method import FUSIONS
from crossaisle.models.base import Base
from crossaisle.progress import showing
from crossaisle.recommender import Recommender
from crossaisle.testing_world import tiny_problem, tiny_shown, tiny_world
from crossaisle.train.balance import BALANCES
from crossaisle.train.checkpoint import keeping
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.network import NetworkScorer

SMALL: dict[str, Any] = {
    "batch": 16, "negatives": 16, "dim": 4, "hidden": 8, "collaborative": 4, "content": {"text": ""},
}  # fmt: skip
SOURCES = ("tea", "coffee")
DESIGNS = ("shared_bottom", "mmoe", "ple", "star")
RANKS = {"rank/tea/purchase", "rank/coffee/purchase"}


@cache
def fused(method: str, balance: str = "sum", steps: int = 30) -> Base:
    return fuse(tiny_world(), SOURCES, method=method, balance=balance, steps=steps, **SMALL)


def same(one: Base, other: Base) -> bool:
    return one.weights.keys() == other.weights.keys() and all(
        torch.equal(t, other.weights[n]) for n, t in one.weights.items()
    )


@pytest.mark.parametrize("balance", BALANCES.names())
@pytest.mark.parametrize("method", DESIGNS)
def test_every_fusion_takes_every_balance(method: str, balance: str) -> None:
    base = fused(method, balance)
    assert base.facts["losses"].keys() == ({"rank"} if balance == "sum" else RANKS)
    assert base.facts.get("balance", "sum") == balance
    assert all(torch.isfinite(t).all() for t in base.weights.values())
    assert same(base, fuse(tiny_world(), SOURCES, method=method, balance=balance, steps=30, **SMALL))
    if balance != "sum":
        assert not same(base, fused(method))


TERMS: dict[str, dict[str, Any]] = {
    "contrastive": {},
    "distil": {"teacher_options": {"steps": 5, **SMALL}},
    "esmm": {},
}
"""Fusions whose step has several terms, with options that keep them short."""


@cache
def weighed(method: str, balance: str) -> Base:
    return fuse(tiny_shown(), SOURCES, method=method, balance=balance, steps=3, **TERMS[method], **SMALL)


@pytest.mark.parametrize("balance", BALANCES.names())
@pytest.mark.parametrize("method", TERMS)
def test_every_balance_weighs_the_terms_of_a_step_as_well(method: str, balance: str) -> None:
    made, plain = weighed(method, balance), weighed(method, "sum")
    assert made.facts["losses"].keys() == plain.facts["losses"].keys() != {"rank"}
    assert made.facts.get("balance", "sum") == balance
    assert all(torch.isfinite(t).all() for t in made.weights.values())
    assert same(made, weighed.__wrapped__(method, balance))
    if balance != "sum":
        assert not same(made, plain)


def test_no_fusion_is_left_out() -> None:
    assert {*DESIGNS, *TERMS} == {name for name, m in FUSIONS if m.fit.__module__.startswith("crossaisle.")}


class Interrupt(Exception):
    pass


@pytest.mark.parametrize(
    ("method", "balance"),
    [("ple", "gradnorm"), ("star", "pcgrad")],
)
def test_interrupted_and_run_again_gives_the_same_base(method: str, balance: str, tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        if done == 202:
            raise Interrupt

    options = {"method": method, "balance": balance, "steps": 203, **SMALL}
    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        fuse(tiny_world(), SOURCES, **options)
    steps: list[int] = []
    with keeping(tmp_path), showing(lambda task, done, total: steps.append(done)):
        resumed = fuse(tiny_world(), SOURCES, **options)
    assert steps[0] == 201
    assert same(resumed, fused(method, balance, 203))
    assert resumed.facts["losses"] == fused(method, balance, 203).facts["losses"]


QUICK: dict[str, dict[str, Any]] = {"finetune": {"steps": 80}, "probe": {"steps": 80}, "shared_bottom": {"steps": 20}}


@pytest.mark.parametrize("transfer", ["zero_shot", "probe", "finetune", "shared_bottom"])
@pytest.mark.parametrize("method", DESIGNS)
def test_every_transfer_takes_a_base_of_any_design_saved_or_not(method: str, transfer: str, tmp_path: Path) -> None:
    problem, base, chosen = tiny_problem(), fused(method), METHODS.get(transfer)
    base.save(tmp_path / "base")
    loaded = Base.load(tmp_path / "base")
    assert loaded.sizes == base.sizes
    options: Any = build(chosen.options, QUICK.get(transfer, {}))
    made = [chosen.fit(b, problem, options) for b in (base, loaded)]
    scores = [m.scorer.score(problem.history) for m in made]
    assert np.isfinite(scores[0]).all()
    assert np.array_equal(*scores)
    made[0].save(tmp_path / "made")
    assert np.array_equal(Recommender.load(tmp_path / "made").scorer.score(problem.history), scores[0])
    scorer = made[0].scorer
    assert isinstance(scorer, NetworkScorer)
    assert scorer.tasks == len(base.tasks) + (transfer != "zero_shot")


def test_an_untrained_head_of_the_target_answers_as_the_shared_one() -> None:
    for method in DESIGNS:
        network = fused(method).network()
        users = torch.randn(4, fused(method).sizes.profile), torch.zeros(4, 0, dtype=torch.int64)
        assert torch.equal(network.grown().eval().users(*users, 3)[0], network.users(*users, 0)[0])


def test_a_step_sees_a_few_of_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], int]] = []

    def make(names: Any) -> Any:
        assert set(names) == {"rank/tea/purchase", "rank/coffee/purchase", "rank/cake/purchase"}

        def noted(terms: Any, parameters: list[nn.Parameter]) -> None:
            seen.append((set(terms), len(parameters)))
            BALANCES.get("sum").make(names)(terms, parameters)

        return noted

    old = BALANCES.get("upgrad")
    monkeypatch.setitem(BALANCES._items, "noted", type(old)("noted", make, "", "", ""))
    base = fuse(tiny_world(), balance="noted", tasks_a_step=2, steps=12, **SMALL)
    assert {len(names) for names, _ in seen} == {2}
    assert set().union(*(names for names, _ in seen)) == base.facts["losses"].keys()
    assert seen[0][1] == len(list(base.network().parameters()))


def test_own_experts_are_those_of_the_fused_tasks() -> None:
    assert fused("ple").sizes.own == 2
    assert fused("mmoe").sizes.own == 0
    assert fuse(tiny_world(), SOURCES, method="mmoe", experts=3, steps=2, **SMALL).sizes.experts == 3


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"balance": "pcgrd"}, MethodError, "unknown balance 'pcgrd': did you mean 'pcgrad'"),
        ({"balance": 3}, ConfigError, "balance is 3; str is needed"),
        ({"experts": 1}, ConfigError, "experts must be at least 2"),
        ({"expert": 3}, ConfigError, "did you mean 'experts'"),
        ({"tasks_a_step": 1}, ConfigError, "tasks_a_step must be at least 2"),
        ({"steps": 0}, ConfigError, "steps, batch"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(options: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        fuse(tiny_world(), SOURCES, method="mmoe", **SMALL | options)
    assert "\n" not in str(caught.value)
