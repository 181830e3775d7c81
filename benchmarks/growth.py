"""How time and memory of the experts grow with the data: 1.25, 5 and 20 million interactions.

    python benchmarks/growth.py [--methods als ease] [--sizes 1 4 16] --out docs/results --image docs/images/growth.png

A made-up World of two domains, half of the rows each: size 1 has 50,000 people with 25 interactions each and 4,000
items; with four times the rows there are four times the people and twice the items. Each method fits with its defaults
on all rows (scope ``all`` where it has one) in a process of its own, on one thread, and scores 2,000 people. A process
ends after --seconds of the processor, or above --megabytes. Memory is the peak of each phase by the system's count
(Linux), reset in between.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from watched import memory_mb, python, watched, write_page

METHODS = (
    "popularity", "item_knn", "user_knn", "graph_filter", "als", "ease", "user_kernel", "diffusion", "lightgcn",
    "als_mix", "stack_linear"
)  # fmt: skip
PEOPLE, EACH, ITEMS, TASTES = 50_000, 25, 4_000, 40
ASKED, BLOCK = 2_000, 256
LINEAR = 1.25
"""Costs that grow with a greater power of the number of rows are named."""
OF_ITEMS = 0.75
"""So are milliseconds a person; the number of items grows with the power 0.5."""


@dataclass(frozen=True)
class Row:
    """One method at one size.

    Attributes:
        rows: interactions.
        fit: processor seconds; ``wall``: seconds on the clock, on a machine that others use as well.
        score_ms: processor milliseconds a person.
        before_mb: held with World and histories, before the fit.
        fit_mb: most while fitting; ``score_mb``: most while scoring.
        failed: why it did not finish; ``wall`` is the time until then, World included.
    """

    method: str
    size: int
    rows: int
    people: int
    items: int
    fit: float = 0.0
    wall: float = 0.0
    score_ms: float = 0.0
    before_mb: float = 0.0
    fit_mb: float = 0.0
    score_mb: float = 0.0
    failed: str = ""


def people_and_items(size: int) -> tuple[int, int]:
    return PEOPLE * size, round(ITEMS * math.sqrt(size))


def make(path: Path, size: int) -> None:
    """Write the interactions of `size`: people of 40 tastes, items of which few sell much."""
    people, items = people_and_items(size)
    draw = np.random.default_rng(size)
    rows = people * EACH
    user = np.repeat(np.arange(people, dtype=np.int64), EACH)
    taste = draw.integers(0, TASTES, people)[user]
    of_taste = items // TASTES
    place = np.minimum((of_taste * draw.random(rows) ** 3).astype(np.int64), of_taste - 1)
    own = draw.random(rows) < 0.7
    item = np.where(own, taste, draw.integers(0, TASTES, rows)) + TASTES * place
    codes = pl.LazyFrame({"user": user, "item": item, "day": draw.integers(0, 365, rows)})
    codes.select(
        user_id=pl.lit("u") + pl.col("user").cast(pl.String).str.zfill(7),
        item_id=pl.lit("i") + pl.col("item").cast(pl.String).str.zfill(6),
        domain=pl.lit("d") + (pl.col("item") // TASTES % 2).cast(pl.String),
        event=pl.lit("purchase"),
        timestamp=pl.lit(1_704_067_200_000_000).cast(pl.Datetime("us")) + pl.duration(days=pl.col("day")),
    ).sink_parquet(path)


def work(name: str, path: str) -> None:
    """Fit and score in this process; prints a JSON line."""
    import crossaisle.transfer  # noqa: F401  registers the methods
    from crossaisle.config import build
    from crossaisle.data.split import Split
    from crossaisle.data.world import World
    from crossaisle.transfer.method import METHODS as KNOWN
    from crossaisle.transfer.problem import Problem

    world = World.from_files(path)
    rows, none = world.interactions, world.interactions.clear()
    problem = Problem(world, "d0", ("d1",), Split(rows, none, none, none, "all"), world.catalogue("d0"))
    given: dict[str, Any] = {"level": "linear"} if name == "stack_linear" else {}
    method = KNOWN.get(name.removesuffix("_linear"))
    if "scope" in method.options.__dataclass_fields__ and name != "user_kernel":
        given["scope"] = "all"
    known = len(problem.history)
    before = memory_mb("self", "VmRSS")
    forget_peak()
    start, busy = time.perf_counter(), time.process_time()
    made = method.fit(None, problem, build(method.options, given))
    fit, wall, fit_mb = time.process_time() - busy, time.perf_counter() - start, memory_mb("self", "VmHWM")
    asked = np.sort(np.random.default_rng(0).choice(known, ASKED, replace=False))
    forget_peak()
    busy = time.process_time()
    for begin in range(0, ASKED, BLOCK):
        made.scorer.score(problem.history_for(asked[begin : begin + BLOCK]))
    score = time.process_time() - busy
    found = {
        "fit": round(fit, 2),
        "wall": round(wall, 2),
        "score_ms": round(1e3 * score / ASKED, 3),
        "before_mb": round(before),
    }
    print(json.dumps(found | {"fit_mb": round(fit_mb), "score_mb": round(memory_mb("self", "VmHWM"))}))


def forget_peak() -> None:
    """From here on the system's ``VmHWM`` counts anew."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(asked: argparse.Namespace) -> list[Row]:
    """All methods at all sizes; one that failed is not tried at a larger size."""
    rows: list[Row] = []
    asked.work.mkdir(parents=True, exist_ok=True)
    kept = asked.work / "rows.json"
    found = [Row(**r) for r in json.loads(kept.read_text())] if kept.exists() else []
    done = {(r.method, r.size): r for r in found if not r.failed}  # what failed may have more time now
    for size in asked.sizes:
        path = asked.work / f"growth-{size}.parquet"
        if not path.exists():
            make(path, size)
        for name in asked.methods:
            if any(r.failed for r in rows if r.method == name):
                continue
            if (name, size) not in done:
                done[name, size] = one(name, size, path, asked)
                kept.write_text(json.dumps([asdict(r) for r in done.values()], indent=1))
            rows.append(done[name, size])
            print(rows[-1], flush=True)
            if asked.out:
                write(rows, asked)
    return rows


