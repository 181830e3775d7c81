"""A whole set: read the folder, ask every target, put the rows together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..data.load import from_folder
from ..evaluate.bases import Bases
from ..evaluate.budget import Budget
from ..evaluate.judge import environment_of
from ..evaluate.spec import entries_of
from ..evaluate.tuner import Tuner
from .candidates import targets_of
from .result import BenchResult, Row, rows_of
from .run import Question, run
from .sets import BenchSet


def bench_set(
    asked: BenchSet, folder: Path, seeds: tuple[int, ...], out: Path, ablation: bool = False, budget: str | None = None
) -> BenchResult:
    """Run the methods of `asked` on every target that `folder` has lists for.

    Args:
        asked: methods and published numbers.
        folder: train, test, items and candidates, as docs/data.md says.
        seeds: of the methods that draw at random.
        out: finished cells are kept here and taken from here.
        ablation: also the stack without each of its parts.
        budget: time to search the options of each expert and target on held-out rows, such as ``10m``, from the set's
            options on; trials are kept in `out`. The parts of `stack` keep theirs.

    Raises:
        ConfigError: the budget is no span of time.
        DataError: files are missing or wrong.
        StorageError: the disk refused.
    """
    start = time.perf_counter()
    within = None if budget is None else Budget.of(budget, out / "trials")
    targets = targets_of(folder)
    world = from_folder(folder)
    entries = entries_of(asked.methods(ablation))
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for target in targets:
        question = Question.of(folder, world, target)
        tuner = Tuner(within, Bases(out / "bases"), asked.protocol(question.lists.items.shape[1] - 1), free=True)
        found = list(run(question, entries, seeds, out, tuner))
        rows += rows_of(folder.name, target, question.lists.users, question.lists.twin, found)
        skipped |= {f"{p.label} ({target})": p.skipped for p in found if p.skipped}
        facts[target] = {f"{p.label}, seed {p.seed}": p.facts for p in found if p.facts}
    environment = environment_of((), time.perf_counter() - start)
    return BenchResult(folder.name, tuple(rows), asked.published, skipped, facts, environment)
