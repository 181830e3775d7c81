"""`crossaisle transfer`: a recommender for a target domain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App

from .. import api
from ..evaluate.budget import Budget
from ..evaluate.search import told
from ..models.base import Base
from ..recommender import Recommender
from ..train.checkpoint import keeping
from .flags import READ, BudgetFlag, Maybe, MethodOptions, Names, ReadFlags, open_data, options_of
from .output import OUTPUT, Output, emit
from .progress import drawing

app = App(
    name="transfer",
    help_epilogue="Example: crossaisle transfer shop/ --target bakery --method finetune --base base --out bakery "
    "-o steps=300",
)


@app.default
def transfer(
    path: str,
    /,
    *,
    target: str,
    out: Path,
    method: str = "blend",
    base: Annotated[Path | None, Maybe] = None,
    sources: Names = (),
    option: MethodOptions = (),
    cut: Annotated[str | None, Maybe] = None,
    weeks: Annotated[float | None, Maybe] = None,
    budget: BudgetFlag = None,
    seed: int = 0,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Fit a recommender for a target domain on everything that may be seen.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        target: the domain to recommend in.
        out: folder that takes the recommender.
        method: a transfer method or control; ``crossaisle methods`` lists them.
        base: folder of a base that ``crossaisle fuse`` saved; a method that reads one and gets none fuses one first.
        sources: domains whose knowledge may be used; all others when empty. ``crossaisle sources`` chooses.
        option: an option of the method, key=value; as often as needed.
        cut: nothing from this time on is seen, for example 2024-09-30.
        weeks: pretend that the target opened this many weeks before the cut.
        budget: time to search options on held-out rows, such as 10m; those that are given with -o stay. The trials,
            and those of auto, are kept beside ``out``, so that the same command goes on from there.
        seed: of everything random.
    """
    options = options_of(option)
    trials = out.with_name(f"{out.name}.trials")
    within = None if budget is None else Budget.of(budget, trials)
    with drawing(), keeping(trials if method == "auto" else None):
        loaded = None if base is None else Base.load(base)
        world = open_data(path, read)
        made = api.transfer(
            world,
            target,
            method=method,
            base=loaded,
            sources=sources,
            cut=cut,
            weeks=weeks,
            budget=within,
            seed=seed,
            **options,
        )
        made.save(out)
    _say(made, out, output)


def _say(made: Recommender, out: Path, output: Output) -> None:
    tuning, auto = made.facts.get("tuning", {}), made.facts.get("auto", {})
    if output.json:
        found = {"recommender": str(out), "method": made.method, "domain": made.domain, "items": len(made.catalogue)}
        emit(found | ({"tuning": tuning} if tuning else {}) | ({"auto": auto} if auto else {}))
        return
    if auto:
        print(f"method: {auto['chosen']}, {auto['why']}")
    if tuning:
        print(f"options: {told(tuning)}")
    print(f"recommender: {out}\nnext: crossaisle recommend {out} --user ID -k 10")
