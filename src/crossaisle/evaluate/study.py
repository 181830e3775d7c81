"""Run a study: every method at every step under every seed, resumable, and judged in one Report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..data.twins import remembering
from ..data.world import World
from ..errors import MethodError, TrainingError
from ..progress import tick
from ..transfer.method import check_needs
from ..transfer.problem import Problem
from .bases import Bases
from .budget import Budget
from .cells import Cell, key_of, load_cell, save_cell, study_parts, world_mark
from .costs import Costs, ms_per_request, peak_memory, size_of
from .judge import judge
from .result import Report
from .slices import Slices, evaluate_users, slices_of
from .spec import DEFAULT_METHODS, Entry, MethodSpec, Study, entries_of
from .steps import Step, check_study, facts_of, problem_at, seen_by, steps_of, with_seed
from .tuner import Tuner

SCORES = 4_000_000
"""Scores held at once: users are asked in blocks, so that a large catalogue fits."""


def evaluate(
    world: World, study: Study, methods: Sequence[MethodSpec] = DEFAULT_METHODS, out: str | Path | None = None
) -> Report:
    """Judge `methods` on one target domain.

    Each step of the split makes one Problem that all methods share. A method whose needs a step does not meet, or
    whose training fails, is left out there and the report says why. Methods without chance run once.

    Args:
        world: all domains.
        study: what is seen and asked.
        methods: who is judged; labels must differ.
        out: folder for finished cells (``out/cells``) and bases (``out/bases``). The same call again, after Ctrl-C
            for example, goes on from there. None keeps nothing.

    Returns:
        The Report; the same seeds give the same report apart from times and memory.

    Raises:
        ConfigError, DataError, MethodError: the question is wrong for this World, before anything runs.
        StorageError: the disk refused a write.
    """
    start = time.perf_counter()
    entries = entries_of(methods)
    check_study(world, study, entries)
    folder = None if out is None else Path(out)
    run = _Run.of(world, study, entries, folder)
    facts: list[dict[str, Any]] = []
    cells = list(run.cells(facts))
    return judge(world, study, entries, cells, facts, seconds=time.perf_counter() - start)


def fill(world: World, study: Study, methods: Sequence[MethodSpec], out: str | Path) -> None:
    """Run the cells of `evaluate` that `out` lacks, the last one first.

    For a second process on the same `out`: `evaluate` goes forward, this one backward, and they meet. Arguments and
    errors are those of `evaluate`.
    """
    entries = entries_of(methods)
    check_study(world, study, entries)
    _Run.of(world, study, entries, Path(out)).fill()


def tuner_of(study: Study, out: Path | None) -> Tuner:
    """Searches within the budget of `study`; bases and trials are kept in `out` where there is one."""
    bases = Bases(None if out is None else out / "bases")
    trials = None if out is None else out / "trials"
    return Tuner(None if study.budget is None else Budget.of(study.budget, trials), bases)


class Job(NamedTuple):
    """One cell that is asked for."""

    step: Step
    split_seed: int
    entry: Entry
    seed: int


class Asked(NamedTuple):
    """One question: the Problem under a seed, and whom it asks (made when first needed)."""

    seeded: Callable[[int], Problem]
    slices: Callable[[], Slices]


@dataclass(frozen=True)
class _Run:
    """One call of `evaluate`."""

    world: World
    study: Study
    entries: tuple[Entry, ...]
    out: Path | None
    tuner: Tuner

    @classmethod
    def of(cls, world: World, study: Study, entries: tuple[Entry, ...], out: Path | None) -> Self:
        """With bases and trials in `out`, where there is one."""
        return cls(world, study, entries, out, tuner_of(study, out))

    def jobs(self) -> list[Job]:
        """All cells that the study asks for, in order."""
        study, chance = self.study, self.study.random_split
        first = study.seeds[:1]
        return [
            Job(step, split_seed, entry, seed)
            for step in steps_of(study)
            for split_seed in (study.seeds if chance else first)
            for entry in self.entries
            for seed in ((split_seed,) if chance else study.seeds if entry.random else first)
        ]

    def cells(self, facts: list[dict[str, Any]]) -> Iterator[Cell]:
        """All cells in order; `facts` grows by one entry for each split."""
        jobs, ask = self.jobs(), self._asker(facts)
        tick("evaluate", 0, len(jobs))
        for done, job in enumerate(jobs, 1):
            yield self.cell(job, ask)
            tick(f"evaluate: {job.step.name}, {job.entry.label}", done, len(jobs))

    def fill(self) -> None:
        """Run the cells that the folder lacks, the last one first."""
        ask = self._asker([])
        for job in reversed(self.jobs()):
            self.cell(job, ask)

    def cell(self, job: Job, ask: Callable[[Step, int], Asked]) -> Cell:
        """The cell of `job`: from the folder, or run now."""
        asked = ask(job.step, job.split_seed)
        key = key_of(self.mark, study_parts(self.study), job.entry, job.step, job.seed)
        return self._kept(key, job.entry.label) or self._run(key, job, asked)

    @cached_property
    def mark(self) -> str:
        """Fingerprint of the World."""
        return world_mark(self.world)

    def _asker(self, facts: list[dict[str, Any]]) -> Callable[[Step, int], Asked]:
        """Makes the problem of a step and split seed; the last one is kept."""
        twins, study = remembering(self.world, self.study.target), self.study

        @lru_cache(maxsize=1)
        def ask(step: Step, split_seed: int) -> Asked:
            problem = problem_at(self.world, study, step, split_seed)
            facts.append(facts_of(problem, step) | ({"seed": split_seed} if study.random_split else {}))
            return Asked(cache(partial(with_seed, problem)), cache(partial(slices_of, problem, twins)))

        return ask

    def _kept(self, key: str, label: str) -> Cell | None:
        return None if self.out is None else load_cell(self.out / "cells", key, label)

    def _run(self, key: str, job: Job, asked: Asked) -> Cell:
        entry, step, problem = job.entry, job.step, seen_by(job.entry, asked.seeded(job.seed))
        try:
            # One search for all seeds: a method is tuned for a question, not for its luck.
            entry, told = self.tuner.tuned(entry, asked.seeded(job.split_seed))
            cell = fit_and_score(entry, step, problem, asked.slices(), self.tuner.bases, self.study)
            cell = replace(cell, tuning=told)
        except MethodError as error:  # costs nothing to find again, and may be mended by an installation
            return Cell(entry.label, step, problem.seed, skipped=str(error))
        except TrainingError as error:
            cell = Cell(entry.label, step, problem.seed, skipped=str(error))
        if self.out is not None:
            save_cell(self.out / "cells", key, cell)
        return cell


def fit_and_score(entry: Entry, step: Step, problem: Problem, slices: Slices, bases: Bases, study: Study) -> Cell:
    """Fit one method and score all test users in blocks.

    Raises:
        MethodError: a need is not met.
        TrainingError: the fit, or its scores, went wrong.
    """
    base, fuse_seconds = bases.get(entry, problem, problem.seed)
    check_needs(entry.method, base, problem)
    with peak_memory() as peak:
        start = time.perf_counter()
        made = entry.method.fit(base, problem, entry.options)
        fit_seconds = time.perf_counter() - start
        block = min(512, max(16, SCORES // max(1, len(problem.catalogue))))
        values = evaluate_users(made.scorer.score, problem, study.ks, study.metrics, block, slices)
    parameters, megabytes = size_of(made.scorer)
    speed = ms_per_request(made.scorer, problem, slices.users, max(study.ks))
    costs = Costs(fit_seconds, fuse_seconds, peak.mb, parameters, megabytes, speed)
    return Cell(entry.label, step, problem.seed, values, costs)
