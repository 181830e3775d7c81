"""How fast, and in how much memory, ten million interactions become a World.

    python benchmarks/world_load.py [--rows 10000000] [--threads 2] [--out docs/results/data.json]

The file is made in a folder of its own and read by a fresh process with the cache off. Memory is the peak resident size
of that process (Linux' VmHWM, as getrusage inherits the parent's) less that of one that only imports the same modules.
The bytes of the columns are those of the plain
Arrow layout of what is in the file: 8 for a time, 4 for a number, 4 and its letters for a text.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

USERS, ITEMS, DOMAINS = 1_000_000, 200_000, 20
EVENTS = ["view", "click", "cart", "purchase"]
READ = """
import json, re, sys, time
from crossaisle.data.world import World
facts = {}
if len(sys.argv) > 1:
    start, busy = time.perf_counter(), time.process_time()
    world = World.from_files(sys.argv[1], cache=False)
    facts = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy,
             "rows": world.interactions.height, "users": world.n_users, "items": world.n_items,
             "world_bytes": world.interactions.estimated_size()}
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(json.dumps({**facts, "peak": int(peak) * 1024}))
"""


def make(path: Path, rows: int) -> int:
    """Write `rows` made-up interactions in order of time; return the bytes of their columns."""
    draw = np.random.default_rng(0)
    item = np.minimum((ITEMS * draw.random(rows, dtype=np.float32) ** 3).astype(np.uint32), ITEMS - 1)
    codes = pl.LazyFrame(
        {
            "user": draw.integers(0, USERS, rows, dtype=np.uint32),
            "item": item,
            "event": draw.integers(0, len(EVENTS), rows, dtype=np.uint8),
            "timestamp": np.sort(draw.integers(1_577_836_800_000_000, 1_704_067_200_000_000, rows)),
            "value": draw.integers(1, 6, rows).astype(np.float32),
            "price": np.round(draw.lognormal(2, 1, rows), 2).astype(np.float32),
        }
    )
    frame = codes.select(
        user_id=pl.lit("u") + pl.col("user").cast(pl.String).str.zfill(7),
        item_id=pl.lit("i") + pl.col("item").cast(pl.String).str.zfill(7),
        domain=pl.lit("domain ") + (pl.col("item") % DOMAINS).cast(pl.String),
        event=pl.col("event").replace_strict(list(range(len(EVENTS))), EVENTS, return_dtype=pl.String),
        timestamp=pl.col("timestamp").cast(pl.Datetime("us")),
        value=pl.col("value"),
        price=pl.col("price"),
    )
    frame.sink_parquet(path)
    texts = ("user_id", "item_id", "domain", "event")
    letters = pl.scan_parquet(path).select(pl.col(texts).str.len_bytes().cast(pl.Int64).sum()).collect().row(0)
    return rows * (4 * len(texts) + 8 + 4 + 4) + sum(letters)


def measure(threads: int, *arguments: str) -> dict[str, float]:
    """Run `READ` in a fresh process."""
    env = {**os.environ, "POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run([sys.executable, "-c", READ, *arguments], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="file for the numbers, as JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.parquet"
        columns = make(path, chosen.rows)
        base = measure(chosen.threads)["peak"]
        found = measure(chosen.threads, str(path))
        load = os.getloadavg()[0]
        size = path.stat().st_size
    result = {
        "rows": found["rows"],
        "users": found["users"],
        "items": found["items"],
        "threads": chosen.threads,
        "python": platform.python_version(),
        "polars": pl.__version__,
        "seconds": round(found["seconds"], 2),
        "cpu_seconds": round(found["cpu_seconds"], 2),
        "load_of_machine": round(load, 1),
        "peak_bytes_over_baseline": found["peak"] - base,
        "baseline_bytes": base,
        "column_bytes": columns,
        "file_bytes": size,
        "world_bytes": found["world_bytes"],
        "ratio": round((found["peak"] - base) / columns, 2),
    }
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if chosen.out is not None:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
