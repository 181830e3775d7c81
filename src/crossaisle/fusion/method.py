"""The plug-in point of fusion methods: one function, one frozen options dataclass, one decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..data.world import World
from ..models.base import Base
from ..registry import Registry

Fit = Callable[[World, tuple[str, ...], Any, int], Base]
"""``(World that holds visible rows only, source domains, options, seed) → Base``."""


@dataclass(frozen=True)
class FusionMethod:
    """A registered fusion method.

    Attributes:
        name: how users call it.
        fit: see `Fit`.
        options: frozen dataclass of its options.
        paper: the paper or formula it implements.
        summary: first line of its docstring.
        when: when to use it.
        cost: class of its training time, as of a transfer method.
    """

    name: str
    fit: Fit
    options: type
    paper: str
    summary: str = ""
    when: str = ""
    cost: str = "medium"


FUSIONS: Registry[FusionMethod] = Registry("fusion method", "crossaisle.fusion")


def fusion(name: str, *, options: type, paper: str, when: str = "", cost: str = "medium") -> Callable[[Fit], Fit]:
    """Register the decorated function as fusion method `name` (see `FusionMethod`)."""

    def wrap(fit: Fit) -> Fit:
        summary = (fit.__doc__ or "").strip().split("\n")[0]
        FUSIONS.add(name, FusionMethod(name, fit, options, paper, summary, when, cost))
        return fit

    return wrap
