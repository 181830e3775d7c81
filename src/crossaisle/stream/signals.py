"""Signals: the numbers that each visit gives to the detectors of drift."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from ..data.world import World
from ..metrics import Doubles
from ..recommender import Recommender
from .prequential import Exam, history_for


class Seen(NamedTuple):
    """One number of one visit."""

    signal: str
    at: datetime
    value: float


def mix_of(world: World) -> Doubles:
    """(domains,) how many bits of surprise an event of each domain carries: −log2 of its share, add-one smoothed."""
    met = np.bincount(world.interactions["domain"].to_numpy(), minlength=len(world.domains)) + 1.0
    bits: Doubles = -np.log2(met / met.sum())
    return bits


def inputs(world: World, rows: pl.DataFrame, shop: Recommender, bits: Doubles) -> Iterator[Seen]:
    """Of each visit in `rows`, in the order of time: items and people that `shop` has not met, domains, prices.

    Args:
        world: gives the ids of codes.
        rows: coded events.
        shop: what is served.
        bits: from `mix_of`; domains beyond its end are as surprising as the rarest.
    """
    counts = shop.history.counts
    met = np.append(np.asarray(counts.sum(axis=0)).ravel() > 0, False)
    known = met[shop.item_ids.encode(world.item_ids.ids.gather(rows["item"]))]
    surprise = np.append(bits, bits.max())[np.minimum(rows["domain"].to_numpy(), len(bits))]
    told = rows.with_columns(strange=pl.Series(~known), bits=pl.Series(surprise))
    price = pl.col("price").cast(pl.Float64)  # in which no mean of prices is infinite
    visits = told.group_by("user", pl.col("timestamp").dt.date().alias("day")).agg(
        at=pl.col("timestamp").max(),
        unknown_items=pl.col("strange").mean(),
        domain_mix=pl.col("bits").mean(),
        price_level=price.filter((price > 0) & price.is_finite()).mean().log10(),
    )
    visits = visits.sort("at", "user")
    came = np.append(np.diff(counts.indptr) > 0, False)
    people = came[shop.user_ids.encode(world.user_ids.ids.gather(visits["user"]))]
    visits = visits.with_columns(unknown_people=pl.Series(~people).cast(pl.Float64))
    for name in ("unknown_items", "unknown_people", "domain_mix", "price_level"):
        for at, value in visits.select("at", name).drop_nulls().iter_rows():
            yield Seen(name, at, value)


def answers(shop: Recommender, exam: Exam, quality: Doubles, at: datetime) -> Iterator[Seen]:
    """Of each person of the exam: how far the best score stands out, and how good the list was.

    Args:
        shop: what is served.
        exam: who was asked.
        quality: (n,) nDCG of each.
        at: when.
    """
    if not len(exam):
        return
    scores = shop.scorer.score(history_for(shop, exam))
    spread = np.maximum(scores.std(axis=1), 1e-12)
    for value in ((scores.max(axis=1) - scores.mean(axis=1)) / spread).tolist():
        yield Seen("top_score", at, float(value))
    for value in quality.tolist():
        yield Seen("quality", at, float(value))
