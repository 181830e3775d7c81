"""Progress of long work: libraries tick, doors draw. A context carries the drawer, so no signature has to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from .types import Progress

T = TypeVar("T")


def _silent(task: str, done: int, total: int) -> None:
    """Draw nothing."""


_drawer: ContextVar[Progress] = ContextVar("progress", default=_silent)


@contextmanager
def showing(drawer: Progress) -> Iterator[None]:
    """Within the block, `tick` calls `drawer`."""
    token = _drawer.set(drawer)
    try:
        yield
    finally:
        _drawer.reset(token)


def tick(task: str, done: int, total: int) -> None:
    """Say that `done` of `total` steps of `task` are done; total 0 means unknown.

    What stands after ``": "`` in `task` says more about the step just done and may change from tick to tick.
    """
    _drawer.get()(task, done, total)


def ticking(task: str, steps: Iterable[T], total: int) -> Iterator[T]:
    """Yield from `steps` and tick after each."""
    tick(task, 0, total)
    for number, step in enumerate(steps, 1):
        yield step
        tick(task, number, total)
