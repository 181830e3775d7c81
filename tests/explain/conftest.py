"""Recommenders of two made-up Worlds: the tiny one, and one whose people keep their taste over three domains."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import crossaisle.transfer  # noqa: F401  registers the methods
from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.synthetic import synthetic
from crossaisle.models.base import Base
from crossaisle.recommender import Recommender
from crossaisle.testing import tiny_base, tiny_problem
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem

Fitted = Callable[..., Recommender]


@cache
def _kept() -> Problem:
    world, _ = synthetic(users=150, items=60, interactions=15.0, user_overlap=1.0, strength=5.0, skew=0.3)
    rows = world.interactions
    split = Split(rows, rows.clear(), rows.clear(), rows.clear(), "all", None)
    return Problem(world, "d0", ("d1", "d2"), split, world.catalogue("d0"))


@cache
def _base(problem: Callable[[], Problem]) -> Base:
    return tiny_base(problem())


@cache
def _fitted(problem: Callable[[], Problem], method: str, options: str) -> Recommender:
    chosen = METHODS.get(method)
    base = _base(problem) if chosen.reads_base else None
    ready: Any = build(chosen.options, json.loads(options))
    return chosen.fit(base, problem(), ready)


@pytest.fixture(scope="session")
def cake() -> Fitted:
    """Method and options → a recommender of the tiny World's cakes."""
    return lambda method, **options: _fitted(tiny_problem, method, json.dumps(options))


@pytest.fixture(scope="session")
def kept() -> Fitted:
    """Method and options → a recommender of domain ``d0``, whose people have the same taste in ``d1`` and ``d2``."""
    return lambda method, **options: _fitted(_kept, method, json.dumps(options))