def one(name: str, size: int, path: Path, asked: argparse.Namespace) -> Row:
    people, items = people_and_items(size)
    command = [python(), __file__, "--work-on", str(path), "--methods", name]
    log = asked.work / f"{name}-{size}.log"
    found = watched(command, asked.seconds, asked.megabytes, log)
    about = (name, size, people * EACH, people, items)
    if "failed" in found:
        return Row(*about, wall=found["wall"], fit_mb=found["peak_mb"], failed=found["failed"])
    return Row(*about, **{n: found[n] for n in ("fit", "wall", "score_ms", "before_mb", "fit_mb", "score_mb")})


def power(rows: list[Row], what: str) -> float | None:
    """Exponent of the number of rows with which a cost grew between the two largest sizes; None where there is one."""
    good = [r for r in rows if not r.failed]
    if len(good) < 2:
        return None
    last, first = good[-1], good[-2]
    a, b = (max(getattr(r, what) - (r.before_mb if what == "fit_mb" else 0.0), 1e-9) for r in (first, last))
    return math.log(b / a) / math.log(last.rows / first.rows)


def to_markdown(rows: list[Row], asked: argparse.Namespace) -> str:
    """What grew how, method by method."""
    sizes = list(dict.fromkeys(r.size for r in rows))
    head = " | ".join(f"{PEOPLE * EACH * s / 1e6:g} M" for s in sizes)
    lines = [TEXT.format(seconds=f"{asked.seconds / 60:g}", gigabytes=f"{asked.megabytes / 1000:.0f}")]
    lines += [f"| method | {head} | power of time | of memory |", "|---" * (len(sizes) + 3) + "|"]
    for name in dict.fromkeys(r.method for r in rows):
        mine = {r.size: r for r in rows if r.method == name}
        cells = [_cell(mine.get(s)) for s in sizes]
        powers = (power(list(mine.values()), what) for what in ("fit", "fit_mb"))
        lines.append(
            f"| {name} | {' | '.join(cells)} | {' | '.join('–' if p is None else f'{p:.2f}' for p in powers)} |"
        )
    return "\n".join(lines) + "\n\n" + "\n".join(_named(rows)) + "\n"


