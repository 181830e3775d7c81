"""A tiny study, and methods that exist in tests only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from crossaisle.data.world import World
from crossaisle.evaluate import bases
from crossaisle.evaluate.spec import Study
from crossaisle.fusion.method import FUSIONS, FusionMethod
from crossaisle.rng import generator
from crossaisle.testing_world import tiny_world
from crossaisle.transfer.method import METHODS, NoOptions, TransferMethod
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import recommender_for
from crossaisle.types import Floats, History


@dataclass(frozen=True)
class Table:
    """Scores kept for every user of the World."""

    kind: ClassVar[str] = "test_table"
    scores: Floats

    def score(self, history: History) -> Floats:
        return self.scores[history.users]

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"scores": self.scores}, {}

    @classmethod
    def restore(cls, tensors: dict[str, Any], meta: dict[str, Any]) -> Table:
        return cls(tensors["scores"])


Scores = Callable[[Any, Problem], Floats]


@pytest.fixture
def add_method(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Register a method by its function ``(base, problem) → (users, catalogue) scores`` for one test."""

    def add(name: str, scores: Scores, **changes: Any) -> None:
        def fit(base: Any, problem: Problem, options: Any) -> Any:
            return recommender_for(problem, name, Table(scores(base, problem).astype(np.float32)))

        method = TransferMethod(name, fit, changes.pop("options", NoOptions), "a test", **changes)
        monkeypatch.setitem(METHODS._items, name, method)

    return add


@dataclass(frozen=True, eq=False)
class FakeBase:
    """Knows how often each item was sold in what fusion saw, and under which seed it was made."""

    sold: Any
    seed: int

    def save(self, path: Any) -> None:
        path.mkdir(parents=True)
        np.savez(path / "base.npz", sold=self.sold, seed=self.seed)

    @classmethod
    def load(cls, path: Any) -> FakeBase:
        with np.load(path / "base.npz") as arrays:
            return cls(arrays["sold"], int(arrays["seed"]))


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch, add_method: Callable[..., None]) -> list[tuple[World, int]]:
    """Registers ``test_carry``, which needs a base; gives the list of (World, seed) that were fused."""
    calls: list[tuple[World, int]] = []

    def fuse(world: World, sources: tuple[str, ...], options: Any, seed: int) -> FakeBase:
        calls.append((world, seed))
        return FakeBase(np.bincount(world.interactions["item"].to_numpy(), minlength=world.n_items), seed)

    def carry(base: FakeBase, problem: Problem) -> Floats:
        noise = generator(base.seed, "carry").random((problem.world.n_users, len(problem.catalogue)))
        return base.sold[problem.catalogue][None, :] + noise

    monkeypatch.setattr(bases, "Base", FakeBase)
    monkeypatch.setitem(FUSIONS._items, "test_fusion", FusionMethod("test_fusion", fuse, NoOptions, "a test"))
    add_method("test_carry", carry, needs=("base",))
    return calls


@pytest.fixture(scope="session")
def world() -> World:
    return tiny_world()


@pytest.fixture
def study() -> Study:
    return Study("cake", cut="2024-03-25", weeks=(0.0, 2.0, 8.0), ship="user_kernel")
