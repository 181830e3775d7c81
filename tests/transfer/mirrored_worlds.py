"""Worlds where the target sells other shares of each kind than the sources: to make sides alike is to make them wrong.

One column more tells the target from the sources, and nothing else, so that towers that want to can take them apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.rng import generator
from crossaisle.transfer.problem import Problem

PEOPLE, ITEMS, EVENTS, MOST, TARGET = 300, 80, 10, 0.85, "d1"


def mirrored(mirror: bool = True, seed: int = 0) -> Problem:
    """The first day of `d1`. Items are of two kinds, and people like one of them and not the other, everywhere.

    In the sources `MOST` items are of the first kind; where `mirror`, so many of the target's are of the second. What
    is told of a kind is the same everywhere. So the base needs no alignment, and one that makes both sides alike must
    take the kinds for each other: the label conflict of Zhao et al. 2019, arXiv:1901.09453, with kinds for labels.
    """
    draw = generator(seed, "mirrored")
    taste, kinds = draw.choice([-1.0, 1.0], (PEOPLE, 1)), {}
    for domain in ("d0", TARGET, "d2"):
        share = 1 - MOST if mirror and domain == TARGET else MOST
        kinds[domain] = draw.permutation(np.where(np.arange(ITEMS) < round(share * ITEMS), 1.0, -1.0))[:, None]
    return _opened(1.5 * taste, kinds, seed, draw)


def halved(seed: int = 0) -> Problem:
    """The first day of `d1`. Items are ±1 in each of two columns, and so are tastes; in the target the first is +1."""
    draw = generator(seed, "halved")
    tastes, kinds = draw.choice([-1.0, 1.0], (PEOPLE, 2)), {}
    for domain in ("d0", TARGET, "d2"):
        first, second = (draw.permutation(np.resize([1.0, -1.0], ITEMS)) for _ in range(2))
        kinds[domain] = np.column_stack([np.ones(ITEMS) if domain == TARGET else first, second])
    return _opened(tastes * [2.0, 1.0], kinds, seed, draw)


def _opened(tastes: np.ndarray, kinds: Mapping[str, np.ndarray], seed: int, draw: np.random.Generator) -> Problem:
    rows, items = [], []
    for domain, true in kinds.items():
        chance = np.exp(tastes @ true.T)
        for person in range(PEOPLE):
            had = draw.choice(ITEMS, EVENTS, replace=False, p=chance[person] / chance[person].sum())
            rows += [(f"u{person:03d}", f"{domain}i{i:02d}", domain) for i in had]
        place = 3.0 * (domain == TARGET) + draw.normal(size=ITEMS)
        told = np.column_stack([true + 0.3 * draw.normal(size=true.shape), place])
        items += [(f"{domain}i{i:02d}", domain, *told[i]) for i in range(ITEMS)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain"], orient="row")
    columns = [f"n{k}" for k in range(tastes.shape[1] + 1)]
    content = pl.DataFrame(items, schema=["item_id", "domain", *columns], orient="row")
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")), content, name="mirrored")
    every, asked = world.interactions, pl.col("domain") == world.domain_code(TARGET)
    split = Split(every.filter(~asked), every.clear(), every.filter(asked), every.clear(), "mirrored")
    return Problem(world, TARGET, ("d0", "d2"), split, world.catalogue(TARGET), seed)
