"""Worlds in which sides that are made alike are made wrong: what many sell here, few sell there."""

from __future__ import annotations

import numpy as np
import polars as pl

from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.rng import generator
from crossaisle.transfer.problem import Problem

PEOPLE, ITEMS, EVENTS, MOST, TARGET = 300, 80, 10, 0.85, "d1"


def mirrored(mirror: bool = True, seed: int = 0) -> Problem:
    """The first day of `d1`. Items are of two kinds, and people like one of them and not the other, everywhere.

    In the sources `MOST` items are of the first kind; where `mirror`, so many of the target's are of the second. One
    number tells the kind of an item, everywhere alike; another tells the target from the sources, and nothing else. So
    the base needs no alignment, and one that makes both sides alike must take the kinds for each other: the label
    conflict of Zhao et al. 2019, arXiv:1901.09453, theorem 4.3, with kinds for labels.
    """
    draw = generator(seed, "mirrored")
    taste, rows, items = draw.choice([-1.0, 1.0], PEOPLE), [], []
    for domain in ("d0", TARGET, "d2"):
        share = 1 - MOST if mirror and domain == TARGET else MOST
        kind = draw.permutation(np.where(np.arange(ITEMS) < round(share * ITEMS), 1.0, -1.0))
        chance = np.exp(1.5 * np.outer(taste, kind))
        for person in range(PEOPLE):
            had = draw.choice(ITEMS, EVENTS, replace=False, p=chance[person] / chance[person].sum())
            rows += [(f"u{person:03d}", f"{domain}i{i:02d}", domain) for i in had]
        told = kind + 0.3 * draw.normal(size=ITEMS), 3.0 * (domain == TARGET) + draw.normal(size=ITEMS)
        items += [(f"{domain}i{i:02d}", domain, told[0][i], told[1][i]) for i in range(ITEMS)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain"], orient="row")
    content = pl.DataFrame(items, schema=["item_id", "domain", "kind", "place"], orient="row")
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")), content, name="mirrored")
    every, asked = world.interactions, pl.col("domain") == world.domain_code(TARGET)
    split = Split(every.filter(~asked), every.clear(), every.filter(asked), every.clear(), "mirrored")
    return Problem(world, TARGET, ("d0", "d2"), split, world.catalogue(TARGET), seed)
