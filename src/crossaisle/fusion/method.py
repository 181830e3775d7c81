"""The plug-in point of fusion methods: one function, one frozen options dataclass, one decorator."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..data.world import World
from ..models.base import Base
from ..registry import Registry
from ..types import Need
from .needs import POSSIBLE, check_needs

Fit = Callable[[World, tuple[str, ...], Any, int], Base]
"""``(World that holds visible rows only, source domains, options, seed) → Base``."""


@dataclass(frozen=True)
class FusionMethod:
    """A registered fusion method.

    Attributes:
        name: how users call it.
        fit: see `Fit`; it refuses sources that do not meet `needs` before it trains.
        options: frozen dataclass of its options.
        paper: the paper or formula it implements.
        summary: first line of its docstring.
        when: when to use it.
        cost: class of its training time, as of a transfer method.
        needs: what the sources must have, of `needs.POSSIBLE`.
    """

    name: str
    fit: Fit
    options: type
    paper: str
    summary: str = ""
    when: str = ""
    cost: str = "medium"
    needs: tuple[Need, ...] = ()


FUSIONS: Registry[FusionMethod] = Registry("fusion method", "crossaisle.fusion")


def fusion(
    name: str, *, options: type, paper: str, when: str = "", cost: str = "medium", needs: tuple[Need, ...] = ()
) -> Callable[[Fit], Fit]:
    """Register the decorated function as fusion method `name` (see `FusionMethod`).

    Raises:
        ValueError: needs that no fusion can have, which is a programming error.
    """
    if foreign := set(needs) - set(POSSIBLE):
        raise ValueError(f"fusion {name!r} states needs {sorted(foreign)}; it can have {', '.join(POSSIBLE)}")

    def wrap(fit: Fit) -> Fit:
        @functools.wraps(fit)
        def checked(world: World, sources: tuple[str, ...], options: Any, seed: int) -> Base:
            check_needs(method, world, sources, options)
            return fit(world, sources, options, seed)

        summary = (fit.__doc__ or "").strip().split("\n")[0]
        method = FusionMethod(name, checked, options, paper, summary, when, cost, needs)
        FUSIONS.add(name, method)
        return checked

    return wrap
