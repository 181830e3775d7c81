"""The plug-in point of transfer methods: one function, one frozen options dataclass, one decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..encoders.content import told_of
from ..errors import MethodError
from ..models.base import Base, item_rows
from ..recommender import Recommender
from ..registry import Registry
from ..types import Need
from .problem import Problem

Cost = Literal["low", "medium", "high"]
"""Class of training time on the demo with two cores: seconds, up to two minutes, up to fifteen."""
Fit = Callable[[Base | None, Problem, Any], Recommender]


@dataclass(frozen=True)
class TransferMethod:
    """A registered transfer method.

    Attributes:
        name: how users call it.
        fit: ``(Base | None, Problem, options) → Recommender``.
        options: frozen dataclass of its options.
        paper: the paper or formula it implements.
        needs: what data must have; checked before training.
        wants: what it also uses where it is there; nobody is refused for lacking it.
        when: when to use it.
        cost: class of its training time.
        control: True for the yardsticks that use no knowledge from other domains.
        random: True when the seed changes the result.
        additive: True when scores are exact sums over what a person had, see `types.Explains`.
    """

    name: str
    fit: Fit
    options: type
    paper: str
    needs: tuple[Need, ...] = ()
    control: bool = False
    random: bool = False
    summary: str = ""
    wants: tuple[Need, ...] = ()
    when: str = ""
    cost: Cost = "medium"
    additive: bool = False

    @property
    def reads_base(self) -> bool:
        """Whether a base is worth making for it."""
        return "base" in (*self.needs, *self.wants)


METHODS: Registry[TransferMethod] = Registry("transfer method", "crossaisle.transfer")


@dataclass(frozen=True)
class NoOptions:
    """For methods without options."""

    _: None = field(default=None, repr=False)


def transfer(  # noqa: PLR0913
    name: str,
    *,
    options: type = NoOptions,
    paper: str,
    when: str = "",
    cost: Cost = "medium",
    needs: tuple[Need, ...] = (),
    wants: tuple[Need, ...] = (),
    control: bool = False,
    random: bool = False,
    additive: bool = False,
) -> Callable[[Fit], Fit]:
    """Register the decorated function as transfer method `name` (see `TransferMethod`)."""

    def wrap(fit: Fit) -> Fit:
        summary = (fit.__doc__ or "").strip().split("\n")[0]
        made = TransferMethod(name, fit, options, paper, needs, control, random, summary, wants, when, cost, additive)
        METHODS.add(name, made)
        return fit

    return wrap


def check_needs(method: TransferMethod, base: Base | None, problem: Problem) -> None:
    """Refuse in one sentence, before training, a method whose needs the problem does not meet.

    Raises:
        MethodError: naming the missing need and what to do.
    """
    world = problem.world
    met: dict[str, Callable[[], bool]] = {
        "base": lambda: base is not None,
        "item_content": lambda: _told(problem) or (method.reads_base and _known(base, problem)),
        "target_interactions": lambda: len(problem.target_rows) > 0,
        "warm_items": lambda: bool(np.isin(problem.visible["item"].unique().to_numpy(), problem.catalogue).any()),
        "overlapping_users": lambda: _overlap(problem, "user"),
        "overlapping_items": lambda: _overlap(problem, "item"),
        "timestamps": lambda: world.timed,
        "several_sources": lambda: len(problem.sources) > 1,
    }
    remedy = {
        "base": "fuse one first (`crossaisle fuse`, or fuse(...) in Python).",
        "item_content": "give its items titles, prices or attributes, or choose a method without this need.",
        "target_interactions": "show some weeks of the target, or choose zero_shot.",
        "warm_items": "show some weeks of the target, add sources that sell the same items, or choose zero_shot.",
        "overlapping_users": "choose a method without this need.",
        "overlapping_items": "choose a method without this need.",
        "timestamps": "add a `timestamp` column, or choose a split without time.",
        "several_sources": "name at least two source domains.",
    }
    for need in (n for n in met if n in method.needs):  # in this order: without sales nobody is on both sides either
        if not met[need]():
            raise MethodError(
                f"method {method.name!r} needs {need}, which {problem.target!r} lacks here: {remedy[need]}"
            )


def _told(problem: Problem) -> bool:
    """Whether any item of the catalogue has a title, price or attribute."""
    return bool(told_of(problem.world.content[problem.catalogue.tolist()]).any())


def _known(base: Base | None, problem: Problem) -> bool:
    """Whether the base knows any item of the catalogue by its id."""
    return base is not None and bool(base.reader.known(item_rows(problem.world)[problem.catalogue.tolist()]).any())


def _overlap(problem: Problem, column: str) -> bool:
    """Whether a visible row of the target and one of a source have the same user or item."""
    target = problem.target_rows[column].unique()
    sources = problem.visible.filter(problem.visible["domain"] != problem.domain_codes[-1])[column]
    return bool(target.is_in(sources.unique().implode()).any())
