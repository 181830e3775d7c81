"""A whole set: read the folder, ask every target, put the rows together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..data.load import from_folder
from ..data.world import World
from ..evaluate.bases import Bases
from ..evaluate.budget import Budget
from ..evaluate.judge import environment_of
from ..evaluate.spec import entries_of
from ..evaluate.tuner import Tuner
from .candidates import targets_of
from .question import Question
from .result import BenchResult, Row, rows_of
from .run import run
from .sets import BenchSet
from .variants import Variants


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
    targets = [] if asked.split is not None else targets_of(folder)  # refuses before the World is read
    world = from_folder(folder)
    entries = entries_of(asked.methods())
    variants = Variants(ablation, asked.label_folds)
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for question in questions_of(asked, folder, world, targets):
        target, lists = question.problem.target, question.lists
        tuner = Tuner(within, Bases(out / "bases"), asked.protocol(_width(question)), free=True)
        found = list(run(question, entries, seeds, out, tuner, variants))
        rows += rows_of(folder.name, target, lists.users, lists.twin, found, question.candidates)
        skipped |= {f"{p.label} ({target})": p.skipped for p in found if p.skipped}
        facts[target] = {f"{p.label}, seed {p.seed}": p.facts for p in found if p.facts}
    environment = environment_of((), time.perf_counter() - start)
    return BenchResult(folder.name, tuple(rows), asked.published, skipped, facts, environment)


def questions_of(asked: BenchSet, folder: Path, world: World, targets: list[str]) -> Iterator[Question]:
    """One question for each of `targets`, candidates given; or what the set's split asks."""
    if asked.split is not None:
        yield Question.of_split(world, asked.split.target, asked.split.kind, asked.split.options)
        return
    for target in targets:
        yield Question.of(folder, world, target)


def _width(question: Question) -> int | None:
    """How many candidates a list has; None for the whole catalogue."""
    return question.lists.items.shape[1] - 1 if question.candidates else None
