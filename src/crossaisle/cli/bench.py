"""`crossaisle bench`: longer, resumable studies over several targets."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cyclopts import App

from ..data.load import ReadOptions
from ..errors import ConfigError
from ..evaluate.across import Across, across, to_markdown
from ..evaluate.result import Report
from ..files import write_whole
from .demo import demo_methods, demo_study
from .flags import Names, Numbers, Seeds, open_data
from .output import OUTPUT, Output, emit, say
from .progress import drawing
from .runfile import make_run
from .study import judge_all
from .workers import Workers, workers_of

TARGETS = ("NUTRITION", "DELI", "COSMETICS", "SEAFOOD-PCKGD", "PASTRY")

app = App(name="bench", help_epilogue="Example: crossaisle bench demo --out runs/bench-demo")


@app.command(help_epilogue="Example: crossaisle bench demo --targets NUTRITION DELI --seeds 0 --out runs/bench-demo")
def demo(
    *,
    targets: Names = TARGETS,
    weeks: Numbers = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0),
    seeds: Seeds = (0, 1, 2),
    out: Path = Path("runs/bench-demo"),
    workers: Workers = None,
    output: Output = OUTPUT,
) -> None:
    """Launch several departments of the demo data in turn, and average. Takes hours; can be resumed.

    Args:
        targets: departments, each launched in turn.
        weeks: how long each has been open, ascending.
        seeds: of the methods that draw at random.
        out: folder; it takes demo.json, demo.md and one run folder for each target.
        workers: processes, 1 or 2; 2 where there are two processors.
    """
    if not targets:
        raise ConfigError("no target is named; name departments after --targets, or leave the flag out.")
    studies = [demo_study(target, weeks, seeds) for target in targets]
    reports: list[Report] = []
    with drawing():
        world = open_data("demo")
        for study in studies:
            run = make_run("demo", ReadOptions(), study, demo_methods(), out / folder_of(study.target))
            reports.append(judge_all(world, run, workers_of(workers)))
            say(f"{study.target}: {run.out / 'report.html'} ({len(reports)} of {len(studies)} targets)")
    found = across(reports, studies[0].ship, studies[0].headline)
    write(found, reports, out)
    if output.json:
        emit({"out": str(out), **found.to_dict()})
    else:
        print(to_markdown(found) + f"\nwritten: {out / 'demo.md'}, {out / 'demo.json'}")


def folder_of(target: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w-]+", "-", target)


def write(found: Across, reports: list[Report], out: Path) -> None:
    """``demo.json`` and ``demo.md`` in `out`."""
    seconds = sum(float(r.environment.get("seconds", 0.0)) for r in reports)
    document = {**found.to_dict(), "environment": {**reports[0].environment, "seconds": seconds}}
    write_whole(out / "demo.json", (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
    write_whole(out / "demo.md", to_markdown(found).encode())
