"""The value of every split, and the checks they share."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from ...errors import ConfigError, DataError
from ..world import World

Moment = datetime | date | str
"""A time as TOML or a person writes it: zoned times become UTC, the rest is UTC already."""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of ``World.interactions``, parted. Nothing in `test` or `hidden` may train anything.

    Attributes:
        train: visible rows of all domains.
        valid: rows of the target kept for selection (may be empty).
        test: rows of the target that are asked for, scored once.
        hidden: earlier rows of the target that the split pretends not to know; used only to tell *new* from *repeat*.
        kind: name of the split, printed in reports.
        cut: nothing in `train` is later (None when the data have no times).
        leaks_future: True where training rows may be later than test rows; reports label it.
    """

    train: pl.DataFrame
    valid: pl.DataFrame
    test: pl.DataFrame
    hidden: pl.DataFrame
    kind: str
    cut: datetime | None = None
    leaks_future: bool = False


def moment(value: Moment) -> datetime:
    """`value` as naive UTC.

    Raises:
        ConfigError: a text that is no ISO time.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ConfigError(f"cut is {value!r}; a time such as 2017-10-30T04:00:00 is needed.") from None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def rows_of(world: World, target: str) -> pl.Expr:
    """True for rows of `target`.

    Raises:
        DataError: unknown target, or one with fewer than two users.
    """
    code = world.domain_code(target)
    users = world.interactions.filter(pl.col("domain") == code)["user"].n_unique()
    if users == 0:
        raise DataError(f"target {target!r} has no interactions; choose another target.")
    if users == 1:
        raise DataError(
            f"target {target!r} has a single user; at least two are needed to train and test: choose another."
        )
    return pl.col("domain") == code


def check_cut(world: World, cut: datetime, kind: str) -> None:
    """Refuse a cut that the data cannot have.

    Raises:
        DataError: rows without time.
        ConfigError: a cut outside the data.
    """
    times = world.interactions["timestamp"]
    missing = times.null_count()
    if missing:
        raise DataError(
            f"split {kind!r} needs a timestamp in every interaction, and {missing:,} of {len(times):,} have none; "
            "add them, or choose leave_last_out, or k_shot or cold_items without a cut."
        )
    first, last = typing.cast(datetime, times.min()), typing.cast(datetime, times.max())
    if not first < cut <= last:
        raise ConfigError(f"cut {cut} is outside the data ({first} to {last}); choose a time between.")


def need_test(test: pl.DataFrame, target: str, why: str) -> None:
    """Refuse a split that asks nothing.

    Raises:
        DataError: no test rows.
    """
    if test.is_empty():
        raise DataError(
            f"target {target!r} has no interactions {why}: nothing to test; change the split or the target."
        )


def check_weeks(test_weeks: float) -> None:
    """Refuse a test window without length.

    Raises:
        ConfigError: zero or less.
    """
    if test_weeks <= 0:
        raise ConfigError(f"test_weeks is {test_weeks}; a number > 0 is needed.")


def check_share(name: str, value: float, *, least: float = 0.0) -> None:
    """Refuse a share outside [least, 1).

    Raises:
        ConfigError: naming the allowed range.
    """
    if not least <= value < 1:
        raise ConfigError(f"{name} is {value}; a share from {least:g} to below 1 is needed.")
