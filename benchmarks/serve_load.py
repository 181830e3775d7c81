"""Load on `crossaisle serve`: latency at a fixed rate, throughput beside bare loops, start, memory.

    OMP_NUM_THREADS=1 python benchmarks/serve_load.py [--seconds 30] [--runs 3] [--artifact bakery] [--out docs/results]

A synthetic artifact of 100,000 items × 128 dimensions and 50,000 users with 30 items each, or one of yours; exact
top-10 of everything, without what a user has. The client is a process of its own on the same machine, with keep-alive
connections, and counts from the moment at which a request was due (so a stall counts for every request that it delays).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from crossaisle.recommender import scorer
from crossaisle.types import Floats, History, Tensors

ITEMS, DIMENSIONS, USERS, EACH, K = 100_000, 128, 50_000, 30, 10
CONNECTIONS = 32
RATES = {"/v1/recommend": 300.0, "/v1/events": 50.0}
"""Requests a second."""


@scorer("serve_load")
@dataclass(frozen=True)
class LoadScorer:
    """The mean of the vectors of what the user had, against all vectors."""

    kind: ClassVar[str] = "serve_load"
    item_vectors: Floats

    def user_vectors(self, history: History) -> Floats:
        had = np.maximum(np.diff(history.counts.indptr), 1)[:, None]
        return np.asarray(history.counts @ self.item_vectors / had, dtype=np.float32)

    def score(self, history: History) -> Floats:
        return self.user_vectors(history) @ self.item_vectors.T

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {"item_vectors": self.item_vectors}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        return cls(**tensors)


def make_artifact(folder: Path, n_items: int = ITEMS, n_users: int = USERS) -> None:
    from crossaisle.data.vocab import Vocab
    from crossaisle.recommender import Recommender

    draw = np.random.default_rng(0)
    vectors = draw.standard_normal((n_items, DIMENSIONS), dtype=np.float32)
    had = np.sort(draw.integers(n_items // EACH, size=(n_users, EACH)) + np.arange(EACH) * (n_items // EACH), axis=1)
    counts = sp.csr_matrix(
        (np.ones(had.size, np.float32), had.ravel(), np.arange(0, had.size + 1, EACH)), shape=(n_users, n_items)
    )
    history = History(counts, np.zeros(had.size, np.float32), np.arange(n_users))
    items = pl.DataFrame(
        {
            "title": [f"item number {i}" for i in range(n_items)],
            "category": [f"category {i % 50}" for i in range(n_items)],
            "price": draw.random(n_items) * 100,
        }
    )
    users = Vocab([f"user-{i}" for i in range(n_users)])
    names = Vocab([f"item-{i}" for i in range(n_items)])
    shop = Recommender("load", "load", LoadScorer(vectors), np.arange(n_items), users, names, history, items)
    shop.save(folder)


class Connection:
    """One keep-alive connection that sends a request and reads the answer."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        self.writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(answer[9:12]), await self.reader.readexactly(length)


@dataclass(frozen=True)
class Asking:
    """Bodies of requests about the people and items of an artifact."""

    users: list[str]
    items: list[str]

    @classmethod
    def of(cls, folder: Path) -> Self:
        read = (pl.read_parquet(folder / f"{name}s.parquet")[f"{name}_id"].to_list() for name in ("user", "item"))
        return cls(*read)

    def recommend(self, draw: random.Random) -> bytes:
        return json.dumps({"user": draw.choice(self.users), "k": K}).encode()

    def event(self, draw: random.Random) -> bytes:
        told = {"event_id": f"e-{draw.random()}", "user": draw.choice(self.users), "item": draw.choice(self.items)}
        return json.dumps(told | {"event": "view"}).encode()


