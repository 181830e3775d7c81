"""A side of a comparison: what may be seen of one domain, or of several taken together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.world import World
from ..errors import ConfigError
from ..rng import generator
from ..transfer.problem import count_matrix
from ..types import Codes

ALL = "*"
"""Name of all sources taken together."""
LEAST = 30
"""Fewer people or items than this are too few to say anything: a share has an interval of ±0.18 then."""
T = TypeVar("T")


@dataclass(frozen=True)
class GapOptions:
    """How closely domains are measured."""

    items: int = 800
    """Items drawn of each catalogue, every item alike likely."""
    people: int = 600
    """Shared users, or shared items, drawn for measures of agreement."""
    permutations: int = 200
    """Draws of what two samples of one domain would give."""
    resamples: int = 200
    """Draws of an interval."""
    neighbours: int = 10
    """Nearest people, or items, that measures of agreement look at."""
    text: str = "minilm"
    """Text model of titles; ``""``, or one that is not installed, compares the words themselves."""

    def __post_init__(self) -> None:
        """Refuse numbers that measure nothing."""
        for name in ("items", "people"):
            if getattr(self, name) < LEAST:
                raise ConfigError(f"{name} is {getattr(self, name)}; a whole number of at least {LEAST} is needed.")
        for name in ("permutations", "resamples"):
            if getattr(self, name) < 20:
                raise ConfigError(f"{name} is {getattr(self, name)}; a whole number of at least 20 is needed.")
        if self.neighbours < 1:
            raise ConfigError(f"neighbours is {self.neighbours}; a whole number of at least 1 is needed.")


@dataclass(frozen=True, eq=False)
class Side:
    """One domain, or several.

    Attributes:
        name: of the domain, or ``*``.
        rows: visible interactions, coded.
        catalogue: (n,) sorted item codes.
        codes: of the domains.
        users: number of users of the World.
        items: number of items of the World.
    """

    name: str
    rows: pl.DataFrame
    catalogue: Codes
    codes: tuple[int, ...]
    users: int
    items: int

    @classmethod
    def of(cls, name: str, world: World, rows: pl.DataFrame, domains: Sequence[str]) -> Self:
        """The `domains` of `world` as one side called `name`; `rows` may be seen."""
        codes = tuple(world.domain_code(d) for d in domains)
        own = rows.filter(pl.col("domain").is_in(codes))
        listed = np.unique(np.concatenate([np.zeros(0, np.int64), *(world.catalogue(d) for d in domains)]))
        return cls(name, own, listed, codes, world.n_users, world.n_items)

    @cached_property
    def held(self) -> sp.csr_matrix:
        """(users, items) CSR float32, 1 where somebody had something."""
        made = count_matrix(self.rows, self.users, self.items)
        made.data[:] = 1.0
        return made

    @cached_property
    def columns(self) -> sp.csc_matrix:
        """`held` by columns."""
        return self.held.tocsc()

    @cached_property
    def activity(self) -> Codes:
        """(users,) visible events of each user."""
        return np.bincount(self.rows["user"].to_numpy(), minlength=self.users)

    @cached_property
    def sales(self) -> Codes:
        """(items,) visible events of each item."""
        return np.bincount(self.rows["item"].to_numpy(), minlength=self.items)

    @cached_property
    def people(self) -> Codes:
        """Sorted codes of the users that are seen here."""
        return np.flatnonzero(self.activity)

    @cached_property
    def sold(self) -> Codes:
        """Sorted codes of the items that are seen here."""
        return np.flatnonzero(self.sales)

    @cached_property
    def halves(self) -> tuple[Side, Side]:
        """Its rows in two random halves: what another sample of the same domain is like."""
        half = generator(0, "halves", self.name).permutation(len(self.rows)) % 2 == 0
        parts = (self.rows.filter(pl.Series(side)) for side in (half, ~half))
        first, second = (Side(self.name, r, self.catalogue, self.codes, self.users, self.items) for r in parts)
        return first, second


@dataclass(frozen=True, eq=False)
class Ground:
    """What all measures share.

    Attributes:
        world: all domains.
        rows: visible interactions of all of them.
        options: how closely.
        seed: of everything random.
        kept: what was found once, by its key.
    """

    world: World
    rows: pl.DataFrame
    options: GapOptions
    seed: int
    kept: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, find: Callable[[], T]) -> T:
        """What `find` gives, found at the first call with `key` only."""
        if key not in self.kept:
            self.kept[key] = find()
        found: T = self.kept[key]
        return found

    def since(self, target: Side) -> datetime | None:
        """First day of the target; None where not every event has a time, or the target has none."""
        first = target.rows["timestamp"].min() if self.world.timed else None
        return datetime(first.year, first.month, first.day) if isinstance(first, datetime) else None

    def window(self, source: Side, target: Side) -> Side:
        """The source since the target's first day: what has been open for four weeks is compared with four weeks.

        The whole source where there is no such day.
        """
        since = self.since(target)
        if since is None:
            return source
        late = source.rows["timestamp"] >= since
        if late.all():
            return source
        return self.once(("window", source.name, since), lambda: replace(source, rows=source.rows.filter(late)))

    def draw(self, *names: str) -> np.random.Generator:
        """Generator of its own for `names`."""
        return generator(self.seed, "gap", *names)


def in_order(one: Side, other: Side) -> tuple[Side, Side]:
    """Both by name, so that what is symmetric is computed once, with the same draws."""
    return (one, other) if one.name <= other.name else (other, one)


def some(codes: Codes, most: int, draw: np.random.Generator) -> Codes:
    """At most `most` of `codes`, every one alike likely, sorted."""
    return codes if len(codes) <= most else np.sort(draw.choice(codes, most, replace=False))
