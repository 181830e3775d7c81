"""Overview: what a World holds, domain by domain, in numbers alone: what a recommender can say of its data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ..errors import ArtifactError
from .world import World

FACT = "overview"
"""Name among the facts of a recommender."""


@dataclass(frozen=True)
class DomainOverview:
    """One domain.

    Attributes:
        domain: its name.
        interactions: rows.
        users: distinct people in them.
        items: distinct items listed or sold.
        first: earliest time, ISO; None where no row has one.
        last: latest time.
        shared_users: people seen in the target as well; for the target its own.
        shared_items: items of the target's catalogue as well; for the target its own.
        titled: share of its items that have a title here.
        priced: share of its items that have a list price here.
    """

    domain: str
    interactions: int
    users: int
    items: int
    first: str | None
    last: str | None
    shared_users: int
    shared_items: int
    titled: float
    priced: float


@dataclass(frozen=True)
class Overview:
    """All domains, seen from one of them. It holds no id of a person or an item.

    Attributes:
        name: of the World.
        target: the domain that the others are compared with.
        users: distinct people of all domains.
        items: distinct items of all domains.
        timed: whether every interaction has a time.
        domains: the target first, then the others by interactions.
        read: table → rows read; empty where the tables did not come from files, frames or a database.
        quarantined: rows that were set aside.
        reasons: why, such as ``interactions: price is negative`` → rows; a row can have several.
    """

    name: str
    target: str
    users: int
    items: int
    timed: bool
    domains: tuple[DomainOverview, ...]
    read: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, target: str) -> Overview:
        """Count. Test rows are counted as well: this says what was read, not what was learned from.

        Raises:
            DataError: unknown domain.
        """
        code = world.domain_code(target)
        rows = sorted(_counted(world, code).iter_rows(named=True), key=lambda r: r["domain"] != target)
        facts = world.facts
        return cls(
            world.name,
            target,
            world.n_users,
            world.n_items,
            world.timed,
            tuple(DomainOverview(**row) for row in rows),
            {n.removesuffix("_read"): int(v) for n, v in facts.items() if n.endswith("_read")},
            int(facts.get("quarantined", 0)),
            dict(facts.get("quarantine_reasons", {})),
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON takes it; `from_document` reads it back."""
        return dataclasses.asdict(self) | {"domains": [dataclasses.asdict(d) for d in self.domains]}

    @classmethod
    def from_document(cls, body: Any) -> Overview:
        """The Overview of `to_document`.

        Raises:
            ArtifactError: it is none.
        """
        try:
            return cls(**{**body, "domains": tuple(DomainOverview(**d) for d in body["domains"])})
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"the overview of the data cannot be read ({error}); fit again.") from None


def fact_of(world: World, target: str) -> dict[str, Any]:
    """The fact of a recommender for `target` that was fitted on `world`."""
    return {FACT: Overview.of(world, target).to_document()}


def _counted(world: World, target: int) -> pl.DataFrame:
    """One row per domain, largest first, with the columns of `DomainOverview`."""
    seen = world.interactions.select("domain", "user").unique()
    people = _shared(seen, "user", target)
    things = _shared(world.listed, "item", target)
    said = world.items.group_by("domain").agg(
        titled=pl.col("title").is_not_null().sum(), priced=pl.col("price").is_not_null().sum()
    )
    codes = pl.DataFrame({"name": world.domains.ids}).with_row_index("domain").cast({"domain": pl.UInt16})
    found = world.summary().drop("items").join(codes, on="name", maintain_order="left")
    for part in (people, things, said):
        found = found.join(part, on="domain", how="left", maintain_order="left")
    return found.select(
        pl.col("name").alias("domain"),
        "interactions",
        "users",
        pl.col("item_all").fill_null(0).alias("items"),
        pl.col("first", "last").dt.to_string("%Y-%m-%dT%H:%M:%S"),
        pl.col("user_shared").fill_null(0).alias("shared_users"),
        pl.col("item_shared").fill_null(0).alias("shared_items"),
        *((pl.col(n) / pl.col("item_all")).fill_null(0.0).fill_nan(0.0) for n in ("titled", "priced")),
    )


def _shared(pairs: pl.DataFrame, what: str, target: int) -> pl.DataFrame:
    """``domain``, how many `what` each has, and how many of them the target has as well; `pairs` are distinct."""
    own = pairs.filter(pl.col("domain") == target)[what].unique()
    return pairs.group_by("domain").agg(
        pl.len().alias(f"{what}_all"), pl.col(what).is_in(own.implode()).sum().alias(f"{what}_shared")
    )
