"""A side of a comparison: what may be seen of one domain, or of several taken together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from ..data.world import World
from ..errors import ConfigError
from ..rng import generator
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
class Tally:
    """How often what occurs.

    Attributes:
        codes: (n,) sorted, each once.
        times: (n,) how often.
    """

    codes: Codes
    times: Codes

    @classmethod
    def counted(cls, codes: npt.NDArray[np.integer], least: int = 0) -> Self:
        """Count `codes` (m,), those below `least` left out."""
        found, times = np.unique(codes[codes >= least] if least else codes, return_counts=True)
        return cls(found.astype(np.int64), times)

    def of(self, codes: Codes) -> Codes:
        """How often each of `codes`, all of which occur."""
        found: Codes = self.times[np.searchsorted(self.codes, codes)]
        return found


@dataclass(frozen=True, eq=False)
class Side:
    """One domain, or several.

    Attributes:
        name: of the domain, or ``*``.
        rows: visible interactions, coded: ``user``, ``item``, ``timestamp``.
        catalogue: (n,) sorted item codes.
        codes: of the domains.
        users: number of users of the World.
        items: number of items of the World.
        since: earlier rows were left out; None: none were.
    """

    name: str
    rows: pl.DataFrame
    catalogue: Codes
    codes: tuple[int, ...]
    users: int
    items: int
    since: datetime | None = None

    @classmethod
    def of(cls, name: str, world: World, rows: pl.DataFrame, domains: Sequence[str]) -> Self:
        """The `domains` of `world` as one side called `name`; `rows` may be seen."""
        codes = tuple(world.domain_code(d) for d in domains)
        within = pl.col("domain").is_in(codes)
        own = rows.lazy().filter(within).select("user", "item", "timestamp").collect()
        listed = np.zeros(world.n_items, dtype=bool)
        listed[world.listed.filter(within)["item"].to_numpy()] = True
        return cls(name, own, np.flatnonzero(listed), codes, world.n_users, world.n_items)

    def held_by(self, people: Codes) -> sp.csr_matrix:
        """(people, items) CSR float32, 1 where one of `people` (sorted user codes) had something."""
        return _table(self.rows["user"], self.rows["item"], people, self.items)

    def holders_of(self, items: Codes) -> sp.csr_matrix:
        """(items, users) CSR float32, 1 where one of `items` (sorted item codes) was had by somebody."""
        return _table(self.rows["item"], self.rows["user"], items, self.users)

    @cached_property
    def activity(self) -> Tally:
        """Visible events of each user."""
        return Tally.counted(self.rows["user"].to_numpy())

    @cached_property
    def sales(self) -> Tally:
        """Visible events of each item."""
        return Tally.counted(self.rows["item"].to_numpy())

    @cached_property
    def first(self) -> datetime | None:
        """Time of the first visible event; None without times."""
        found = self.rows["timestamp"].min()
        return found if isinstance(found, datetime) else None

    @property
    def people(self) -> Codes:
        """Sorted codes of the users that are seen here."""
        return self.activity.codes

    @property
    def sold(self) -> Codes:
        """Sorted codes of the items that are seen here."""
        return self.sales.codes

    @property
    def alone(self) -> bool:
        """Whether it is one domain, whole: as such it comes back in many comparisons."""
        return len(self.codes) == 1 and self.since is None

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
        pair: two sides → what is found for these two, by its key; of the latest two only.
    """

    world: World
    rows: pl.DataFrame
    options: GapOptions
    seed: int
    kept: dict[Any, Any] = field(default_factory=dict)
    pair: dict[tuple[str, str], dict[Any, Any]] = field(default_factory=dict)

    def once(self, key: Any, find: Callable[[], T]) -> T:
        """What `find` gives, found at the first call with `key` only."""
        if key not in self.kept:
            self.kept[key] = find()
        found: T = self.kept[key]
        return found

    def between(self, one: Side, other: Side, key: Any, find: Callable[[], T]) -> T:
        """What `find` gives for two sides, whichever is the source: kept until two others are compared."""
        a, b = in_order(one, other)
        if (a.name, b.name) not in self.pair:
            self.pair.clear()
        kept = self.pair.setdefault((a.name, b.name), {})
        if key not in kept:
            kept[key] = find()
        found: T = kept[key]
        return found

    def of_side(self, key: str, side: Side, find: Callable[[], T]) -> T:
        """What `find` gives for a side, found once where the side comes back."""
        return self.once((key, side.name), find) if side.alone else find()

    def both(self, one: Side, other: Side, what: Literal["people", "sold", "catalogue"]) -> Codes:
        """Sorted codes of the people, or the items sold or listed, that two sides have in common."""
        return self.between(one, other, what, lambda: common(getattr(one, what), getattr(other, what)))

    @cached_property
    def last(self) -> datetime | None:
        """Time of the last visible event of all; None without times."""
        found = self.rows["timestamp"].max()
        return found if isinstance(found, datetime) else None

    @cached_property
    def in_time(self) -> pl.DataFrame:
        """``user``, ``timestamp``, ``domain`` of all visible rows, by user and time: sorted once for all sides."""
        return self.rows.select("user", "timestamp", "domain").sort("user", "timestamp")

    def since(self, target: Side) -> datetime | None:
        """First day of the target; None where not every event has a time, or the target has none."""
        first = target.first if self.world.timed else None
        return datetime(first.year, first.month, first.day) if first else None

    def window(self, source: Side, target: Side) -> Side:
        """The source since the target's first day: what has been open for four weeks is compared with four weeks.

        The whole source where there is no such day.
        """
        since = self.since(target)
        if since is None or source.first is None or source.first >= since:
            return source
        return self.between(source, target, ("window", source.name), lambda: replace(
            source, rows=source.rows.filter(pl.col("timestamp") >= since), since=since))  # fmt: skip

    def draw(self, *names: str) -> np.random.Generator:
        """Generator of its own for `names`."""
        return generator(self.seed, "gap", *names)


