"""A whole set: read the folder, ask every target, put the rows together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.load import from_folder
from ..evaluate.bases import Bases
from ..evaluate.budget import Budget, seconds_of
from ..evaluate.judge import environment_of
from ..evaluate.spec import entries_of
from ..evaluate.tuner import Tuner
from .candidates import targets_of
from .question import Question
from .result import BenchResult, Row, rows_of
from .run import Places, run
from .sets import BenchSet
from .variants import Variants


@dataclass(frozen=True)
class Asking:
    """A set and how it is run; a budget that is no span of time, and a label it has not, are a ConfigError.

    Attributes:
        what: methods and published numbers.
        folder: train, test, items and candidates, as docs/data.md says.
        seeds: of the methods that draw at random.
        out: finished cells are kept here and taken from here.
        ablation: also the stack without each of its parts.
        budget: time to search the options of each expert and target on held-out rows, such as ``10m``, from the set's
            options on; trials are kept in `out`. The parts of `stack` keep theirs.
    """

    what: BenchSet
    folder: Path
    seeds: tuple[int, ...]
    out: Path
    ablation: bool = False
    budget: str | None = None
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _ = self.what.methods(self.methods)
        if self.budget is not None:
            seconds_of(self.budget)

    def questions(self) -> list[Question]:
        """One for each target, candidates given; or what the set's split asks.

        Raises:
            DataError: files are missing or wrong.
        """
        split = self.what.split
        targets = [] if split is not None else targets_of(self.folder)  # refuses before the World is read
        world = from_folder(self.folder)
        if split is not None:
            return [Question.of_split(world, split.target, split.kind, split.options)]
        return [Question.of(self.folder, world, target) for target in targets]

    def places(self, question: Question, back: bool = False) -> Iterator[Places]:
        """What every method finds; see `run`."""
        within = None if self.budget is None else Budget.of(self.budget, self.out / "trials")
        tuner = Tuner(within, Bases(self.out / "bases"), self.what.protocol(_width(question)), free=True)
        variants = Variants(self.ablation, self.what.label_folds)
        return run(question, entries_of(self.what.methods(self.methods)), self.seeds, self.out, tuner, variants, back)


def bench_set(asked: Asking) -> BenchResult:
    """Run all methods on every target that the folder has lists for.

    Raises:
        DataError: files are missing or wrong.
        StorageError: the disk refused.
    """
    start = time.perf_counter()
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for question in asked.questions():
        target, lists = question.problem.target, question.lists
        found = list(asked.places(question))
        rows += rows_of(asked.folder.name, target, lists.users, lists.twin, found, question.candidates)
        skipped |= {f"{p.label} ({target})": p.skipped for p in found if p.skipped}
        facts[target] = {f"{p.label}, seed {p.seed}": p.facts for p in found if p.facts}
    environment = environment_of((), time.perf_counter() - start)
    return BenchResult(asked.folder.name, tuple(rows), asked.what.published, skipped, facts, environment)


def fill_set(asked: Asking) -> None:
    """Run what `asked.out` lacks, the last one first: for a second process, while `bench_set` goes forward.

    Errors are those of `bench_set`.
    """
    for question in reversed(asked.questions()):
        for _ in asked.places(question, back=True):
            pass


def _width(question: Question) -> int | None:
    """How many candidates a list has; None for the whole catalogue."""
    return question.lists.items.shape[1] - 1 if question.candidates else None
