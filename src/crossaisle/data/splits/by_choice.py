"""Splits by chance or order: few shots, cold items, cold users, and the leaking leave-last-out."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from ...errors import ConfigError, DataError
from ...rng import generator
from ..world import World
from .base import Moment, Split, check_cut, check_share, check_weeks, moment, need_test, rows_of

_TIME = pl.col("timestamp")


def leave_last_out(world: World, target: str) -> Split:
    """Each user's last row in the target is asked, the one before selects, all else trains.

    Other users' training rows may be later than a test row: `leaks_future` is True. Offered to reproduce published
    tables. Users with one row in the target train only; users with two have no row in `valid`. Rows without time
    keep their order in the data.

    Raises:
        DataError: no user has two rows in the target, or there is one user only.
    """
    of_target = rows_of(world, target)
    rows = world.interactions.with_row_index("__row")
    order = rows.filter(of_target).sort("timestamp", "__row", nulls_last=False)
    from_end = (pl.len() - 1 - pl.int_range(pl.len())).over("user")
    placed = order.select("__row", place=from_end, count=pl.len().over("user"))
    test = placed.filter((pl.col("place") == 0) & (pl.col("count") > 1))["__row"]
    valid = placed.filter((pl.col("place") == 1) & (pl.col("count") > 2))["__row"]
    if test.is_empty():
        raise DataError(f"no user has two interactions in {target!r}: nothing to leave out; choose another split.")
    return _parted(world, test=test, valid=valid, kind="leave_last_out", leaks=True)


def k_shot(
    world: World,
    target: str,
    shots: int,
    seed: int = 0,
    cut: Moment | None = None,
    test_weeks: float | None = None,
) -> Split:
    """`shots` interactions per item of the target are visible, drawn at random; more shots contain fewer ones.

    Args:
        world: all domains.
        target: domain of which little is shown.
        shots: visible rows per item, ≥ 0.
        seed: of the draw.
        cut: with it, visible and hidden rows are earlier and test rows later, for all domains; without it the rows
            that were not drawn are the test, and `leaks_future` is True where the data have times.
        test_weeks: length of the test window after `cut`; None reaches to the end.

    Raises:
        DataError: no test rows, no timestamps although a cut is given, or a target with one user.
        ConfigError: a wrong number or cut.
    """
    if shots < 0:
        raise ConfigError(f"shots is {shots}; a whole number ≥ 0 is needed.")
    of_target, early, late = _around(world, target, cut, test_weeks, "k_shot")
    rows = early.filter(of_target)
    luck = pl.Series("luck", generator(seed, "k_shot", target).permutation(len(rows)))
    drawn = rows.select("item").with_columns(luck)
    shown = drawn.select(pl.col("luck").rank("ordinal").over("item") <= shots).to_series()
    train = pl.concat([early.filter(~of_target), rows.filter(shown)])
    rest = rows.filter(~shown)
    test, hidden = (rest, rest.clear()) if cut is None else (late, rest)
    need_test(test, target, "left to ask for")
    return Split(train, rows.clear(), test, hidden, "k_shot", _at(cut), cut is None and _some_times(world))


def cold_items(
    world: World, target: str, share: float, seed: int = 0, cut: Moment | None = None, valid_share: float = 0.1
) -> Split:
    """A random `share` of the target's items is never seen in the target; their rows are asked.

    Args:
        world: all domains.
        target: domain whose items are held back.
        share: of the items that have interactions, in (0, 1).
        seed: of the draw.
        cut: with it, train rows are earlier and test rows later; cold items' earlier rows are `hidden`.
        valid_share: a further share of the items, cold as well, whose rows go to `valid`.

    Raises:
        DataError: no test rows, no timestamps although a cut is given, or a target with one user.
        ConfigError: a wrong share or cut.
    """
    return _cold(world, target, "item", (share, valid_share), seed, cut)


def cold_users(
    world: World,
    target: str,
    share: float,
    seed: int = 0,
    cut: Moment | None = None,
    valid_share: float = 0.1,
    overlapping: bool = False,
) -> Split:
    """A random `share` of the target's users is never seen in the target; their rows there are asked.

    Their rows in other domains stay visible: that is what is carried over. Arguments and errors as `cold_items`;
    `overlapping` draws among users with visible rows in other domains only, and `share` is of these.
    """
    return _cold(world, target, "user", (share, valid_share), seed, cut, overlapping)


def _cold(
    world: World,
    target: str,
    column: str,
    shares: tuple[float, float],
    seed: int,
    cut: Moment | None,
    overlapping: bool = False,
) -> Split:
    kind = f"cold_{column}s"
    check_share("share", shares[0], least=0.001)
    check_share("valid_share", shares[1])
    if sum(shares) >= 1:
        raise ConfigError(f"share and valid_share are {shares[0]} and {shares[1]}; together they must stay below 1.")
    of_target, early, late = _around(world, target, cut, None, kind)
    rows = early.filter(of_target)
    asked = late if cut is not None else rows
    codes = np.unique(np.concatenate([rows[column].to_numpy(), asked[column].to_numpy()]))
    if overlapping:
        codes = np.intersect1d(codes, early.filter(~of_target)[column].to_numpy())
    if not len(codes):
        raise DataError(f"nobody of {target!r} has rows in another domain; leave `overlapping` out.")
    drawn = generator(seed, kind, target).permutation(codes)
    n_test = max(1, round(len(drawn) * shares[0]))
    n_valid = round(len(drawn) * shares[1])
    is_test = pl.col(column).is_in(pl.Series(drawn[:n_test]).implode())
    is_valid = pl.col(column).is_in(pl.Series(drawn[n_test : n_test + n_valid]).implode())
    train = pl.concat([early.filter(~of_target), rows.filter(~is_test & ~is_valid)])
    test = asked.filter(is_test)
    hidden = rows.filter(is_test) if cut is not None else rows.clear()
    need_test(test, target, f"of {kind.replace('_', ' ')}")
    return Split(train, rows.filter(is_valid), test, hidden, kind, _at(cut), cut is None and _some_times(world))


def _around(
    world: World, target: str, cut: Moment | None, test_weeks: float | None, kind: str
) -> tuple[pl.Expr, pl.DataFrame, pl.DataFrame]:
    """(rows of target, rows that may be seen, target's rows after the cut)."""
    of_target = rows_of(world, target)
    if cut is None:
        if test_weeks is not None:
            raise ConfigError(f"test_weeks is {test_weeks} and there is no cut; give the cut or leave test_weeks out.")
        return of_target, world.interactions, world.interactions.clear()
    at = moment(cut)
    check_cut(world, at, kind)
    late = world.interactions.filter(of_target & (at <= _TIME))
    if test_weeks is not None:
        check_weeks(test_weeks)
        late = late.filter(at + timedelta(weeks=test_weeks) > _TIME)
    return of_target, world.interactions.filter(at > _TIME), late


def _some_times(world: World) -> bool:
    return world.interactions["timestamp"].null_count() < world.interactions.height


def _at(cut: Moment | None) -> datetime | None:
    return None if cut is None else moment(cut)


def _parted(world: World, *, test: pl.Series, valid: pl.Series, kind: str, leaks: bool) -> Split:
    rows = world.interactions
    part = np.zeros(rows.height, dtype=np.uint8)
    part[test.to_numpy()], part[valid.to_numpy()] = 1, 2
    train, asked, select = (rows.filter(pl.Series(part == p)) for p in (0, 1, 2))
    return Split(train, select, asked, rows.clear(), kind, None, leaks)
