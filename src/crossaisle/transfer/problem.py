"""Problem: one question put to every method alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.split import Split
from ..data.world import World
from ..types import Codes, History


@dataclass(frozen=True)
class Problem:
    """World + target + sources + what of the target may be seen + seed.

    Attributes:
        world: all domains.
        target: the domain to be launched.
        sources: the domains whose knowledge may be used.
        split: what is visible (`split.train`), what selects (`valid`) and what is asked (`test`).
        catalogue: (n,) sorted item codes that are ranked; columns of every score matrix follow this order.
        seed: of everything random.
        weeks: how long the target has been open (None where the split has no weeks).
    """

    world: World
    target: str
    sources: tuple[str, ...]
    split: Split
    catalogue: Codes
    seed: int = 0
    weeks: float | None = None

    @cached_property
    def domain_codes(self) -> tuple[int, ...]:
        """Codes of the sources, then the target."""
        return tuple(self.world.domain_code(d) for d in (*self.sources, self.target))

    @cached_property
    def visible(self) -> pl.DataFrame:
        """Training rows of the sources and the target."""
        return self.split.train.filter(pl.col("domain").is_in(list(self.domain_codes)))

    @cached_property
    def target_rows(self) -> pl.DataFrame:
        """Training rows of the target alone."""
        return self.visible.filter(pl.col("domain") == self.domain_codes[-1])

    @cached_property
    def history(self) -> History:
        """History of every user of the World (rows = user codes) as of the end of training."""
        return history_of(self.visible, self.world.n_users, self.world.n_items, self.split.cut)

    @cached_property
    def target_counts(self) -> sp.csr_matrix:
        """(users, catalogue) visible interactions of the target."""
        return count_matrix(self.target_rows, self.world.n_users, self.world.n_items)[:, self.catalogue]

    def history_for(self, users: Codes) -> History:
        """The rows of `history` for `users` (codes, −1 gives an empty row)."""
        return self.history.take(users)


def count_matrix(rows: pl.DataFrame, n_users: int, n_items: int) -> sp.csr_matrix:
    """(n_users, n_items) CSR float32 of how often each pair occurs in coded `rows`."""
    ones = np.ones(len(rows), dtype=np.float32)
    pairs = (rows["user"].to_numpy(), rows["item"].to_numpy())
    matrix = sp.coo_matrix((ones, pairs), shape=(n_users, n_items)).tocsr()
    matrix.sum_duplicates()
    return matrix


def history_of(rows: pl.DataFrame, n_users: int, n_items: int, now: object = None) -> History:
    """History of all users from coded `rows`; `now` defaults to the latest time in them."""
    end = now if now is not None else rows["timestamp"].max()
    age = (pl.lit(end, dtype=pl.Datetime("us")) - pl.col("timestamp")).dt.total_seconds() / 86400.0
    pairs = (
        rows.group_by("user", "item")
        .agg(count=pl.len(), age=age.min().fill_null(0.0).clip(lower_bound=0.0))
        .sort("user", "item")
    )
    index = (pairs["user"].to_numpy(), pairs["item"].to_numpy())
    counts = sp.coo_matrix((pairs["count"].to_numpy().astype(np.float32), index), (n_users, n_items)).tocsr()
    return History(counts, pairs["age"].to_numpy().astype(np.float32), np.arange(n_users, dtype=np.int64))


def default_sources(world: World, target: str, sources: Sequence[str] = ()) -> tuple[str, ...]:
    """`sources`, or every other domain of the World."""
    names = tuple(sources) or tuple(d for d in world.domains.ids.to_list() if d != target)
    for name in (target, *names):
        world.domain_code(name)
    return tuple(n for n in names if n != target)
