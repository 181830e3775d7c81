"""Facts of items that may tell how well they sell: what they are, what stands beside them, how their kind sells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..encoders.content import Content
from ..metrics import Bools
from ..types import Codes, Doubles, Floats

_SHRINK = 5.0
"""Mean success of a kind counts as if so many items of no success were among it."""


@dataclass(frozen=True, eq=False)
class Shelves:
    """p places, each of one item on the shelf of one domain; an item may stand in several.

    Attributes:
        domain: (p,) codes of the domains.
        content: of the p items.
        numbers: (p, j) of its numeric columns, those whose rank among items of a kind may matter: price, size, …
        kinds: (p, c) codes of what several items share (brand, category, …) or several shelves (the item); 0: unknown.
    """

    domain: Codes
    content: Content
    numbers: Floats
    kinds: Codes

    def facts(self, success: Doubles, known: Codes) -> Floats:
        """(p, f) facts.

        Args:
            success: (p,) how well each sold, of mean 0 within its domain.
            known: (k,) codes of the domains whose success is known. That of an item's own domain is never read, so
                that facts of a new domain and of one that has been there for long mean the same.
        """
        columns: list[Floats | Doubles] = [self.content.numeric, self.content.text]
        rows = np.isin(self.domain, known)
        for kind in self.kinds.T:
            columns.append(_success_elsewhere(self.domain, kind, np.where(rows, success, 0.0), rows))
            group = np.unique(np.stack([self.domain, kind]), axis=1, return_inverse=True)[1].ravel()
            columns.append(_crowd(group, self.domain) * (kind > 0)[:, None])
            columns += [ranks_within(group, number)[:, None] for number in self.numbers.T]
        return np.concatenate(columns, axis=1, dtype=np.float32)


def _success_elsewhere(domain: Codes, kind: Codes, success: Doubles, known: Bools) -> Doubles:
    """(p, 2) mean success of the kind in all other known domains, shrunk to 0, and log(1 + how many items that are)."""
    shape = (int(domain.max(initial=0)) + 1, int(kind.max(initial=0)) + 1)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (domain, kind), success)
    np.add.at(counts, (domain, kind), known.astype(np.float64))
    total = sums.sum(axis=0)[kind] - sums[domain, kind]
    number = counts.sum(axis=0)[kind] - counts[domain, kind]
    found: Doubles = np.stack([total / (number + _SHRINK), np.log1p(number)], axis=1) * (kind > 0)[:, None]
    return found


def _crowd(group: Codes, domain: Codes) -> Doubles:
    """(p, 2) how many items are of the same group: their logarithm, and their share of the domain."""
    number = np.bincount(group)[group]
    found: Doubles = np.stack([np.log(number), number / np.bincount(domain)[domain]], axis=1)
    return found


def ranks_within(group: Codes, values: Floats) -> Doubles:
    """(p,) mean rank of each of `values` within its group, above 0 and below 1; ties share theirs."""
    rank = (pl.col("value").rank() - 0.5) / pl.len()
    found: Doubles = pl.DataFrame({"group": group, "value": values}).select(rank.over("group")).to_series().to_numpy()
    return found
