"""Which category of the target lies nearest which category of a source: optimal transport between their centres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..distances import plan_of
from ..types import Floats
from .content import categories_of
from .report import Aligned
from .sides import ALL, Ground
from .vectors import Items

MOST, TOP, FEWEST = 40, 3, 3


def alignment(ground: Ground, items: Items, sources: Sequence[str], target: str) -> list[Aligned]:
    """The plan from every source, and from all of them together, as rows: the best three of each target category.

    Together every source brings as much as the target takes, and what lies nowhere near may stay at no cost.

    Categories (brands where there are none) are the means of their drawn items, weighted by how many were drawn; those
    of fewer than 3 items are left out, and of more than 40 the largest stay. Cost: squared distance of the means.
    """
    ours, *theirs = (
        ground.once(("centres", name), lambda name=name: _centres(categories_of(ground, items, name)))  # type: ignore[misc]
        for name in (target, *sources)
    )
    every = dict(zip(sources, theirs, strict=True))
    together = {f"{name} / {kind}": centre for name, kinds in every.items() for kind, centre in kinds.items()}
    found = [row for name, kinds in every.items() for row in _plan(name, target, kinds, ours)]
    return found + (_plan(ALL, target, together, ours, len(sources)) if len(sources) > 1 else [])


Centres = Mapping[str, tuple[Floats, int]]


def _centres(groups: Mapping[str, Floats]) -> dict[str, tuple[Floats, int]]:
    large = sorted((g for g in groups.items() if len(g[1]) >= FEWEST), key=lambda g: (-len(g[1]), g[0]))[:MOST]
    return {kind: (vectors.mean(axis=0), len(vectors)) for kind, vectors in large}


def _plan(source: str, target: str, theirs: Centres, ours: Centres, supply: int = 1) -> list[Aligned]:
    if not theirs or not ours:
        return []
    (a, from_mass), (b, to_mass) = (
        (np.stack([c for c, _ in side.values()]).astype(np.float64), np.array([n for _, n in side.values()], float))
        for side in (theirs, ours)
    )
    cost = np.square(a[:, None, :] - b[None, :, :]).sum(axis=2)
    stay = np.hstack([cost, np.zeros((len(cost), 1))])
    takes = np.append(to_mass / to_mass.sum(), supply - 1.0) / supply
    plan = plan_of(stay, from_mass / from_mass.sum(), takes)[:, :-1]
    share = plan / plan.sum(axis=0)
    kinds, rows = list(theirs), []
    for column, kind in enumerate(ours):
        for row in np.argsort(-share[:, column], kind="stable")[:TOP]:
            if share[row, column] > 1e-9:
                rows.append(Aligned(source, target, kinds[row], kind, float(share[row, column])))
    return rows
