"""From a fitted scorer to the Recommender that answers people."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from ..data.world import World
from ..recommender import Recommender
from ..types import Scorer
from .method import TransferMethod
from .problem import Problem


def kind_of(method: TransferMethod, options: Any) -> Literal["control", "transfer"]:
    """Whether a method with these options is a yardstick, which reads the target alone, or carries knowledge over.

    An option `scope` decides where there is one; without it, what the method says, unless it needs a base.
    """
    scope = getattr(options, "scope", None)
    if scope is not None:
        return "control" if scope == "target" else "transfer"
    return "control" if method.control and "base" not in method.needs else "transfer"


def recommender_for(problem: Problem, method: str, scorer: Scorer, **facts: Any) -> Recommender:
    """The Recommender of `scorer` on `problem`: with ids, histories at the end of training, and shelf."""
    world = problem.world
    return Recommender(
        method=method,
        domain=problem.target,
        scorer=scorer,
        catalogue=problem.catalogue,
        user_ids=world.user_ids,
        item_ids=world.item_ids,
        history=problem.history,
        items=world.content.select("title", "brand", "category", "price").with_columns(domains=domains_of(world)),
        facts={"data": world.fingerprint, **facts},
    )


def domains_of(world: World) -> pl.Series:
    """(items,) names of the domains that list or sell each item, in order of their codes."""
    names = pl.DataFrame({"domain": np.arange(len(world.domains)), "name": world.domains.ids})
    every = pl.DataFrame({"item": np.arange(world.n_items)})
    pairs = world.listed.cast(pl.Int64).join(names, on="domain").sort("item", "domain")
    named = pairs.group_by("item", maintain_order=True).agg(domains=pl.col("name"))
    return every.join(named, on="item", how="left", maintain_order="left")["domains"]
