"""Behaviour: how long people wait, how often they repeat, and whether both domains meet in one basket.

All is measured since the target's first visible day: a target that has been open for four weeks can show no pause of
five, and is compared with four weeks of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from ..types import Codes
from .price import far_of, line_distance, middle
from .sides import LEAST, Ground, Side, common, sorted_once
from .words import NONE, Doubles, Found, Z, affinity, around, difference, distance, share

DAY = 86_400e6
SHIFT = 1 << 20
NONE_SEEN = 3.689
"""Upper end of the 95 % interval of a Poisson mean of which nothing was seen: −log 0.025."""
NAMES = ("pause_wasserstein", "repeat_shift", "basket_lift", "basket_share")


def behaviour(ground: Ground, source: Side, target: Side) -> list[Found]:
    """``pause_wasserstein``, ``repeat_shift``, ``basket_lift`` and ``basket_share``; NaN without times."""
    since, seen = ground.since(target), ground.window(source, target)
    if since is None or ground.last is None or seen.rows.is_empty():
        return [distance(Found(n), NONE, NONE, False) for n in NAMES]
    enough = min(len(source.people), len(target.people)) >= LEAST
    there, here = (ground.of_side("habits", s, lambda s=s: Habits.of(ground, s)) for s in (seen, target))  # type: ignore[misc]
    met = ground.between(source, target, ("met", seen.since), lambda: common(there.baskets, here.baskets))
    days = (ground.last - since).days + 1
    own = ground.once(("own basket", target.name), lambda: _own(target.rows, days))
    shift = here.repeats[0] - there.repeats[0], float(np.hypot(there.repeats[1], here.repeats[1]))
    return [
        _pauses(ground, there, here, source, target),
        difference(around("repeat_shift", *shift), enough),
        affinity(lift_of(there.baskets, here.baskets, met, days), own, 1.0, enough),
        share("basket_share", len(met), len(here.baskets)),
    ]


@dataclass(frozen=True, eq=False)
class Habits:
    """What people of one side do, whomever it is compared with.

    Attributes:
        pauses: see `pauses`.
        usual: ends of the middle 95 % of them; NaN without any.
        repeats: see `repeat_rate`.
        baskets: see `baskets`.
    """

    pauses: Doubles
    usual: tuple[float, float]
    repeats: tuple[float, float]
    baskets: Codes

    @classmethod
    def of(cls, ground: Ground, side: Side) -> Self:
        """Found in the rows of `side`."""
        visits = _visits(ground, side)
        waited = pauses(visits)
        return cls(waited, middle(waited) if len(waited) else (NONE, NONE), repeat_rate(side.rows), baskets(visits))


def _visits(ground: Ground, side: Side) -> pl.DataFrame:
    """Rows of `side` by user and time."""

    def find() -> pl.DataFrame:
        return ground.in_time.filter(pl.col("domain").is_in(side.codes))

    own = ground.once(("visits", side.name), find) if len(side.codes) == 1 else find()
    return own if side.since is None else own.filter(pl.col("timestamp") >= side.since)


def pauses(visits: pl.DataFrame) -> Doubles:
    """log₂ days between successive times at which a user did something: `visits` by user and time."""
    user, time = visits["user"].to_numpy(), visits["timestamp"].dt.epoch("us").to_numpy()
    apart = np.diff(time)[user[1:] == user[:-1]]
    found: Doubles = np.log2(apart[apart > 0] / DAY)
    return found


def _pauses(ground: Ground, there: Habits, here: Habits, source: Side, target: Side) -> Found:
    x, y = there.pauses, here.pauses
    if min(len(x), len(y)) < 2:
        return distance(Found("pause_wasserstein"), NONE, NONE, False)
    (one, p), (other, q) = sorted(((source.name, x), (target.name, y)), key=lambda side: side[0])
    key = ("pause distance", len(p), len(q))
    apart = ground.between(source, target, key, lambda: line_distance(ground, "pause_wasserstein", p, q, (one, other)))
    return distance(apart, apart.null or 0.0, far_of(apart, there.usual, here.usual), min(len(x), len(y)) >= LEAST)


def repeat_rate(rows: pl.DataFrame) -> tuple[float, float]:
    """Share of events whose user had had the item before, and its standard error over users (ratio estimator)."""
    if rows.is_empty():
        return NONE, NONE
    user, item = (rows[name].to_numpy().astype(np.int64) for name in ("user", "item"))
    pairs = sorted_once(np.left_shift(user, 32) | item)
    n, first = np.bincount(user), np.bincount(np.right_shift(pairs, 32))
    n, again = n[n > 0].astype(float), (n - first)[n > 0].astype(float)
    rate = float(again.sum() / n.sum())
    return rate, float(np.sqrt(np.square(again - rate * n).sum()) / n.sum())


def baskets(rows: pl.DataFrame) -> Codes:
    """Sorted user · 2²⁰ + day (since 1970) of every user and day with something."""
    day = pl.col("timestamp").dt.date().to_physical().cast(pl.Int64)
    return sorted_once(rows.select(pl.col("user").cast(pl.Int64) * SHIFT + day).to_series().to_numpy())


def lift_of(source: Codes, target: Codes, both: Codes, days: int) -> Found:
    """Σ_u b_u / Σ_u (s_u t_u / D): days with both, over those expected if each user chose days independently.

    The interval is that of its logarithm, linearised over users: Var = Σ_u (b_u / Σ b − s_u t_u / Σ s t)².

    Args:
        source: `baskets` with something of the source; s_u of them are user u's.
        target: with something of the target.
        both: with both.
        days: D, length of the time that is compared.
    """
    width = int(max((part.max(initial=0) for part in (source, target)), default=0)) // SHIFT + 1
    b, s, t = (np.bincount(part // SHIFT, minlength=width) for part in (both, source, target))
    met = float((s * t).sum())
    if not met:
        return Found("basket_lift")
    value = float(b.sum() * days / met)
    if not value:
        return Found("basket_lift", 0.0, 0.0, float(NONE_SEEN * days / met))
    wide = float(np.exp(Z * np.sqrt(np.square(b / b.sum() - s * t / met).sum())))
    return Found("basket_lift", value, value / wide, value * wide)


def _own(rows: pl.DataFrame, days: int) -> float:
    """Lift of two halves of the target's items (by the parity of their codes) for each other."""
    one, other = (baskets(rows.filter(pl.col("item") % 2 == half)) for half in (0, 1))
    return lift_of(one, other, common(one, other), days).value
