"""`crossaisle advise`: which fusion and transfer to try for a launch, from past reports, before anything is trained."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from .. import api
from ..advisor.advice import Advice, Advised, Limits
from ..advisor.calibration import calibration
from ..advisor.cases import read_reports, shipped
from ..evaluate.spec import DEFAULT_FUSION
from ..report import ADVICE_JSON, write_advice
from .flags import LIST, READ, Maybe, Names, ReadFlags, open_data, typed
from .output import OUTPUT, Output, emit, table, written
from .progress import drawing

app = App(
    name="advise",
    help_epilogue="Example: crossaisle advise shop/ --target bakery --weeks 2 --minutes 5",
)
LIMITS = Group("Limits", sort_key=10)
LimitFlags = Annotated[Limits, LIST, Parameter(name="*", group=LIMITS)]
NONE = Limits()


@app.default
def advise(
    path: str,
    /,
    *,
    target: str,
    sources: Names = (),
    cut: Annotated[str | None, Maybe] = None,
    weeks: Annotated[float | None, Maybe] = None,
    limits: LimitFlags = NONE,
    reports: Annotated[tuple[Path, ...], LIST] = (),
    out: Annotated[Path | None, Maybe] = None,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Say which recipes to try for a launch, what to expect and what it costs; nothing is trained.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        target: the domain to be launched.
        sources: domains whose knowledge may be used; all others when empty.
        cut: nothing from this time on is seen, for example 2024-09-30.
        weeks: pretend that the target opened this many weeks before the cut.
        reports: folders with reports of your own, from which the advice learns beside the cases that come along.
        out: folder that takes ``advice.html`` and ``advice.json``.
    """
    with drawing():
        world = open_data(path, read)
        found = api.advise(world, target, sources=sources, cut=cut, weeks=weeks, limits=limits, reports=reports)
    judged = None if out is None else calibration([*shipped(), *read_reports(reports)])
    files = written(partial(write_advice, found, judged), out, ADVICE_JSON)
    if output.json:
        emit(found.to_document() | files)
        return
    _show(found)
    seen = [*typed("cut", cut), *typed("weeks", weeks)]
    for command in commands(found, path, sources, seen):
        print(f"next: {command}")
    for what, where in files.items():
        print(f"{what}: {where}")


def _show(found: Advised) -> None:
    rows = [_row(r) for r in found.short()]
    table(f"advice for {found.target}", ["recipe", "expected", "80 % interval", "minutes", "GB", "in words"], rows)
    first = found.rows[0]
    for reason in first.reasons:
        print(f"{first.recipe}: {reason}")
    for warning in found.warnings:
        print(f"Know: {warning}")
    if found.left_out:
        print(f"Left out: {', '.join(found.left_out)} (--json says why).")
    print(found.sentence)


def commands(found: Advised, path: str, sources: Sequence[str], seen: Sequence[str]) -> list[str]:
    """What to type to follow the first advice: a fusion, where it asks for another than the usual, and the transfer.

    Args:
        found: the advice.
        path: of the data.
        sources: those that were named; empty: all.
        seen: flags that say what may be seen.
    """
    first = found.rows[0]
    words = ["crossaisle", "transfer", path, "--target", found.target, "--method", first.method, *seen]
    words += [word for name, value in first.options.items() for word in ("-o", f"{name}={value}")]
    words += ["--sources", *sources] if sources else []
    if first.fusion in (None, DEFAULT_FUSION):
        return [shlex.join([*words, "--out", "runs/new"])]
    cut = seen[:2] if "--cut" in seen else []
    fuse = ["crossaisle", "fuse", path, "--method", str(first.fusion), *cut, "--sources", *first.sources]
    return [shlex.join([*fuse, "--out", "runs/base"]), shlex.join([*words, "--base", "runs/base", "--out", "runs/new"])]


def _row(row: Advice) -> tuple[str, ...]:
    ends = f"{100 * row.low:+.0f} to {100 * row.high:+.0f} %"
    return row.recipe, f"{100 * row.gain:+.0f} %", ends, f"{row.seconds / 60:.1f}", f"{row.memory:.1f}", row.word
