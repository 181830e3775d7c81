"""Splits by name, so that a configuration can choose one, as in ``[split] kind = "launch"``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ...config import build
from ...registry import Registry
from ..world import World
from .base import Split
from .by_choice import cold_items, cold_users, k_shot, leave_last_out
from .by_time import launch, time_cut
from .from_files import given


@dataclass(frozen=True)
class TimeCutOptions:
    """Options of `time_cut`."""

    cut: datetime | date | str
    """Rows at or after this time train nothing."""
    test_weeks: float | None = None
    """Length of the test window; without it, to the end of the data."""
    valid_share: float = 0.1
    """Last share of the target's earlier rows that selects."""


@dataclass(frozen=True)
class LaunchOptions:
    """Options of `launch`."""

    cut: datetime | date | str
    """The present: rows at or after this time train nothing."""
    weeks: float = 0.0
    """How long the target has been open at the cut."""
    test_weeks: float | None = None
    """Length of the test window; without it, to the end of the data."""
    valid_share: float = 0.0
    """Last share of the target's visible rows that selects in place of training."""


@dataclass(frozen=True)
class LeaveLastOutOptions:
    """Options of `leave_last_out`: none."""


@dataclass(frozen=True)
class KShotOptions:
    """Options of `k_shot`."""

    shots: int
    """Visible interactions per item of the target."""
    seed: int = 0
    """Of the draw."""
    cut: datetime | date | str | None = None
    """With it, test rows are later and all others earlier."""
    test_weeks: float | None = None
    """Length of the test window after the cut."""


@dataclass(frozen=True)
class ColdOptions:
    """Options of `cold_items`."""

    share: float
    """Share of the target's items or users that is never seen there."""
    seed: int = 0
    """Of the draw."""
    cut: datetime | date | str | None = None
    """With it, test rows are later and all others earlier."""
    valid_share: float = 0.1
    """A further cold share whose rows select."""


@dataclass(frozen=True)
class ColdUsersOptions(ColdOptions):
    """Options of `cold_users`."""

    overlapping: bool = False
    """Draw among users with rows in other domains only; the share is of these."""


@dataclass(frozen=True)
class GivenOptions:
    """Options of `given`."""

    train: Path | None = None
    """File of training rows; without files, the parts of the folder that was read."""
    valid: Path | None = None
    """File of rows that select."""
    test: Path | None = None
    """File of rows that are asked."""


@dataclass(frozen=True)
class SplitMethod:
    """A split that configurations can name.

    Attributes:
        name: how users call it.
        options: frozen dataclass; its fields are the keyword arguments of `make`.
        make: ``(world, target, **options) → Split``.
        summary: first sentence of its documentation.
    """

    name: str
    options: type
    make: Callable[..., Split]
    summary: str


SPLITS: Registry[SplitMethod] = Registry("split", "crossaisle.splits")
_OWN: tuple[tuple[Callable[..., Split], type], ...] = (
    (time_cut, TimeCutOptions),
    (launch, LaunchOptions),
    (leave_last_out, LeaveLastOutOptions),
    (k_shot, KShotOptions),
    (cold_items, ColdOptions),
    (cold_users, ColdUsersOptions),
    (given, GivenOptions),
)
for _make, _options in _OWN:
    _summary = (_make.__doc__ or "").split("\n")[0]
    SPLITS.add(_make.__name__, SplitMethod(_make.__name__, _options, _make, _summary))


def make_split(name: str, world: World, target: str, options: Mapping[str, Any] | None = None) -> Split:
    """The split called `name`.

    Args:
        name: one of `SPLITS`.
        world: all domains.
        target: domain that is tested.
        options: fields of the split's options, as TOML gives them.

    Raises:
        MethodError: unknown name.
        ConfigError: unknown or wrong option.
        DataError: the data do not allow it.
    """
    method = SPLITS.get(name)
    ready: Any = build(method.options, options or {}, f"[split] {name}")
    return method.make(world, target, **vars(ready))
