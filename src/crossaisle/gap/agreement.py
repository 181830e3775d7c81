"""Do two tables agree about who is like whom? The same question of shared people and of shared items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ..models.profile import rarity_of, unit_rows, weigh
from ..types import Codes
from .sides import Ground, Side, in_order
from .words import NONE, Doubles, Found, affinity, spread, upper

PERMUTATIONS = 100


@dataclass(frozen=True, eq=False)
class Likeness:
    """Cosines of n rows in one table.

    Attributes:
        cosines: (n, n) float64, diagonal 0.
        near: (n, k) the k most alike of each row.
        valid: (n,) whether it has k with a cosine above 0.
    """

    cosines: Doubles
    near: Codes
    valid: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: sp.csr_matrix, neighbours: int) -> Likeness:
        """Rows of 0 and 1, columns weighted by their rarity log(rows / rows of the column)."""
        table = _packed(table)
        unit = unit_rows(weigh(table, rarity_of(table)))
        cosines = np.asarray((unit @ unit.T).toarray(), dtype=np.float64)
        np.fill_diagonal(cosines, 0.0)
        k = min(neighbours, max(len(cosines) - 1, 1))
        near = np.argpartition(-cosines, k - 1, axis=1)[:, :k].astype(np.int64)
        return cls(cosines, near, np.take_along_axis(cosines, near, axis=1).min(axis=1, initial=np.inf) > 0)


def _packed(table: sp.csr_matrix) -> sp.csr_matrix:
    """`table` without its empty columns: a few hundred rows fill few of a million."""
    used, place = np.unique(table.indices, return_inverse=True)
    return sp.csr_matrix((table.data, place, table.indptr), (table.shape[0], len(used)))


Tables = Callable[[Side, Side], tuple[sp.csr_matrix, sp.csr_matrix] | None]
"""Two sides → the same rows (shared people, or shared items) as 0 and 1 on either; None where they are too few."""


def agreement(
    ground: Ground, names: tuple[str, str], source: Side, target: Side, tables: Tables, enough: bool
) -> list[Found]:
    """`lift` from source to target and `correlation`, called `names`; own is what the target's halves give."""

    def alike(a: Side, b: Side) -> tuple[Likeness, Likeness] | None:
        pair = tables(a, b)
        return None if pair is None else (Likeness.of(pair[0], k), Likeness.of(pair[1], k))

    def own() -> tuple[float, float]:
        pair, draw = alike(*target.halves), ground.draw(*names, "own", target.name)
        return (NONE, NONE) if pair is None else (lift("", *pair, draw, 1).value, correlation("", *pair, draw, 1).value)

    def directed() -> tuple[Found, Found] | None:
        pair = ground.between(a, b, names, lambda: alike(a, b))
        if pair is None:
            return None
        draw = ground.draw(names[0], source.name, target.name)
        lifted = lift(names[0], *(pair if a is source else pair[::-1]), draw, resamples)
        draw = ground.draw(names[1], a.name, b.name)
        return lifted, ground.between(a, b, names[1], lambda: correlation(names[1], *pair, draw, resamples))

    k, resamples, (a, b) = ground.options.neighbours, ground.options.resamples, in_order(source, target)
    found = ground.once((*names, source.name, target.name), directed)
    if found is None:
        return [affinity(Found(n), NONE, NONE, False) for n in names]
    lifted, tied = found
    own_lift, own_tie = ground.once((*names, "own", target.name), own)
    return [affinity(lifted, own_lift, 1.0, enough), affinity(tied, own_tie, 0.0, enough)]


def lift(name: str, source: Likeness, target: Likeness, draw: np.random.Generator, resamples: int) -> Found:
    """How much more alike in the target the nearest rows of the source are than any two rows: 1 is chance.

    Σ_u mean over the k nearest v of u in the source of cos_T(u, v) / Σ_u mean over all v ≠ u of cos_T(u, v), over rows
    u that have k neighbours. The interval draws rows anew; the null gives the rows of the target to others at random.
    """
    rows = np.flatnonzero(source.valid)
    if len(rows) < 2:
        return Found(name)
    near, seen = source.near[rows], target.cosines
    there = seen[rows[:, None], near].mean(axis=1)
    all_of = seen.sum(axis=1) / (len(seen) - 1)
    if all_of[rows].sum() <= 0:
        return Found(name)
    value = float(there.sum() / all_of[rows].sum())
    weights = draw.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), resamples)
    again = (weights @ there) / np.maximum(weights @ all_of[rows], 1e-12)
    mixed = []
    for _ in range(PERMUTATIONS):
        other = draw.permutation(len(seen))
        mixed.append(seen[other[rows][:, None], other[near]].mean(axis=1).sum() / max(all_of[other[rows]].sum(), 1e-12))
    found = spread(name, value, again, least=0.0)
    return Found(name, value, found.low, found.high, upper(np.array(mixed)))


def correlation(name: str, a: Likeness, b: Likeness, draw: np.random.Generator, resamples: int) -> Found:
    """Pearson correlation of the cosines of all pairs (Mantel 1967), rows drawn anew for the interval."""
    n = len(a.cosines)
    if n < 3:
        return Found(name)
    tables = (a.cosines, b.cosines, a.cosines**2, b.cosines**2, a.cosines * b.cosines)

    def of(weights: Doubles) -> Doubles:
        pairs = np.maximum(weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1), 1e-12)
        x, y, xx, yy, xy = (((weights @ t) * weights).sum(axis=1) / pairs for t in tables)
        scale = np.sqrt(np.maximum(xx - x * x, 0.0) * np.maximum(yy - y * y, 0.0))
        made: Doubles = np.where(scale > 1e-12, (xy - x * y) / np.maximum(scale, 1e-12), NONE)
        return made

    value = float(of(np.ones((1, n)))[0])
    few = min(resamples, 50)
    return spread(name, value, of(draw.multinomial(n, np.full(n, 1 / n), few).astype(np.float64)), least=-1.0)
