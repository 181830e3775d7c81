"""Launches in made-up Worlds whose truth is known, and what methods reach there."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from crossaisle.api import fuse
from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.synthetic import START
from crossaisle.data.world import World
from crossaisle.evaluate.bases import source_world
from crossaisle.evaluate.slices import evaluate_users
from crossaisle.models.base import Base
from crossaisle.recommender import Recommender
from crossaisle.transfer.method import METHODS, check_needs
from crossaisle.transfer.problem import Problem

CUT, TARGET = 20, "d1"


def launch(world: World, weeks: float, seed: int = 0) -> Problem:
    """`d1` has been open for `weeks` weeks at week 20; the rest of the year is asked."""
    cut = START + timedelta(weeks=CUT)
    rows = world.interactions
    of_target = pl.col("domain") == world.domain_code(TARGET)
    known, asked = rows.filter(pl.col("timestamp") < cut), rows.filter(of_target & (pl.col("timestamp") >= cut))
    unseen = of_target & (pl.col("timestamp") < cut - timedelta(weeks=weeks))
    split = Split(known.filter(~unseen), known.clear(), asked, known.filter(unseen), "launch", cut)
    sources = tuple(d for d in world.domains.ids.to_list() if d != TARGET)
    return Problem(world, TARGET, sources, split, world.catalogue(TARGET), seed, weeks)


@cache
def made(**options: Any) -> World:
    """A World of 3 domains; `options` as of `World.synthetic`."""
    usual = {"users": 300, "items": 80, "interactions": 15.0, "user_overlap": 1.0, "skew": 0.5}
    return World.synthetic(**usual | options)[0]


@cache
def fused(world: World, weeks: float, seed: int = 0) -> Base:
    """A base of the sources, from item attributes alone."""
    problem = launch(world, weeks, seed)
    return fuse(
        source_world(problem), problem.sources, seed=seed, steps=300, batch=128, dim=16, hidden=32, collaborative=16,
        content={"text": ""}, rate=5e-3,
    )  # fmt: skip


def fitted(problem: Problem, method: str, base: Base | None = None, **options: Any) -> Recommender:
    chosen = METHODS.get(method)
    check_needs(chosen, base, problem)
    return chosen.fit(base, problem, build(chosen.options, options))


def quality(problem: Problem, made: Recommender, of: str = "new") -> np.ndarray:
    """nDCG@10 of every asked user."""
    return np.asarray(evaluate_users(made.scorer.score, problem)[of, "ndcg", 10].values)
