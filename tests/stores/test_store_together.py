"""Threads that wait together are written together, and each gets its own answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from crossaisle.errors import StorageError
from crossaisle.stores.together import Rows, Together


class Disk:
    """Holds the first write until `go`, and refuses rows that say so."""

    def __init__(self) -> None:
        self.writes: list[list[Rows]] = []
        self.busy, self.go = Event(), Event()

    def write(self, batches: list[Rows]) -> list[int]:
        self.writes.append(batches)
        self.busy.set()
        assert self.go.wait(10)
        if {"refused": 1} in [row for rows in batches for row in rows]:
            raise StorageError("full")
        return [len(rows) for rows in batches]


def waiting(together: Together, disk: Disk, threads: ThreadPoolExecutor, *calls: Rows) -> list[object]:
    """Answers of one call that is being written, and of `calls` that came meanwhile."""
    first = threads.submit(together, [{"first": 1}])
    assert disk.busy.wait(10)
    rest = [threads.submit(together, rows) for rows in calls]
    while len(together._waiting) < len(calls):
        pass
    disk.go.set()
    return [f.exception(10) or f.result() for f in (first, *rest)]


def test_those_who_wait_are_written_at_once() -> None:
    disk = Disk()
    with ThreadPoolExecutor(4) as threads:
        answers = waiting(Together(disk.write), disk, threads, [{}] * 2, [{}] * 3, [{}] * 4)
    assert answers == [1, 2, 3, 4]
    assert [len(batches) for batches in disk.writes] == [1, 3]


def test_a_refusal_reaches_all_that_were_written_together_and_nobody_after() -> None:
    disk = Disk()
    together = Together(disk.write)
    with ThreadPoolExecutor(3) as threads:
        answers = waiting(together, disk, threads, [{}], [{"refused": 1}])
    assert answers[0] == 1
    assert [type(a) for a in answers[1:]] == [StorageError, StorageError]
    assert together([{}] * 5) == 5
    with pytest.raises(StorageError, match="full"):
        together([{"refused": 1}])
