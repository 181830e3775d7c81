"""Threads that wait for the disk at the same time share one flush (group commit)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from typing import Any

Rows = list[dict[str, Any]]


class Together:
    """Calls that come while others are written are written next, as one, by one of their threads.

    Args:
        write: writes several batches in one transaction; returns a number for each.
    """

    def __init__(self, write: Callable[[list[Rows]], list[int]]) -> None:
        self._write = write
        self._changed = Condition()
        self._writing = False
        self._waiting: list[tuple[Rows, Future[int]]] = []

    def __call__(self, rows: Rows) -> int:
        """Returns, or raises, when `rows` are written or refused with all that were written beside them."""
        mine: Future[int] = Future()
        with self._changed:
            self._waiting.append((rows, mine))
            self._changed.wait_for(lambda: mine.done() or not self._writing)
            if mine.done():
                return mine.result()
            batch, self._waiting = self._waiting, []
            self._writing = True
        try:
            self._answer(batch)
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
        return mine.result()

    def _answer(self, batch: list[tuple[Rows, Future[int]]]) -> None:
        try:
            counts = self._write([rows for rows, _ in batch])
        except BaseException as error:  # nobody may be left waiting, not even by Ctrl-C
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), count in zip(batch, counts, strict=True):
            future.set_result(count)
