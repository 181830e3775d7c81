"""Worlds where what people like in the target follows by a known map from what they like elsewhere."""

from __future__ import annotations

import numpy as np
import polars as pl

from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.rng import generator
from crossaisle.transfer.problem import Problem

TASTES, PEOPLE, ITEMS, EVENTS, COLD = 3, 600, 60, 20, 5
"""One of `COLD` people has nothing of the target that is visible; the others are asked for nothing."""


def planted(personal: bool, seed: int = 0) -> Problem:
    """Taste in the target is A · taste elsewhere for a rotation A; where `personal`, it is −A · taste for half of them.

    Which half somebody is of is told by three in ten events elsewhere, of items that only one half has.
    """
    draw = generator(seed, "planted")
    turn = np.linalg.qr(draw.normal(size=(TASTES, TASTES)))[0]
    tastes = _unit(draw.normal(size=(PEOPLE, TASTES)))
    half = draw.integers(0, 2, PEOPLE)
    sign = np.where(half == 1, -1.0, 1.0) if personal else np.ones(PEOPLE)
    there, here = (_unit(draw.normal(size=(ITEMS, TASTES))) for _ in range(2))
    rows: list[tuple[str, str, str]] = []
    for person in range(PEOPLE):
        badges = [f"badge{half[person]}{n}" for n in draw.choice(10, 6, replace=False)]
        rows += [(f"u{person}", b, "there") for b in badges]
        rows += [(f"u{person}", f"x{i}", "there") for i in _bought(there @ tastes[person], draw)]
        rows += [(f"u{person}", f"y{i}", "here") for i in _bought(here @ turn @ tastes[person] * sign[person], draw)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain"], orient="row")
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")))
    cold = world.user_ids.encode(pl.Series([f"u{p}" for p in range(0, PEOPLE, COLD)]))
    asked = pl.col("user").is_in(cold.tolist()) & (pl.col("domain") == world.domain_code("here"))
    all_rows = world.interactions
    split = Split(all_rows.filter(~asked), all_rows.clear(), all_rows.filter(asked), all_rows.clear(), "planted")
    return Problem(world, "here", ("there",), split, world.catalogue("here"), seed)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _bought(liking: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    chance = np.exp(4.0 * liking)
    return draw.choice(len(liking), EVENTS, replace=False, p=chance / chance.sum())
