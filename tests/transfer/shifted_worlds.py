"""Worlds in which tastes are shared and the target writes its items down differently; the truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from launch_worlds import TARGET

from crossaisle.data.synthetic import Truth, synthetic
from crossaisle.data.world import World
from crossaisle.rng import generator


@cache
def shifted(
    shift: float = 2.0, turn: float = 0.0, seed: int = 0, half: bool = False, **options: Any
) -> tuple[World, Truth]:
    """Items are told by `dim` numbers, e^z of their true vectors; the target writes e^(shift · s + R z).

    Column by column s is ±1: other units, such as grams for kilograms. R turns pairs of columns by `turn` right angles.
    With `half` the target has only items whose first true number is above its median, at shift 0 told as elsewhere.
    Everything else about items, whatever might give them away, is taken out.
    """
    usual = {
        "users": 300,
        "items": 200,
        "dim": 4,
        "interactions": 15.0,
        "user_overlap": 1.0,
        "skew": 0.5,
        "strength": 4.0,
    }
    world, truth = synthetic(**usual | options, seed=seed)
    draw = generator(seed, "shifted")
    numbers = truth.items + 0.1 * draw.normal(size=truth.items.shape)
    sign = draw.permutation(np.resize([1.0, -1.0], numbers.shape[1]))
    angle = turn * np.pi / 2
    rotation = np.kron(np.eye(numbers.shape[1] // 2), [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = numbers @ rotation.T + shift * sign
    codes = world.items["item"].to_numpy()
    of_target = (world.items["domain"] == world.domain_code(TARGET)).to_numpy()[:, None]
    told = np.exp(np.where(of_target, there[codes], numbers[codes]))
    columns = [pl.Series(f"size{j}", told[:, j]) for j in range(told.shape[1])]
    bare = [pl.lit(None, dtype=world.items[c].dtype).alias(c) for c in ("title", "brand", "category", "price")]
    items = world.items.with_columns(*bare, *columns)
    rows = world.interactions
    if half:
        few = np.flatnonzero(truth.items[:, 0] > np.median(truth.items[:, 0])).tolist()
        kept = (pl.col("domain") != world.domain_code(TARGET)) | pl.col("item").is_in(few)
        items, rows = items.filter(kept), rows.filter(kept)
    return replace(
        world,
        interactions=rows,
        items=items,
        fingerprint=f"shifted {shift} {turn} {seed} {half} {sorted(options.items())}",
    ), truth
