"""The tiny World of the contract suite: three shops, four tastes, eighty people, one seed."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import polars as pl

from .data.split import Split
from .data.world import World
from .rng import generator
from .transfer.problem import Problem

DOMAINS = ("tea", "coffee", "cake")
MORE = ("juice", "bread")
"""Two further shops, for methods to learn from four."""
TASTES = ("green", "dark", "fruity", "plain")
USERS, ITEMS, WEEKS, LATE = 80, 24, 16, 12
START = datetime(2024, 1, 1)
_FIRST = ((2, "view"), (1, "click"))
"""Minutes before a purchase, and what happened then."""


def tiny_world(seed: int = 0, more: tuple[str, ...] = ()) -> World:
    """80 people of four tastes buy in three shops of 24 items over 16 weeks, mostly to their taste.

    Two items are sold as both tea and coffee and one as both coffee and cake. The first ten people buy no
    cake. Titles name the taste, so content tells what the logs tell. `more` names further shops, which share no item.
    """
    bought, items = _frames(seed, (*DOMAINS, *more))
    return World.from_frames(bought, items, name="tiny")


def tiny_shown(seed: int = 0) -> World:
    """`tiny_world` with what came before: all that was bought was seen and clicked, as many items were seen alone."""
    bought, items = _frames(seed, DOMAINS)
    last = [
        bought.with_columns(pl.col("timestamp") - pl.duration(minutes=m), event=pl.lit(e), price=None)
        for m, e in _FIRST
    ]
    alone = last[0].with_columns(pl.col("item_id").shift(-1).over("domain")).drop_nulls("item_id")
    return World.from_frames(pl.concat([bought, *last, alone]), items, name="tiny shown")


def _frames(seed: int, domains: tuple[str, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Purchases and items of `tiny_world`."""
    draw = generator(seed, "tiny")
    rows = []
    for domain in domains:
        for user in range(10 if domain == "cake" else 0, USERS):
            for _ in range(int(draw.integers(4, 9))):
                taste = user % 4 if draw.random() < 0.85 else int(draw.integers(4))
                item = 4 * min(int(draw.exponential(2.0)), ITEMS // 4 - 1) + taste
                minute = int(draw.integers(WEEKS * 7 * 24 * 60))
                rows.append((f"u{user:02d}", _name(domain, item), domain, START + timedelta(minutes=minute)))
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    items = pl.DataFrame(
        [
            (_name(domain, i), domain, f"{TASTES[i % 4]} {domain} no {i // 4}", f"brand {i % 3}", 1.0 + i // 4)
            for domain in domains
            for i in range(ITEMS)
        ],
        schema=["item_id", "domain", "title", "brand", "price"],
        orient="row",
    )
    return frame.with_columns(event=pl.lit("purchase"), price=pl.lit(1.0)), items


def tiny_problem(world: World | None = None, weeks: float = 6.0, seed: int = 0) -> Problem:
    """Launch `cake` with `weeks` weeks visible; the last four weeks are asked.

    The last tenth of the visible target rows is `valid`, older rows of the target are `hidden`.
    """
    world = tiny_world() if world is None else world
    cut = START + timedelta(weeks=LATE)
    opened = cut - timedelta(weeks=weeks)
    rows = world.interactions.sort("timestamp", maintain_order=True)
    of_target = pl.col("domain") == world.domain_code("cake")
    known = rows.filter(pl.col("timestamp") < cut)
    target = known.filter(of_target & (pl.col("timestamp") >= opened))
    kept = int(len(target) * 0.9)
    split = Split(
        train=pl.concat([known.filter(~of_target), target[:kept]]),
        valid=target[kept:],
        test=rows.filter(of_target & (pl.col("timestamp") >= cut)),
        hidden=known.filter(of_target & (pl.col("timestamp") < opened)),
        kind="launch",
        cut=cut,
    )
    sources = tuple(d for d in (*DOMAINS, *MORE) if d in world.domains and d != "cake")
    return Problem(world, "cake", sources, split, world.catalogue("cake"), seed, weeks)


def without(problem: Problem, need: str) -> Problem:
    """`problem` with one need of `types.Need` (all but ``base`` and ``exposures``) taken away."""
    world, split = problem.world, problem.split
    of_target = pl.col("domain") == world.domain_code(problem.target)
    if need == "target_interactions":
        return dataclasses.replace(problem, split=dataclasses.replace(split, train=split.train.filter(~of_target)))
    if need == "warm_items":
        warm = pl.col("item").is_in(pl.Series(problem.catalogue).implode())
        return dataclasses.replace(problem, split=dataclasses.replace(split, train=split.train.filter(~warm)))
    if need == "several_sources":
        return dataclasses.replace(problem, sources=problem.sources[:1])
    if need == "overlapping_users":
        buyers = pl.concat([split.test, split.valid, split.train.filter(of_target)])["user"].unique()
        apart = split.train.filter(of_target | ~pl.col("user").is_in(buyers.implode()))
        return dataclasses.replace(problem, split=dataclasses.replace(split, train=apart))
    if need == "overlapping_items":
        apart = split.train.filter(of_target | ~pl.col("item").is_in(pl.Series(problem.catalogue).implode()))
        return dataclasses.replace(problem, split=dataclasses.replace(split, train=apart))
    if need == "timestamps":
        return dataclasses.replace(problem, world=_untimed(world))
    if need == "item_content":
        return dataclasses.replace(problem, world=_bare(world))
    raise ValueError(f"no rule to take {need!r} away")


def sources_without(world: World, need: str) -> World:
    """`world` with one of `fusion.needs.POSSIBLE` (all but ``several_sources``) taken away from its domains."""
    rows, code, among = world.interactions, pl.col("domain").cast(pl.Int64), len(world.domains)
    if need == "exposures":
        return dataclasses.replace(world, interactions=rows.filter(pl.col("event") == world.events.code("purchase")))
    if need == "overlapping_users":
        return dataclasses.replace(world, interactions=rows.filter(pl.col("user") % among == code))
    if need == "overlapping_items":
        homes = world.listed.group_by("item").len().filter(pl.col("len") > 1)["item"].implode()
        kept = ~pl.col("item").is_in(homes)
        return dataclasses.replace(world, interactions=rows.filter(kept), items=world.items.filter(kept))
    if need == "timestamps":
        return _untimed(world)
    if need == "item_content":
        return _bare(world)
    raise ValueError(f"no rule to take {need!r} away")


def _untimed(world: World) -> World:
    none = world.interactions.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("timestamp"))
    return dataclasses.replace(world, interactions=none)


def _bare(world: World) -> World:
    texts = [c for c in ("title", "description", "brand", "category", "price", "image") if c in world.items.columns]
    bare = world.items.with_columns([pl.lit(None, dtype=world.items[c].dtype).alias(c) for c in texts])
    return dataclasses.replace(world, items=bare)


def _name(domain: str, item: int) -> str:
    """Item id; the shared ones have one id in two shops."""
    shared = {("coffee", 20): "tea20", ("coffee", 21): "tea21", ("cake", 22): "coffee22"}
    return shared.get((domain, item), f"{domain}{item:02d}")
