"""Run a study: every method at every step under every seed, resumable, and judged in one Report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..data.world import World
from ..errors import MethodError, TrainingError
from ..progress import tick
from ..transfer.method import check_needs
from ..transfer.problem import Problem
from .bases import Bases
from .cells import Cell, key_of, load_cell, save_cell, study_parts, world_mark
from .costs import Costs, ms_per_request, peak_memory, size_of
from .judge import judge
from .result import Report
from .slices import Slices, evaluate_users, slices_of
from .spec import DEFAULT_METHODS, Entry, MethodSpec, Study, entries_of
from .steps import Step, check_study, facts_of, problem_at, steps_of, with_seed
from .twins import remembering

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
    run = _Run(world, study, entries, folder, Bases(None if folder is None else folder / "bases"))
    facts: list[dict[str, Any]] = []
    cells = list(run.cells(facts))
    return judge(world, study, entries, cells, facts, seconds=time.perf_counter() - start)


@dataclass(frozen=True)
class _Run:
    """One call of `evaluate`."""

    world: World
    study: Study
    entries: tuple[Entry, ...]
    out: Path | None
    bases: Bases

    def cells(self, facts: list[dict[str, Any]]) -> Iterator[Cell]:
        """All cells in order; `facts` grows by one entry for each split."""
        steps, study = steps_of(self.study), self.study
        split_seeds = study.seeds if study.random_split else study.seeds[:1]
        seeds = {e.label: study.seeds if e.random and not study.random_split else study.seeds[:1] for e in self.entries}
        total = len(steps) * len(split_seeds) * sum(len(s) for s in seeds.values())
        mark, parts, done = world_mark(self.world), study_parts(study), 0
        twins = remembering(self.world, study.target)
        tick("evaluate", 0, total)
        for step in steps:
            for split_seed in split_seeds:
                problem = problem_at(self.world, study, step, split_seed)
                facts.append(facts_of(problem, step) | ({"seed": split_seed} if study.random_split else {}))
                seeded = cache(partial(with_seed, problem))
                slices = cache(partial(slices_of, problem, twins))
                for entry in self.entries:
                    for seed in (split_seed,) if study.random_split else seeds[entry.label]:
                        key = key_of(mark, parts, entry, step, seed)
                        yield self._kept(key, entry.label) or self._run(key, entry, step, seeded(seed), slices)
                        done += 1
                        tick(f"evaluate: {step.name}, {entry.label}", done, total)

    def _kept(self, key: str, label: str) -> Cell | None:
        return None if self.out is None else load_cell(self.out / "cells", key, label)

    def _run(self, key: str, entry: Entry, step: Step, problem: Problem, slices: Callable[[], Slices]) -> Cell:
        try:
            cell = fit_and_score(entry, step, problem, slices(), self.bases, self.study)
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
