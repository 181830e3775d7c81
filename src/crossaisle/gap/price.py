"""Price: how far price levels and ranges are apart, once currencies are brought to one scale."""

from __future__ import annotations

import numpy as np
import polars as pl

from .resampled import Draws, compared, sliced_of
from .sides import LEAST, Ground, Side, in_order
from .words import NONE, Doubles, Found, difference, distance, spread

MOST = 1000


def price(ground: Ground, source: Side, target: Side) -> list[Found]:
    """``price_wasserstein`` (symmetric) and ``price_shift`` (signed), of log₂ prices over their currency's median."""
    ours, theirs = (log_prices(ground, side) for side in (target, source))
    if min(len(ours), len(theirs)) < 2:
        return [distance(Found(n), NONE, NONE, False) for n in ("price_wasserstein", "price_shift")]
    enough = min(len(ours), len(theirs)) >= LEAST
    a, b = in_order(source, target)
    x, y = (ours, theirs) if a is target else (theirs, ours)
    apart = ground.between(a, b, "price", lambda: line_distance(ground, "price_wasserstein", x, y, (a.name, b.name)))
    levels = [ground.of_side("price level", s, lambda p=p: float(np.median(p))) for s, p in ((a, x), (b, y))]  # type: ignore[misc]
    shift = ground.between(a, b, "price shift", lambda: spread(
        "price_shift", levels[1] - levels[0], _shifts(x, y, ground.draw("price shift", a.name, b.name))))  # fmt: skip
    shift = difference(shift if b is target else shift.turned(), enough)
    ends = (ground.of_side("price range", s, lambda p=p: middle(p)) for s, p in ((target, ours), (source, theirs)))  # type: ignore[misc]
    return [distance(apart, apart.null or 0.0, far_of(apart, *ends), enough), shift]


def _shifts(x: Doubles, y: Doubles, draw: np.random.Generator) -> Doubles:
    """(100,) median of y − median of x; at most 1,000 items drawn anew."""
    ours, theirs = (np.median(draw.choice(side, (100, min(len(side), MOST))), axis=1) for side in (y, x))
    apart: Doubles = ours - theirs
    return apart


def line_distance(ground: Ground, name: str, x: Doubles, y: Doubles, names: tuple[str, str]) -> Found:
    """Wasserstein-1 distance ∫ |F_x − F_y| of two samples of numbers, at most 1,000 drawn of each."""
    draw = ground.draw(name, *names)
    x, y = (np.sort(draw.choice(v, MOST, replace=False)) if len(v) > MOST else v for v in (x, y))
    draws = Draws.of(len(x), len(y), draw, 100, 100)
    return compared(name, sliced_of(np.concatenate([x, y])[:, None]), draws)


def middle(x: Doubles) -> tuple[float, float]:
    """Ends of the middle 95 %."""
    low, high = np.quantile(x, [0.025, 0.975])
    return float(low), float(high)


def far_of(apart: Found, one: tuple[float, float], other: tuple[float, float]) -> float:
    """Unrelated are two samples whose `middle` parts do not meet; else no distance is."""
    return apart.value if one[1] < other[0] or other[1] < one[0] else float("inf")


def log_prices(ground: Ground, side: Side) -> Doubles:
    """log₂(price / median price of its currency in the World) of the items that have a price above 0."""
    return ground.of_side("log prices", side, lambda: _of(ground, side))


def _of(ground: Ground, side: Side) -> Doubles:
    table = ground.once("prices", lambda: _table(ground))
    own = table.filter(pl.col("domain").is_in(side.codes))
    found: Doubles = own["level"].to_numpy().astype(np.float64)
    return found


def _table(ground: Ground) -> pl.DataFrame:
    """``domain``, ``item``, ``level``: list prices; where no item has one, the median price that people paid."""
    world = ground.world
    rows = world.items if world.items["price"].null_count() < len(world.items) else ground.rows
    currency = pl.col("currency") if "currency" in rows.columns else pl.lit(None, pl.String)
    priced = rows.filter(pl.col("price") > 0).with_columns(currency.cast(pl.String).fill_null("").alias("currency"))
    each = priced.group_by("domain", "item", "currency").agg(pl.col("price").cast(pl.Float64).median())
    level = (pl.col("price") / pl.col("price").median().over("currency")).log(2.0)
    return each.with_columns(level=level).sort("domain", "item", "currency")