def in_order(one: Side, other: Side) -> tuple[Side, Side]:
    """Both by name, so that what is symmetric is computed once, with the same draws."""
    return (one, other) if one.name <= other.name else (other, one)


def some(codes: Codes, most: int, draw: np.random.Generator) -> Codes:
    """At most `most` of `codes`, every one alike likely, sorted."""
    return codes if len(codes) <= most else np.sort(draw.choice(codes, most, replace=False))


def common(one: Codes, other: Codes) -> Codes:
    """Sorted codes that are in both `one` and `other`, sorted themselves and without doubles."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    if not len(few):
        return few
    place = np.searchsorted(many, few)
    found: Codes = few[many[np.minimum(place, len(many) - 1)] == few]
    return found


def sorted_once(codes: Codes) -> Codes:
    """`codes` sorted, each once; by sorting, which is many times as fast as the table of `numpy.unique`."""
    ordered = codes if (codes[1:] >= codes[:-1]).all() else np.sort(codes)
    kept = np.ones(len(ordered), dtype=bool)
    kept[1:] = ordered[1:] != ordered[:-1]
    found: Codes = ordered[kept]
    return found


def _table(rows: pl.Series, columns: pl.Series, wanted: Codes, width: int) -> sp.csr_matrix:
    """(wanted, width) CSR float32, 1 where a pair of `rows` (those that are `wanted`, sorted) and `columns` occurs."""
    row, column = rows.to_numpy(), columns.to_numpy()
    asked = np.zeros(int(max(row.max(initial=0), wanted.max(initial=0))) + 1, dtype=bool)
    asked[wanted] = True
    kept = np.flatnonzero(asked[row])
    index = (np.searchsorted(wanted, row[kept]), column[kept])
    made = sp.coo_matrix((np.ones(len(kept), dtype=np.float32), index), (len(wanted), width)).tocsr()
    made.data[:] = 1.0
    return made
