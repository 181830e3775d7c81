"""A supermarket opened its deli a month ago; its last three weeks come by as live traffic, a day every half minute.

    python examples/live_demo.py                 # or: make serve

What the shop knew when the deli had been open for a week becomes a folder of data; a recommender is fitted on it and
served with its dashboard, and learns beside the service. Each recorded visit of the three weeks after it asks for a
list and sends what the person then bought. On the page Live another version, reads-content, can be promoted; then the
Playground places products that do not exist yet. The recorded times are moved so that the last day is yesterday.
Everything is beneath --out; the store begins anew at each start. Ctrl-C ends it all.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from crossaisle.api import World
from crossaisle.stream.growth import ids_of, without_target

TARGET, OPENED, CUT, END = "DELI", datetime(2017, 10, 30, 4), datetime(2017, 11, 6), datetime(2017, 11, 27)
FITS = {
    "recommender": ("--method", "user_kernel"),
    "reads-content": ("--method", "warm_cold", "-o", 'content.text_fields=["product_type", "category"]'),
}
"""Folder → options of the fit. The first is served; the other is a candidate that can place products that are new."""
STUDY = Path(__file__).with_suffix(".toml")
CROSSAISLE = (sys.executable, "-c", "import sys; from crossaisle.cli import main; sys.exit(main(sys.argv[1:]))")


def main() -> int:
    flags = argparse.ArgumentParser(description="A recorded shop as a live one, with its dashboard.")
    flags.add_argument("--out", type=Path, default=Path("runs/live"), help="folder of data, recommender and store")
    flags.add_argument("--port", default="8000")
    flags.add_argument("--seconds", type=float, default=30.0, help="seconds of a recorded day")
    given = flags.parse_args()
    today = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    world, folder = World.demo(), given.out / f"{today:%Y-%m-%d}"
    shop, store = folder / "shop", folder / "store"
    if not (shop / "items.parquet").is_file():  # the last to be written
        write_shop(world, shop, today - END)
    for name, options in FITS.items():
        if not (folder / name).is_dir():
            print(f"fitting {name} for {TARGET}, once a day …", flush=True)
            fit = ("transfer", str(shop), "--target", TARGET, "--out", str(folder / name), *options)
            subprocess.run([*CROSSAISLE, *fit], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(store, ignore_errors=True)
    serve = ("serve", str(folder / "recommender"), "--store", str(store), "--port", given.port, "--dashboard")
    learn = ("--data", str(shop), "--learn-every", "60")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    log = folder / "log"
    with log.open("w") as file, subprocess.Popen([*CROSSAISLE, *serve, *learn], stderr=file) as service:
        pages = None
        try:
            url = waited(service, log)
            print(f"open {url}/dashboard/ (Ctrl-C ends all)", flush=True)
            add(url, folder / "reads-content", store / "artifacts")
            pages = reports(shop, folder / "recommender.reports", folder / "reports.log")
            play(world, url, today - END, given.seconds)
        except KeyboardInterrupt:
            print("\nended")
        except httpx.HTTPError as error:
            print(f"the service does not answer ({error}); its log is {log}", file=sys.stderr)
        finally:
            service.terminate()
            if pages is not None:
                pages.terminate()
    return 0


def waited(service: subprocess.Popen[bytes], log: Path) -> str:
    """The address of the service, as soon as its log names it."""
    while service.poll() is None:
        for line in log.read_text().splitlines():
            if '"event": "listening"' in line:
                return f"http://127.0.0.1:{json.loads(line)['port']}"
        time.sleep(0.2)
    sys.exit(f"the service did not start: {log.read_text().splitlines()[-1]}")


def write_shop(world: World, folder: Path, later: timedelta) -> None:
    """What was known at `CUT`, as files that every command reads; times are moved `later`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = without_target(world, TARGET, OPENED).interactions.filter(pl.col("timestamp") < CUT)
    ids_of(world, rows).with_columns(pl.col("timestamp") + later).write_parquet(folder / "interactions.parquet")
    ids = {"item_id": (world.item_ids, "item"), "domain": (world.domains, "domain")}
    named = [pl.Series(n, v.decode(world.items[c].to_numpy())) for n, (v, c) in ids.items()]
    pl.DataFrame(named).hstack(world.items.drop("item", "domain")).write_parquet(folder / "items.parquet")


def add(url: str, recommender: Path, artifacts: Path) -> None:
    """Make a candidate known, for whoever wants to promote it on the page Live."""
    shutil.copytree(recommender, artifacts / recommender.name)
    sent = {"name": recommender.name, "artifact": recommender.name}
    httpx.post(f"{url}/v1/versions", json=sent, timeout=60).raise_for_status()


def reports(shop: Path, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Have the pages Domains and Transfer filled meanwhile: the gap, the advice, and a study of a minute or two."""
    asked = [[word, str(shop), "--target", TARGET, "--out", str(folder)] for word in ("gap", "advise")]
    asked.append(["run", str(STUDY), "--out", str(folder)])
    code = "import json, sys; from crossaisle.cli import main; [main(words) for words in json.loads(sys.argv[1])]"
    with log.open("w") as file:
        return subprocess.Popen([sys.executable, "-c", code, json.dumps(asked)], stdout=file, stderr=file)


def play(world: World, url: str, later: timedelta, seconds: float) -> None:
    """Let the recorded visits come, then go on asking for lists."""
    with httpx.Client(base_url=url, timeout=60) as client:
        begun = time.monotonic()
        for at, user, events in visits(world, later):
            time.sleep(max(0.0, begun + at * seconds - time.monotonic()))
            client.post("/v1/recommend", json={"user": user}).raise_for_status()
            client.post("/v1/events/batch", json={"events": events[:1000]}).raise_for_status()
        print("the recorded days are over; people still look", flush=True)
        while True:
            client.post("/v1/recommend", json={"user": random.choice(world.user_ids.ids)}).raise_for_status()
            time.sleep(random.expovariate(5))


def visits(world: World, later: timedelta) -> Iterator[tuple[float, str, list[dict[str, Any]]]]:
    """Days since `CUT`, user and events of each visit, in the order they came; a visit is a person on a day."""
    rows = world.interactions.filter(pl.col("timestamp").is_between(CUT, END, closed="left")).sort("timestamp")
    rows = ids_of(world, rows).with_row_index("n").with_columns(pl.col("timestamp").dt.date().alias("day"))
    for _, visit in rows.group_by("user_id", "day", maintain_order=True):
        user, first = visit["user_id"][0], visit["timestamp"][0]
        events = [
            {
                "event_id": f"recorded-{row['n']}",
                "user": user,
                "item": row["item_id"],
                "domain": row["domain"],
                "event": row["event"],
                "timestamp": (row["timestamp"] + later).isoformat(),
                "price": row["price"],
            }
            for row in visit.iter_rows(named=True)
        ]
        yield (first - CUT) / timedelta(days=1), user, events


if __name__ == "__main__":
    sys.exit(main())
