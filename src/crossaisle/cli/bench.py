"""`crossaisle bench`: public splits beside published numbers, and the long study of the demo; both resumable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..bench.result import BenchResult
from ..bench.result import to_markdown as bench_markdown
from ..bench.sets import OWN, SETS, BenchSet
from ..bench.whole import Asking, bench_set, fill_set
from ..data.load import ReadOptions
from ..errors import ConfigError, DataError, unknown
from ..evaluate.across import Across, across, to_markdown
from ..evaluate.result import Report
from ..files import write_whole
from .demo import demo_methods, demo_study
from .flags import BudgetFlag, Maybe, Names, Numbers, Seeds, open_data
from .output import OUTPUT, Output, emit, say
from .progress import drawing
from .runfile import make_run
from .study import judge_all
from .workers import Workers, helped, workers_of

TARGETS = ("NUTRITION", "DELI", "COSMETICS", "SEAFOOD-PCKGD", "PASTRY")

app = App(
    name="bench",
    help="Public splits with given candidates beside published numbers, and the long study of the demo; resumable.",
    help_epilogue="Example: crossaisle bench xmrec-t1 --bench /data/bench --out runs/bench",
)


@app.default
def sets(
    names: Names = (),
    /,
    *,
    bench: Annotated[Path | None, Maybe, Parameter(env_var="CROSSAISLE_BENCH")] = None,
    data: Annotated[Path | None, Maybe] = None,
    methods: Names = (),
    seeds: Seeds = (0, 1, 2),
    ablation: Annotated[bool, Parameter(negative="")] = False,
    budget: BudgetFlag = None,
    out: Path = Path("runs/bench"),
    workers: Workers = None,
    output: Output = OUTPUT,
) -> None:
    """Rank the given candidates of public sets, or of a folder of your own, with every expert and their stack.

    Args:
        names: xmrec-t1, cdrib-game-video, disencdr-sport-phone, amazon-overlap, amazon-text-time, or all.
        bench: folder that holds the sets.
        data: a folder of your own with train, test and candidates.parquet; instead of names.
        methods: rows to make, such as lightgcn stack; all when left out. NAME.json and NAME.md then hold these alone:
            take an --out of their own.
        seeds: of the methods that draw at random.
        ablation: also the stack without each of its parts.
        budget: time to search the options of each expert and target on held-out rows, such as 10m.
        out: folder; it takes a JSON and a Markdown file for each set. Finished cells are not run again.
        workers: processes, 1 or 2; 2 where there are two processors; 1 with a budget.
    """
    folders = [(OWN, data)] if data is not None else [(s, _folder(bench, s.name)) for s in _named(names)]
    jobs = [Asking(asked, folder, seeds, out / folder.name, ablation, budget, methods) for asked, folder in folders]
    found = []
    with drawing():
        for job in jobs:
            with helped(workers_of(workers), budget, fill_set, job):
                found.append(bench_set(job))
            write_set(found[-1], out)
    if output.json:
        emit({"out": str(out), "sets": [f.to_dict() for f in found]})
    else:
        print("\n".join(bench_markdown(f) for f in found) + f"\nwritten: {out}")


def _named(names: tuple[str, ...]) -> list[BenchSet]:
    if not names:
        raise ConfigError(f"no set is named; allowed: {', '.join(SETS)}, all, demo, or --data FOLDER.")
    if names == ("all",):
        return list(SETS.values())
    strange = [n for n in names if n not in SETS]
    if strange:
        raise ConfigError(unknown("benchmark set", strange[0], [*SETS, "all", "demo"]))
    return [SETS[n] for n in names]


def _folder(bench: Path | None, name: str) -> Path:
    if bench is None:
        raise ConfigError("where the sets are is not known; give --bench FOLDER, or set CROSSAISLE_BENCH.")
    if not (bench / name).is_dir():
        raise DataError(f"{bench} has no folder {name!r}; give the folder that holds the sets as --bench.")
    return bench / name


def write_set(found: BenchResult, out: Path) -> None:
    """``NAME.json`` and ``NAME.md`` in `out`."""
    document = json.dumps(found.to_dict(), ensure_ascii=False, indent=1) + "\n"
    write_whole(out / f"{found.set}.json", document.encode())
    write_whole(out / f"{found.set}.md", bench_markdown(found).encode())


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
