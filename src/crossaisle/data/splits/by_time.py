"""Splits by one cut in time for all domains: the honest ones."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from ...errors import ConfigError
from ..world import World
from .base import Moment, Split, check_cut, check_share, check_weeks, moment, need_test, rows_of

_TIME = pl.col("timestamp")


def time_cut(
    world: World, target: str, cut: Moment, test_weeks: float | None = None, valid_share: float = 0.1
) -> Split:
    """Everything before `cut` trains, the target's rows from `cut` on are asked.

    Args:
        world: with a timestamp in every interaction.
        target: domain that is tested.
        cut: rows at or after it train nothing, whatever their domain.
        test_weeks: length of the test window; None reaches to the end of the data.
        valid_share: the last share of the target's rows before `cut` goes to `valid`. Source rows of that time still
            train, as source rows just before the cut do for the test.

    Raises:
        DataError: no timestamps, no test rows, or a target with one user.
        ConfigError: cut outside the data, or a wrong share.
    """
    at = moment(cut)
    of_target, before, test = _before_and_test(world, target, at, test_weeks, "time_cut")
    check_share("valid_share", valid_share)
    train, valid = _hold_out(before, before.select(of_target).to_series(), valid_share)
    return Split(train, valid, test, before.clear(), "time_cut", at)


def launch(
    world: World,
    target: str,
    cut: Moment,
    weeks: float,
    test_weeks: float | None = None,
    valid_share: float = 0.0,
) -> Split:
    """The pretended launch: the target opened `weeks` weeks before `cut`, and nobody knows its earlier rows.

    Visible are all source rows before `cut` and the target's rows in [cut − weeks, cut); older target rows are
    `hidden`; asked are the target's rows in [cut, cut + test_weeks), the same for every `weeks`.

    Args:
        world: with a timestamp in every interaction.
        target: domain that is launched.
        cut: the present.
        weeks: how long the target has been open; 0 hides all of it.
        test_weeks: length of the test window; None reaches to the end of the data.
        valid_share: the last share of the target's visible rows that goes to `valid` in place of `train`.

    Raises:
        DataError: no timestamps, no test rows, or a target with one user.
        ConfigError: cut outside the data, or a wrong number.
    """
    if weeks < 0:
        raise ConfigError(f"weeks is {weeks}; a number ≥ 0 is needed.")
    check_share("valid_share", valid_share)
    at = moment(cut)
    of_target, before, test = _before_and_test(world, target, at, test_weeks, "launch")
    unseen = before.select(of_target & (at - timedelta(weeks=weeks) > _TIME)).to_series()
    visible, hidden = before.filter(~unseen), before.filter(unseen)
    train, valid = _hold_out(visible, visible.select(of_target).to_series(), valid_share)
    return Split(train, valid, test, hidden, "launch", at)


def _before_and_test(
    world: World, target: str, cut: datetime, test_weeks: float | None, kind: str
) -> tuple[pl.Expr, pl.DataFrame, pl.DataFrame]:
    of_target = rows_of(world, target)
    check_cut(world, cut, kind)
    asked = of_target & (cut <= _TIME)
    why = f"from {cut} on"
    if test_weeks is not None:
        check_weeks(test_weeks)
        end = cut + timedelta(weeks=test_weeks)
        asked, why = asked & (end > _TIME), f"from {cut} to {end}"
    test = world.interactions.filter(asked)
    need_test(test, target, why)
    return of_target, world.interactions.filter(cut > _TIME), test


def _hold_out(rows: pl.DataFrame, of_target: pl.Series, valid_share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part `rows`: the last `valid_share` in time of those `of_target` from all others; equal times stay together."""
    times = rows["timestamp"].filter(of_target).sort()
    count = int(len(times) * valid_share)
    if count == 0:
        return rows, rows.clear()
    late = of_target & (rows["timestamp"] >= times[len(times) - count])
    return rows.filter(~late), rows.filter(late)
