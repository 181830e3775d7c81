"""Every registered transfer method keeps the contract; methods added later join by being registered."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import crossaisle.api  # noqa: F401  registers the methods
from crossaisle.config import build
from crossaisle.errors import MethodError
from crossaisle.models.base import Base
from crossaisle.testing import CHECKS, Case, case, check_transfer, tiny_base, tiny_problem
from crossaisle.testing_world import MORE, tiny_world
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.zero_shot import base_of

NO_TEXT = {"text": ""}
FEW_STEPS = {"steps": 40, "batch": 32, "negatives": 64, "sample": 32}
QUICK: dict[str, dict[str, Any]] = {
    "auto": {"explainable": True},
    "target_only": {"first_steps": 30, "steps": 40, "content": NO_TEXT},
    "finetune": {"steps": 80},
    "probe": {"steps": 80},
    "lora": {"steps": 80},
    "adapter": {"steps": 80},
    "shared_bottom": {"steps": 40},
    "anil": {"steps": 20},
    "maml": {"steps": 20},
    "meta_embedding": {"steps": 20},
    **dict.fromkeys(("cdan", "coral", "dann", "mmd", "ot", "wdgrl"), FEW_STEPS),
    "sequence": {"steps": 30, "content": NO_TEXT},
    "diffusion": {"steps": 40, "hidden": (16,)},
    "lightgcn": {"steps": 60},
    "warm_cold": {"content": NO_TEXT},
    "blend": {"part_options": {"als": {"scope": "all"}, "shared_bottom": {"steps": 40}}},
}
"""Options that take time off, by method; the others run as they are."""


@cache
def base() -> Base:
    return tiny_base(tiny_problem())


@cache
def base_of_four() -> Base:
    return tiny_base(tiny_problem(tiny_world(more=MORE)))


@cache
def made(name: str) -> Case:
    options: Any = build(METHODS.get(name).options, QUICK.get(name, {}))
    return case(name, options, lambda problem: base() if len(problem.sources) == 2 else base_of_four())


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", METHODS.names())
def test_contract(name: str, check: str) -> None:
    CHECKS[check](made(name))


@pytest.mark.parametrize("name", [n for n, m in METHODS if "base" in m.needs])
def test_a_base_is_not_taken_for_granted(name: str) -> None:
    problem: Problem = made(name).problem
    with pytest.raises(MethodError, match="fuse one first"):
        METHODS.get(name).fit(None, problem, made(name).options)


def test_a_base_is_passed_on() -> None:
    assert base_of(base()) is base()


def test_unknown_methods_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(MethodError, match="popularity"):
        check_transfer("popularty")
