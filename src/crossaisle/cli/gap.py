"""`crossaisle gap`: how far domains are apart, before anything is trained."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App

from .. import api
from ..gap.report import GapReport, Measure
from ..gap.view import headlines, nearest
from ..models.base import Base
from ..report import GAP_JSON, write_gap
from .flags import READ, Maybe, MethodOptions, Names, ReadFlags, open_data, options_of
from .output import OUTPUT, Output, emit, say, table, written
from .progress import drawing

app = App(
    name="gap",
    help_epilogue="Example: crossaisle gap demo --target NUTRITION --cut 2017-10-30T04:00:00 --weeks 4 --out runs/gap",
)
LINES = 12


@app.default
def gap(
    path: str,
    /,
    *,
    target: Annotated[str | None, Maybe] = None,
    sources: Names = (),
    base: Annotated[Path | None, Maybe] = None,
    cut: Annotated[str | None, Maybe] = None,
    weeks: Annotated[float | None, Maybe] = None,
    out: Annotated[Path | None, Maybe] = None,
    option: MethodOptions = (),
    seed: int = 0,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Measure how far domains are apart: content, users, items, popularity, price and behaviour.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        target: the domain to be launched; all ordered pairs when left out.
        sources: domains that knowledge may come from; all others when empty.
        base: folder of a base that ``crossaisle fuse`` saved: its heads are scored as well.
        cut: nothing from this time on is seen, for example 2024-09-30.
        weeks: pretend that the target opened this many weeks before the cut.
        out: folder that takes gap.json and gap.html.
        option: items, people, permutations, resamples, neighbours or text, key=value; as often as needed.
        seed: of everything random.
    """
    options = options_of(option)
    with drawing():
        loaded = None if base is None else Base.load(base)
        world = open_data(path, read)
        found = api.gap(world, target, sources, base=loaded, cut=cut, weeks=weeks, seed=seed, **options)
    files = written(partial(write_gap, found), out, GAP_JSON)
    if output.json:
        emit({"gap": found.to_document()} | files)
        return
    for name in dict.fromkeys(m.target for m in found.measures if m.family == "users"):
        _show(found, name)
    for sentence in found.warnings:
        say(f"note: {sentence}")
    for what, where in files.items():
        print(f"{what}: {where}")


def _show(found: GapReport, target: str) -> None:
    names = headlines(found, target)
    rows = []
    for source in nearest(found, target):
        measures = found.of(source, target)
        rows.append([source, *(_cell(measures.get(name)) for name in names.values())])
    columns = [f"{family}\n{name}" for family, name in names.items()]
    table(f"to {target}, nearest first (* all sources together)", ["source", *columns], rows)
    ours = sorted((a for a in found.aligned if a.target == target and a.source == "*"), key=lambda a: -a.share)
    ours = ours or sorted((a for a in found.aligned if a.target == target), key=lambda a: -a.share)
    if ours:
        lines = [(a.target_category, a.source_category, f"{a.share:.0%}") for a in ours[:LINES]]
        table(
            "nearest categories (share of the target's category that optimal transport takes from there)",
            [f"category of {target}", "category of a source", "share"],
            lines,
            right=["share"],
        )


def _cell(m: Measure | None) -> str:
    if m is None or math.isnan(m.value):
        return "–"
    return f"{m.word or ''} {m.value:.2g}"
