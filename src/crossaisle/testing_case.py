"""One method on one tiny problem, for the contract suite."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from .encoders.content import ContentOptions
from .fusion import shared_bottom
from .fusion.shared_bottom import SharedBottomOptions
from .models.base import Base
from .recommender import Recommender
from .testing_world import tiny_problem
from .transfer.method import METHODS, TransferMethod, check_needs
from .transfer.problem import Problem
from .types import Floats, History

MakeBase = Callable[[Problem], Base]


@dataclass(frozen=True, eq=False)
class Case:
    """One method on one tiny problem.

    Attributes:
        method: the method under test.
        options: its options.
        problem: from `tiny_problem` unless given.
        base: for methods that read one.
        make_base: gives the base of another problem.
    """

    method: TransferMethod
    options: Any
    problem: Problem
    base: Base | None = None
    make_base: MakeBase | None = None

    @cached_property
    def recommender(self) -> Recommender:
        """The fitted recommender, fitted once."""
        return self.fit(self.problem)

    def fit(self, problem: Problem) -> Recommender:
        """Check needs and fit on `problem`."""
        check_needs(self.method, self.base, problem)
        return self.method.fit(self.base, problem, self.options)

    @property
    def history(self) -> History:
        """Histories of all users of the World."""
        return self.problem.history

    @cached_property
    def scores(self) -> Floats:
        """(users, catalogue) scores of `recommender`."""
        scores: Floats = self.recommender.scorer.score(self.history)
        return scores


def case(name: str, options: Any = None, base: MakeBase | None = None, problem: Problem | None = None) -> Case:
    """The Case of method `name`.

    Args:
        name: as registered.
        options: default options when None.
        base: makes a Base from the problem, for methods that read one; `tiny_base` when None.
        problem: `tiny_problem()` when None.

    Raises:
        MethodError: for an unknown name.
    """
    method = METHODS.get(name)
    asked = problem if problem is not None else tiny_problem()
    make = base or tiny_base
    made = make(asked) if method.reads_base else None
    return Case(method, options if options is not None else method.options(), asked, made, make)


def tiny_base(problem: Problem) -> Base:
    """A small `shared_bottom` base of the problem's sources that reads no text, so that no text model is needed."""
    rows = problem.visible.filter(pl.col("domain") != problem.domain_codes[-1])
    options = SharedBottomOptions(
        steps=60, batch=64, dim=16, hidden=32, collaborative=8, rate=1e-2, content=ContentOptions(text="")
    )
    world = dataclasses.replace(problem.world, interactions=rows)
    return shared_bottom.fit(world, problem.sources, options, problem.seed)
