"""Time and memory of the gap over 25 made-up domains of 70,000 items each, without a text model.

    python benchmarks/gap_speed.py --out docs/results

Vectors come from the words of titles (made within the measured time); encoding by a text model is not part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from crossaisle.api import GapReport, gap
from crossaisle.data.world import World

START = datetime(2024, 1, 1)


def made_up(domains: int, items: int, users: int, events: int, seed: int = 0) -> World:
    """`domains` × `items`, no item in two of them; a third of all users shop in each, words drift over the domains."""
    draw, frames, shelves = np.random.default_rng(seed), [], []
    for d in range(domains):
        people, rank = draw.choice(users, users // 3, replace=False), draw.random(events) ** 3
        item = (rank * items).astype(int)
        frames.append(
            pl.DataFrame(
                {
                    "user_id": pl.Series(people[draw.integers(0, len(people), events)]).cast(pl.String),
                    "item_id": pl.Series(item + d * items).cast(pl.String),
                    "timestamp": pl.Series((draw.random(events) * 180 * 86_400e6).astype(np.int64)).cast(
                        pl.Duration("us")
                    )
                    + START,
                }
            ).with_columns(domain=pl.lit(f"d{d:02d}"))
        )
        words = (draw.normal(40 * d, 200, (items, 4)).astype(int) % 5000).astype(str)
        shelves.append(
            pl.DataFrame(
                {
                    "item_id": pl.Series(np.arange(items) + d * items).cast(pl.String),
                    "title": [" ".join(f"word{w}" for w in row) for row in words],
                    "category": pl.Series(draw.integers(0, 30, items)).cast(pl.String),
                    "price": draw.lognormal(2 + d / 25, 0.7, items),
                }
            ).with_columns(domain=pl.lit(f"d{d:02d}"), category=pl.lit(f"kind {d}-") + pl.col("category"))
        )
    return World.from_frames(
        pl.concat(frames).with_columns(event=pl.lit("purchase")), pl.concat(shelves), name="made up"
    )


def row_of(report: GapReport, world: World, seconds: tuple[float, float], what: str) -> dict[str, object]:
    return {
        "what": what, "domains": len(world.domains), "items": world.n_items, "users": world.n_users,
        "interactions": world.interactions.height, "measures": len(report.measures),
        "seconds": round(seconds[0], 1), "cpu_seconds": round(seconds[1], 1),
        "seconds_by_family": report.environment["seconds_by_family"],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "threads": os.environ.get("OMP_NUM_THREADS"), "load_of_machine": round(os.getloadavg()[0], 1),
        "python": sys.version.split()[0], "numpy": np.__version__,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domains", type=int, default=25)
    parser.add_argument("--items", type=int, default=70_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=200_000, help="of each domain")
    parser.add_argument("--out", type=Path, help="folder for gap-speed.json")
    asked = parser.parse_args()
    world, rows = made_up(asked.domains, asked.items, asked.users, asked.events), []
    for what, target in (("one target", "d00"), ("all pairs", None)):
        start, work = time.perf_counter(), time.process_time()
        report = gap(world, target, text="")
        rows.append(row_of(report, world, (time.perf_counter() - start, time.process_time() - work), what))
        print(json.dumps(rows[-1]), flush=True)
    if asked.out:
        (asked.out / "gap-speed.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