def _cell(row: Row | None) -> str:
    if row is None:
        return "not tried"
    if row.failed:
        return row.failed
    return f"{row.fit:,.1f} s, {row.fit_mb / 1000:.1f} GB; {row.score_ms:.1f} ms"


def _named(rows: list[Row]) -> list[str]:
    """A sentence for each method that is worse than near-linear, or stopped."""
    said = []
    for name in dict.fromkeys(r.method for r in rows):
        mine = [r for r in rows if r.method == name]
        found = {what: power(mine, what) for what in ("fit", "fit_mb")}
        for what, words in (("fit", "time"), ("fit_mb", "memory")):
            if (found[what] or 0.0) > LINEAR and mine[-1].fit > 1:
                said.append(f"- {name}: its {words} grows with the power {found[what]:.2f} of the rows.")
        asking = power(mine, "score_ms") or 0.0
        if asking > OF_ITEMS and mine[-1].score_ms > 1:
            said.append(f"- {name}: the time to score a person grows with the power {asking:.2f} of the rows.")
        if mine[-1].failed:
            said.append(f"- {name}: stops being usable at {mine[-1].rows / 1e6:g} million rows ({mine[-1].failed}).")
    return said or ["Nothing grows worse than near-linear, and nothing stopped."]


TEXT = """# How costs grow

    python benchmarks/growth.py --out docs/results --image docs/images/growth.png

A made-up World of two domains: 1.25 million interactions of 50,000 people with 4,000 items; then four and sixteen times
the people and rows with twice and four times the items. Each method with its defaults on all rows, in a process of its
own, one thread, at most {seconds} minutes of the processor and {gigabytes} GB with the World, which is in the
memory below. Cells: processor seconds and peak memory of the fit; milliseconds to score the target's half of the items
for a person, 256 at once. *Power*: costs grow as rows to this power between the two largest sizes; of memory, what
comes on top of the World. Rough: the machine had other work.

![time and memory of the fit by rows](../images/growth.png)
"""


def write(rows: list[Row], asked: argparse.Namespace) -> None:
    """growth.json and growth.md in ``--out``, and the picture."""
    about = {"python": platform.python_version(), "platform": platform.platform(), "processors": os.cpu_count()}
    limits = {"seconds": asked.seconds, "megabytes": asked.megabytes}
    body = {"environment": about, "limits": limits, "rows": [asdict(r) for r in rows]}
    (asked.out / "growth.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    write_page(asked.out / "growth.md", to_markdown(rows, asked))
    if asked.image:
        draw(rows, asked.image)


def draw(rows: list[Row], path: Path) -> None:
    """Time and memory of the fit by rows, both axes in powers, as Vega-Lite."""
    import vl_convert

    data = [{"method": r.method, "rows": r.rows, "seconds": max(r.fit, 0.01), "GB": r.fit_mb / 1000}
            for r in rows if not r.failed]  # fmt: skip
    powers = {"type": "log", "nice": False}
    rows_axis = {"field": "rows", "type": "quantitative", "scale": powers, "title": "interactions",
                 "axis": {"values": sorted({r.rows for r in rows}), "format": "~s"}}  # fmt: skip
    panels = [
        {"width": 330, "height": 260, "mark": {"type": "line", "point": True}, "encoding": {
            "x": rows_axis, "color": {"field": "method", "type": "nominal", "sort": list(METHODS)},
            "y": {"field": what, "type": "quantitative", "scale": {"type": "log"}, "title": title}}}
        for what, title in (("seconds", "processor seconds to fit"), ("GB", "peak GB, World included"))
    ]  # fmt: skip
    chart = {"background": "white", "data": {"values": data}, "hconcat": panels}
    path.write_bytes(vl_convert.vegalite_to_png(json.dumps(chart), vl_version="5.20", scale=1.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--megabytes", type=float, default=10_000.0)
    parser.add_argument("--work", type=Path, default=Path("runs/growth"))
    parser.add_argument("--out", type=Path, help="folder for growth.json and growth.md")
    parser.add_argument("--image", type=Path, help="file for the picture")
    parser.add_argument("--work-on", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work_on:
        work(asked.methods[0], asked.work_on)
    else:
        measure(asked)


if __name__ == "__main__":
    sys.exit(main())
