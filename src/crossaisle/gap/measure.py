"""All families put together: World and visible rows → GapReport."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from .. import __version__
from ..data.world import World
from ..errors import DataError, MethodError
from ..models.base import Base
from ..progress import tick, ticking
from .alignment import alignment
from .behaviour import behaviour
from .content import content, discrepancy
from .items import items
from .people import elsewhere, people
from .popularity import popularity
from .price import price
from .report import Aligned, DomainFacts, Family, GapReport, Measure
from .sides import ALL, LEAST, GapOptions, Ground, Side
from .transferability import transferability
from .vectors import Items, sampled, told_items
from .words import Found

_TASK = "measure the gap"


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        sources: domains that knowledge comes from.
        targets: domains that it goes to.
        base: its heads are scored as well; None without.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    base: Base | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Source and target of what is compared, both directions of two domains next to each other."""
        return sorted(((s, t) for t in self.targets for s in self.sources_of(t)), key=sorted)

    @property
    def domains(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.targets, *self.sources)))

    def sources_of(self, target: str) -> tuple[str, ...]:
        """The sources without the target."""
        return tuple(s for s in self.sources if s != target)


def measured(world: World, rows: pl.DataFrame, asked: Asked, options: GapOptions, seed: int = 0) -> GapReport:
    """Measure every source against every target, and all sources together against it.

    Args:
        world: all domains.
        rows: interactions that may be seen.
        asked: what is measured.
        options: how closely.
        seed: of everything random.

    Raises:
        DataError: fewer than two domains.
        MethodError: the base was fused on other items.
    """
    if len(asked.domains) < 2:
        raise DataError(f"{world.name} has the domain {asked.domains[0]!r} alone; a gap needs at least two domains.")
    start, ground = time.perf_counter(), Ground(world, rows, options, seed)
    sides = {n: Side.of(n, world, rows, (n,)) for n in asked.domains}
    read, spent = _items(ground, sides, asked), _Spent()
    found = list(_measures(ground, read, sides, asked, spent))
    aligned, lacking = _aligned(ground, read, asked)
    told = told_items(ground)
    facts = tuple(
        DomainFacts(s.name, len(s.rows), len(s.people), len(s.catalogue), int(told[s.catalogue].sum()))
        for s in sides.values()
    )
    protocol = {"fingerprint": world.fingerprint, "content": read.how, "options": asdict(options), "seed": seed}
    warnings = (*_warnings(facts, asked, read, world), *lacking)
    environment = _environment(time.perf_counter() - start, spent.seconds)
    return GapReport(world.name, protocol, facts, tuple(found), tuple(aligned), environment, warnings)


def _together(target: str) -> str:
    """Name of all sources of a target as one side."""
    return f"{ALL} but {target}"


def _items(ground: Ground, sides: Mapping[str, Side], asked: Asked) -> Items:
    several = {_together(t): asked.sources_of(t) for t in asked.targets if len(asked.sources_of(t)) > 1}
    tick(f"{_TASK}: items", 0, 0)
    return sampled(ground, list(sides.values()), several)


class _Spent:
    """Seconds by family."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def run(self, family: str, find: Callable[[], list[Found]]) -> list[Found]:
        """What `find` gives; its time is added to the family's."""
        start = time.perf_counter()
        made = find()
        self.seconds[family] += time.perf_counter() - start
        return made


def _measures(ground: Ground, read: Items, sides: Mapping[str, Side], asked: Asked, spent: _Spent) -> Iterator[Measure]:
    together = [t for t in asked.targets if len(asked.sources_of(t)) > 1]
    steps = ticking(_TASK, asked.pairs, len(asked.pairs) + len(together))
    pairs = {(s, t): list(_pair(ground, read, (sides[s], sides[t]), asked, spent)) for s, t in steps}
    for number, name in enumerate(asked.targets):
        target, names = sides[name], asked.sources_of(name)
        for source in names:
            yield from pairs[source, name]
            if target.rows.is_empty():
                others = [sides[n] for n in names]
                yield elsewhere(ground, sides[source], others).of(source, name, "users")
        if len(names) > 1:
            every = Side.of(_together(name), ground.world, ground.rows, names)
            yield from _pair(ground, read, (every, target), asked, spent)
            tick(_TASK, len(pairs) + number + 1, len(pairs) + len(together))
    yield from _among_sources(ground, read, sides, asked, spent)


def _pair(ground: Ground, read: Items, pair: tuple[Side, Side], asked: Asked, spent: _Spent) -> Iterator[Measure]:
    source, target = pair
    shown = source.name if source.name in asked.sources else ALL
    families: dict[Family, Callable[[], list[Found]]] = {
        "content": lambda: content(ground, read, source, target),
        "users": lambda: people(ground, source, target),
        "items": lambda: items(ground, source, target),
        "popularity": lambda: popularity(ground, source, target),
        "price": lambda: price(ground, source, target),
        "behaviour": lambda: behaviour(ground, source, target),
    }
    if (base := asked.base) is not None:
        families["transferability"] = lambda: transferability(ground, base, source, target, asked.sources)
    for family, find in families.items():
        for found in spent.run(family, find):
            yield found.of(shown, target.name, family)


def _among_sources(
    ground: Ground, read: Items, sides: Mapping[str, Side], asked: Asked, spent: _Spent
) -> Iterator[Measure]:
    """``mmd`` of two sources, for the map of all domains; no words, as neither is the target."""
    alone = [sides[n] for n in asked.sources if n not in asked.targets]
    for a, b in combinations(alone, 2):
        for found in spent.run("content", lambda a=a, b=b: [discrepancy(ground, read, a, b)]):  # type: ignore[misc]
            yield found.of(a.name, b.name, "content")
            yield found.of(b.name, a.name, "content")


def _aligned(ground: Ground, read: Items, asked: Asked) -> tuple[list[Aligned], list[str]]:
    try:
        return [r for t in asked.targets for r in alignment(ground, read, asked.sources_of(t), t)], []
    except MethodError as error:
        return [], [f"Categories are not aligned: {error}"]


def _warnings(facts: Sequence[DomainFacts], asked: Asked, read: Items, world: World) -> Iterator[str]:
    if read.note:
        yield read.note
    if read.how == "nothing":
        yield "No item has a title or an attribute: content is not compared; add such columns to items."
    for f in facts:
        if f.users == 0:
            more = "its users are known only when it opens" if f.domain in asked.targets else "it can tell nothing"
            yield f"{f.domain} has no visible interactions: it is compared by content and price alone, and {more}."
        elif f.users < LEAST:
            yield f"{f.domain} has {f.users} visible users, fewer than {LEAST}: too little to say about people."
        if read.how != "nothing" and f.told == 0:
            yield f"No item of {f.domain} has a title or an attribute: its content is not compared."
    if not world.timed:
        yield "Not every interaction has a time: behaviour is not compared."


def _environment(seconds: float, spent: Mapping[str, float]) -> dict[str, Any]:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": np.__version__,
        "polars": pl.__version__,
        "seconds": round(seconds, 2),
        "seconds_by_family": {n: round(s, 2) for n, s in spent.items()},
        "peak_mb": round(most / (1e6 if sys.platform == "darwin" else 1e3), 1),
    }
