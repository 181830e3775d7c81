"""`crossaisle sources`: which domains to learn from, and what each adds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App

from .. import api
from ..evaluate.source_choice import Added, Compared, SourceChoice
from ..evaluate.spec import MethodSpec
from ..gap.report import GapReport
from ..gap.view import order_from
from ..report.words import VERDICTS, fraction, signed
from .flags import READ, BudgetFlag, Maybe, MethodOptions, Names, ReadFlags, open_data, options_of, typed
from .output import OUTPUT, Output, emit, table
from .progress import drawing

app = App(name="sources", help_epilogue="Example: crossaisle sources shop/ --target bakery --out runs/bakery-sources")


@app.default
def sources(
    path: str,
    /,
    *,
    target: str,
    method: str = "user_kernel",
    fusion: Annotated[str | None, Maybe] = None,
    sources: Names = (),
    option: MethodOptions = (),
    gap: Annotated[Path | None, Maybe] = None,
    cut: Annotated[str | None, Maybe] = None,
    weeks: Annotated[float | None, Maybe] = None,
    budget: BudgetFlag = None,
    out: Annotated[Path | None, Maybe] = None,
    seed: int = 0,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Choose which domains to learn from, and say what each adds, by purchases of the target that are held out.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        target: the domain to recommend in.
        method: what is fitted on each set of sources; a quick one, as one that reads a base fuses anew for each set.
        fusion: what makes the base, where the method reads one.
        sources: domains to choose among; all others when empty.
        option: an option of the method, key=value; as often as needed.
        gap: gap.json that ``crossaisle gap --out`` wrote for the same question; sources that carry most by it are
            tried first.
        cut: nothing from this time on is seen, for example 2024-09-30.
        weeks: pretend that the target opened this many weeks before the cut.
        budget: time for all fits together, such as 10m; until nothing is left to try when absent.
        out: folder that keeps what was fitted, so that the same command goes on after Ctrl-C.
        seed: of everything random.
    """
    spec = MethodSpec(method, options=options_of(option), fusion=fusion)
    with drawing():
        world = open_data(path, read)
        near = None if gap is None else order_from(GapReport.read(gap), world, target, cut, weeks)
        found = api.select_sources(
            world,
            target,
            method=spec,
            sources=sources,
            order=None if near is None else {n: v for n, v in near.items() if not sources or n in sources},
            cut=cut,
            weeks=weeks,
            budget=budget,
            out=out,
            seed=seed,
        )
    if output.json:
        emit(found.to_dict())
    else:
        _show(found)
        given = [*(w for name in option for w in ("-o", name)), *typed("cut", cut), *typed("weeks", weeks)]
        print(f"next: {_next(found, path, given)}")


def _show(found: SourceChoice) -> None:
    if found.adds:
        print(f"held-out nDCG@10 of {found.method}, {found.people} people\n")
        adds = [(a.source, "yes" if a.chosen else "", signed(a.difference), _range(a), VERDICTS[a.verdict])
                for a in found.adds]  # fmt: skip
        title = f"What each source adds to {found.target}"
        table(title, ["source", "chosen", "adds", "95 % interval", "in words"], adds, right=["adds"])
        sets: list[tuple[object, ...]] = [
            (c.name, len(c.sources), fraction(c.quality), _range(c), VERDICTS[c.verdict])
            for c in found.compared
            if c.name != "all"
        ]
        every = next(c for c in found.compared if c.name == "all")
        sets.append(("all", len(every.sources), fraction(every.quality), "", ""))
        table("Beside all sources", ["set", "sources", "nDCG@10", "difference", "in words"], sets, right=["sources"])
        forward = next(c for c in found.compared if c.name == "forward")
        print(f"forward: {', '.join(forward.sources) or 'none'}")
    for names, why in found.failed.items():
        print(f"with {names or 'no source'} nothing could be fitted: {why}")
    print(f"chosen: {', '.join(found.sources) or 'none, the target alone'}\nwhy: {found.why}")


def _range(row: Added | Compared) -> str:
    return f"{signed(row.low)} to {signed(row.high)}"


def _next(found: SourceChoice, path: str, given: Sequence[str]) -> str:
    alone = ["--method", "user_kernel", "-o", "scope=target"]
    carried = ["--method", found.method, *given, "--sources", *found.sources]
    words = ["crossaisle", "transfer", path, "--target", found.target, *(carried if found.sources else alone)]
    return shlex.join([*words, "--out", found.target.lower().replace(" ", "-")])