async def open_loop(port: int, seconds: float, rates: dict[str, float], asking: Asking) -> dict[str, Any]:
    """Requests at fixed rates, at Poisson times; latencies from the moment at which each was due."""
    draw = random.Random(1)
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection(port).open())
    due: list[tuple[float, str]] = []
    for path, rate in rates.items():
        at = 0.0
        while (at := at + draw.expovariate(rate)) < seconds:
            due.append((at, path))
    latencies: dict[str, list[float]] = {path: [] for path in rates}
    statuses: dict[int, int] = {}
    begun = time.perf_counter()

    async def one(at: float, path: str, body: bytes) -> None:
        connection = await free.get()
        status, _ = await connection.ask("POST", path, body)
        free.put_nowait(connection)
        latencies[path].append(time.perf_counter() - begun - at)
        statuses[status] = statuses.get(status, 0) + 1

    tasks = []
    for at, path in sorted(due):
        body = asking.recommend(draw) if path == "/v1/recommend" else asking.event(draw)
        if (wait := at - (time.perf_counter() - begun)) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(at, path, body)))
    await asyncio.gather(*tasks)
    elapsed = time.perf_counter() - begun
    found: dict[str, Any] = {"statuses": statuses, "seconds": elapsed}
    for path, values in latencies.items():
        ms = np.array(values) * 1000
        found[path] = {f"p{p}_ms": float(np.percentile(ms, p)) for p in (50, 90, 99)} | {
            "a_second": len(values) / elapsed
        }
    return found


async def closed_loop(port: int, seconds: float, connections: int, path: str, asking: Asking | None = None) -> float:
    """Requests a second of `connections` clients that ask (for lists, or only GET) as soon as they are answered."""
    draw, done = random.Random(2), 0
    until = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal done
        connection = await Connection(port).open()
        while time.perf_counter() < until:
            words = ("GET", path) if asking is None else ("POST", path, asking.recommend(draw))
            status, _ = await connection.ask(*words)
            assert status == 200, status
            done += 1
        connection.writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return done / seconds


