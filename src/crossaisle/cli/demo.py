"""`crossaisle demo`: a real supermarket pretends to launch a department."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cyclopts import App

from ..data.demo import CUT, TEST_WEEKS
from ..data.load import ReadOptions
from ..evaluate.spec import DEFAULT_METHODS, MethodSpec, Study
from ..transfer.method import METHODS
from .flags import Numbers, Seeds
from .output import OUTPUT, Output
from .runfile import make_run
from .study import execute
from .workers import Workers, workers_of

app = App(name="demo", help_epilogue="Example: crossaisle demo --target DELI --weeks 0 2 8 --out runs/deli")


@app.default
def demo(
    *,
    target: str = "NUTRITION",
    weeks: Numbers = (0.0, 1.0, 2.0, 4.0, 8.0),
    seeds: Seeds = (0, 1, 2),
    out: Path = Path("runs/demo"),
    workers: Workers = None,
    output: Output = OUTPUT,
) -> None:
    """Launch a department of a real supermarket, with and without the old knowledge. Takes minutes, can be resumed.

    Args:
        target: the department that is launched.
        weeks: how long it has been open, ascending.
        seeds: of the methods that draw at random.
        out: folder of the run.
        workers: processes, 1 or 2; 2 where there are two processors.
    """
    execute(
        make_run("demo", ReadOptions(), demo_study(target, weeks, seeds), demo_methods(), out),
        output,
        workers_of(workers),
    )


def demo_study(target: str, weeks: tuple[float, ...], seeds: tuple[int, ...]) -> Study:
    """The study of one department: the last nine weeks of 2017 are asked."""
    return Study(target=target, cut=CUT, test_weeks=float(TEST_WEEKS), weeks=weeks, seeds=seeds)


def demo_methods() -> tuple[MethodSpec, ...]:
    """The usual methods; networks read what an item is, not its package size: fewer texts, and they say as much."""
    content = {"content": {"text_fields": ("product_type", "category")}}
    made = []
    for spec in DEFAULT_METHODS:
        if METHODS.get(spec.method).reads_base:
            made.append(replace(spec, fusion_options=content))
        else:
            made.append(replace(spec, options={**spec.options, **content}) if spec.method == "target_only" else spec)
    return tuple(made)
