"""Features of a stack's trees: what the parts say of an item, how known it is, how much is known of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..types import Codes, Floats, History
from .problem import Problem

_KINDS = 16
VIEWS = 3
"""Blocks of features that have one column for each part: standardised, raw, and places."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of items and people beside scores.

    Attributes:
        items: (catalogue, 2 + d) log(1 + people) in the target, in all visible domains, and for each of the d pairs of
            domain and event that the catalogue has, where there are several (at most `_KINDS`).
        catalogue: (catalogue,) item codes.
    """

    items: Floats
    catalogue: Codes

    @classmethod
    def of(cls, problem: Problem) -> Facts:
        """Counted in what is visible."""
        here = np.asarray((problem.target_counts > 0).sum(axis=0)).ravel()
        everywhere = np.asarray((problem.history.counts[:, problem.catalogue] > 0).sum(axis=0)).ravel()
        counts = np.stack([here, everywhere, *_kinds(problem)], axis=1)
        return cls(np.log1p(counts).astype(np.float32), problem.catalogue)

    def known(self, history: History) -> Codes:
        """(n,) distinct items of the catalogue."""
        counted: Codes = np.diff(history.counts[:, self.catalogue].indptr).astype(np.int64)
        return counted

    def people(self, history: History) -> Floats:
        """(n, 2) log(1 + distinct items) of the catalogue and of everything else."""
        inside = self.known(history)
        outside = np.diff(history.counts.indptr) - inside
        found: Floats = np.log1p(np.stack([inside, outside], axis=1)).astype(np.float32)
        return found


def _kinds(problem: Problem) -> list[Codes]:
    """(catalogue,) people of each item for every pair of domain and event, where there are several."""
    warm = problem.visible.filter(pl.col("item").is_in(pl.Series(problem.catalogue).implode()))
    kinds = sorted(warm.select("domain", "event").unique().rows())
    found = []
    for domain, event in kinds if len(kinds) > 1 else ():
        rows = warm.filter((pl.col("domain") == domain) & (pl.col("event") == event)).select("user", "item").unique()
        found.append(np.bincount(rows["item"].to_numpy(), minlength=problem.world.n_items)[problem.catalogue])
    return found[:_KINDS]


def features_of(
    raw: Sequence[Floats], standard: Sequence[Floats], facts: Facts, history: History, rows: Codes, columns: Codes
) -> Floats:
    """(n, m, f): each part's standardised scores, raw scores and places, the item's counts, the person's two counts.

    Args:
        raw: (b, catalogue) scores of each part.
        standard: the same, standardised over the catalogue.
        facts: counts.
        history: of the b people.
        rows: (n,) rows of `raw`.
        columns: (n, m) columns of `raw`.
    """
    person = np.broadcast_to(facts.people(history)[rows][:, None, :], (*columns.shape, 2))
    places = np.stack([places_at(r, rows, columns) for r in raw], axis=2)
    parts = [picked(standard, rows, columns), picked(raw, rows, columns), places, facts.items[columns], person]
    return np.concatenate(parts, axis=2).astype(np.float32)


def places_at(scores: Floats, rows: Codes, columns: Codes) -> Floats:
    """(n, m) places, 0 the best, that (b, catalogue) scores give `columns` (n, m) in `rows` (n,); ties: their mean."""
    ordered, found = np.sort(scores, axis=1), np.empty(columns.shape, dtype=np.float32)
    for number, (row, mine) in enumerate(zip(rows, columns, strict=True)):
        values = scores[row, mine]
        below, not_above = (np.searchsorted(ordered[row], values, side) for side in ("left", "right"))
        found[number] = scores.shape[1] - (below + not_above + 1) / 2
    return found


def picked(scores: Sequence[Floats], rows: Codes, columns: Codes) -> Floats:
    """(n, m, parts) of (b, catalogue) scores at `rows` (n,) and `columns` (n, m)."""
    return np.stack([s[rows[:, None], columns] for s in scores], axis=2).astype(np.float32)
