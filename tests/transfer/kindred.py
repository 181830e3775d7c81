"""Worlds of many small domains that differ in one known way, so that how to learn a new one can be learned."""

from __future__ import annotations

import numpy as np
import polars as pl

from crossaisle.api import fuse
from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.evaluate.bases import source_world
from crossaisle.models.base import Base
from crossaisle.rng import generator
from crossaisle.transfer.problem import Problem

TASTES, PEOPLE, EARLY, ITEMS, EVENTS = 3, 500, 200, 60, 10


def kindred(shots: float, seed: int = 0, kin: bool = True, domains: int = 9, alike: bool = False) -> Problem:
    """``d0`` opens with `shots` (person, item) pairs per item, of the first `EARLY` people; the others are asked.

    Items are three numbers, and a fashion that nothing tells. People shop in about half of the other domains. Where
    domains are `kin`, people have one taste in the numbers, and each domain looks at it in its own way: of each part
    of the taste more or less, or the contrary; where they are `alike` as well, all look in one way. Otherwise tastes
    in one domain tell nothing of those in another.
    """
    draw = generator(seed, "kindred")
    tastes, rows, items = draw.normal(size=(PEOPLE, TASTES)), [], []
    for domain in range(domains):
        told = draw.normal(size=(ITEMS, TASTES))
        look = np.ones(TASTES) if alike else draw.choice([-1, 1], TASTES) * draw.uniform(0.7, 1.5, TASTES)
        seen = tastes * look if kin else 1.1 * draw.normal(size=(PEOPLE, TASTES))
        liking = seen @ told.T + 0.7 * draw.normal(size=ITEMS)
        chance = np.exp(liking - liking.max(axis=1, keepdims=True))
        for person in np.flatnonzero(draw.random(PEOPLE) < (0.5 if domain else 1.0)):
            had = draw.choice(ITEMS, EVENTS, replace=False, p=chance[person] / chance[person].sum())
            rows += [(f"u{person:03d}", f"d{domain}i{i:02d}", f"d{domain}") for i in had]
        items += [(f"d{domain}i{i:02d}", f"d{domain}", *told[i]) for i in range(ITEMS)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain"], orient="row")
    content = pl.DataFrame(items, schema=["item_id", "domain", *(f"n{k}" for k in range(TASTES))], orient="row")
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")), content, name="kindred")
    return _opened(world, shots, seed, draw)


def _opened(world: World, shots: float, seed: int, draw: np.random.Generator) -> Problem:
    early = pl.col("user").is_in(world.user_ids.encode(pl.Series([f"u{p:03d}" for p in range(EARLY)])).tolist())
    of_target, known = pl.col("domain") == world.domain_code("d0"), world.interactions
    launch = known.filter(of_target & early)
    shown = launch[np.sort(draw.permutation(len(launch))[: round(shots * ITEMS)]).tolist()]
    asked = known.filter(of_target & ~early)
    split = Split(pl.concat([known.filter(~of_target), shown]), known.clear(), asked, known.clear(), "kindred")
    sources = tuple(d for d in world.domains.ids.to_list() if d != "d0")
    return Problem(world, "d0", sources, split, world.catalogue("d0"), seed)


def base_of(problem: Problem, steps: int = 500) -> Base:
    """A base of the sources."""
    return fuse(
        source_world(problem), problem.sources, seed=problem.seed, steps=steps, batch=128, dim=16, hidden=32,
        collaborative=16, content={"text": ""}, rate=5e-3,
    )  # fmt: skip