def constant(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def answer() -> dict[str, int]:
        return {"answer": 42}

    uvicorn.run(app, port=port, access_log=False, log_level="error")


def lists_alone(folder: Path, seconds: float) -> dict[str, float]:
    """One list at a time, without HTTP, by the plain product and by the screened index in turn, for the same people.

    Bare is the product, what the person has left out, and the ten best; nothing else of the library.
    """
    import torch

    from crossaisle import fusion, transfer  # noqa: F401 - importing registers scorers
    from crossaisle.index import columns_of, top_k
    from crossaisle.recommender import Recommender
    from crossaisle.stream.snapshot import screened

    torch.set_num_threads(1)
    shop = Recommender.load(folder)
    ranker, n = screened(shop).ranker, len(shop.catalogue)
    draw = np.random.default_rng(0)
    spent: dict[str, list[float]] = {"bare": [], "screened": []}
    same = total = 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        row = int(draw.integers(len(shop.user_ids)))
        begun = time.perf_counter()
        history = shop.history.take(np.array([row]))
        scores = np.array(shop.scorer.score(history), dtype=np.float32)
        plain = top_k(scores, K, columns_of(history.counts, shop.ranker.places, n))[1][0]
        between = time.perf_counter()
        taste = ranker.tastes(shop.history.of(row))[0]
        found = taste.top(K, exclude_seen=True, available=None)[1]
        spent["bare"].append(between - begun)
        spent["screened"].append(time.perf_counter() - between)
        same, total = same + np.array_equal(found, plain[plain >= 0]), total + 1
    told = {f"{name}_ms": 1000 * float(np.median(values)) for name, values in spent.items()}
    return told | {"ratio": told["bare_ms"] / told["screened_ms"], "same_lists": same / total}


def started(words: list[str], port: int, path: str) -> tuple[subprocess.Popen[bytes], float]:
    """A server process, and the seconds until it answered."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, *words], stderr=subprocess.DEVNULL)

    async def answers() -> None:
        while process.poll() is None:
            try:
                await (await Connection(port).open()).ask("GET", path)
                return
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.02)
        raise SystemExit(f"the server {words} ended")

    asyncio.run(answers())
    return process, time.perf_counter() - begun


def stopped(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def memory_of(pid: int) -> float:
    """Resident MB of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def processor_seconds(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def size_of(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.iterdir()) / 2**20


def framework_memory() -> float:
    """Resident MB of a process that has imported everything and serves nothing."""
    code = (
        "import crossaisle.serve.run, crossaisle.cli.serve, crossaisle.stores.sql; from crossaisle.web import mount; "
        + ("print(open('/proc/self/status').read().split('VmRSS:')[1].split()[0])")
    )
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) / 1024


def tiny_memory(scratch: Path, port: int, seconds: float) -> float:
    """Resident MB of a service that has next to nothing to serve, after the same load: the framework at work."""
    make_artifact(scratch / "tiny", EACH, 1)
    process, _ = started(
        ["--serve", str(scratch / "tiny"), "--store", str(scratch / "tiny-data"), "--port", str(port)], port, "/ready"
    )
    asyncio.run(open_loop(port, seconds, RATES, Asking.of(scratch / "tiny")))
    found = memory_of(process.pid)
    stopped(process)
    return found


def one_run(folder: Path, data: Path, seconds: float, port: int) -> dict[str, Any]:
    asking = Asking.of(folder)
    words = ["--serve", str(folder), "--store", str(data), "--port", str(port)]
    process, cold = started(words, port, "/ready")
    run: dict[str, Any] = {"cold_start_s": cold, "memory_at_start_mb": memory_of(process.pid)}
    run["load_average"] = os.getloadavg()[0]
    asyncio.run(open_loop(port, 3.0, {"/v1/recommend": 50.0, "/v1/events": 10.0}, asking))
    before = processor_seconds(process.pid)
    run["open_loop"] = asyncio.run(open_loop(port, seconds, RATES, asking))
    asked = sum(run["open_loop"]["statuses"].values())
    run["processor_ms_a_request"] = 1000 * (processor_seconds(process.pid) - before) / asked
    run["memory_mb"] = memory_of(process.pid)
    run["throughput"] = asyncio.run(closed_loop(port, 5.0, 16, "/v1/recommend", asking))
    run["throughput_of_one"] = asyncio.run(closed_loop(port, 3.0, 1, "/v1/recommend", asking))
    stopped(process)
    process, _ = started(["--constant", str(port + 1)], port + 1, "/")
    run["constant"] = asyncio.run(closed_loop(port + 1, 5.0, 16, "/"))
    run["constant_of_one"] = asyncio.run(closed_loop(port + 1, 3.0, 1, "/"))
    stopped(process)
    run["alone"] = lists_alone(folder, 5.0)
    run["ratios"] = {
        "to_constant": run["throughput"] / run["constant"],
        "to_bare_top_k": run["throughput"] * run["alone"]["bare_ms"] / 1000,
    }
    return run


def measured(seconds: float, runs: int, given: Path | None, say: Callable[[str], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = given or Path(scratch) / "artifact"
        if given is None:
            make_artifact(folder)
        asking = Asking.of(folder)
        found: dict[str, Any] = {
            "artifact": "synthetic" if given is None else given.name,
            "items": len(asking.items),
            "users": len(asking.users),
            "cores": os.cpu_count(),
            "artifact_mb": size_of(folder),
            "framework_mb": framework_memory(),
            "tiny_service_mb": tiny_memory(Path(scratch), 8870, seconds),
            "runs": [],
        }
        for n in range(runs):
            found["runs"].append(one_run(folder, Path(scratch) / f"data-{n}", seconds, 8871 + 2 * n))
            say(json.dumps(found["runs"][-1]))
    return found


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        from crossaisle.cli import main as command

        raise SystemExit(command(["serve", *sys.argv[2:]]))
    if sys.argv[1:2] == ["--constant"]:
        constant(int(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--artifact", type=Path, help="a saved recommender to serve; without it a synthetic one")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = measured(asked.seconds, asked.runs, asked.artifact, print)
    print(json.dumps({k: v for k, v in found.items() if k != "runs"}))
    if asked.out:
        (asked.out / "serve.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
