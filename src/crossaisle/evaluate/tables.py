"""Tables: per-user values of all methods at one step, aligned over users and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics import Doubles
from ..types import Codes
from .cells import Cell
from .slices import Key


@dataclass(frozen=True, eq=False)
class Table:
    """Values of one slice, metric and k at one step.

    Attributes:
        users: (n,) sorted codes of all users asked under any seed.
        seeds: label → its seeds.
        values: label → (seeds, n); NaN where the split of a seed does not ask a user.
    """

    users: Codes
    seeds: Mapping[str, tuple[int, ...]]
    values: Mapping[str, Doubles]

    @property
    def labels(self) -> tuple[str, ...]:
        """Methods that ran, in the order they were asked."""
        return tuple(self.values)

    def mean_of(self, label: str) -> Doubles:
        """(n,) values averaged over seeds; NaN for users never asked of `label`."""
        values = self.values[label]
        known = ~np.isnan(values)
        number = known.sum(axis=0)
        total = np.where(known, values, 0.0).sum(axis=0)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)

    def at_seed(self, label: str, seed: int) -> Doubles:
        """(n,) values under `seed`; the average where `label` did not run under it (a method without chance)."""
        seeds = self.seeds[label]
        return self.values[label][seeds.index(seed)] if seed in seeds else self.mean_of(label)


def tables_of(cells: Sequence[Cell]) -> dict[Key, Table]:
    """All tables of the cells of one step, in the order of slices, metrics and ks."""
    ran = [c for c in cells if c.values]
    keys = dict.fromkeys(key for c in ran for key in c.values)
    return {key: _table([c for c in ran if key in c.values], key) for key in keys}


def _table(cells: Sequence[Cell], key: Key) -> Table:
    users = np.unique(np.concatenate([c.values[key].users for c in cells]))
    rows: dict[str, list[Doubles]] = {}
    seeds: dict[str, tuple[int, ...]] = {}
    for cell in cells:
        row = np.full(len(users), np.nan)
        row[np.searchsorted(users, cell.values[key].users)] = cell.values[key].values
        rows.setdefault(cell.label, []).append(row)
        seeds[cell.label] = (*seeds.get(cell.label, ()), cell.seed)
    return Table(users, seeds, {label: np.stack(r) for label, r in rows.items()})
