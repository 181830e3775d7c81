"""How long the grid of benchmarks/methods.py takes on two cores, from a random share of its cells run anew.

    CROSSAISLE_BENCH=/data/bench python benchmarks/methods_time.py --out runs/methods [--share 0.08]

--out holds the finished grid, whose seconds may have been measured beside other work. A share of its cells and of its
bases, drawn at random from each question, runs again in two processes of one thread, as the grid does with
``--workers 2``. The seconds of all cells are those on record times the ratio of the sample (ratio estimate), with a
95 % interval by bootstrap over the sample. Prints JSON; nothing in --out changes.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from methods import QUESTIONS, SEEDS, methods_of, world_of

from crossaisle.data.twins import remembering
from crossaisle.data.world import World
from crossaisle.evaluate.bases import Bases
from crossaisle.evaluate.cells import key_of, load_cell, study_parts, world_mark
from crossaisle.evaluate.slices import Slices, slices_of
from crossaisle.evaluate.spec import entries_of
from crossaisle.evaluate.steps import problem_at, seen_by, steps_of, with_seed
from crossaisle.evaluate.study import Job, fit_and_score
from crossaisle.transfer.problem import Problem

PROCESSES = 2
LEAST = 8
"""Cells and bases of a question that run again at least."""


@dataclass(frozen=True)
class Part:
    """A cell or a base of the grid.

    Attributes:
        question: its index in `QUESTIONS`.
        job: the cell; for a base, one of those that rest on it.
        seconds: on record.
        base: whether it is the base that is meant.
    """

    question: int
    job: Job
    seconds: float
    base: bool


def parts_of(index: int, out: Path) -> list[Part]:
    """All cells and bases of one question that `out` has."""
    question = QUESTIONS[index]
    study, mark = question.study, world_mark(world(index))
    found, bases = list[Part](), dict[Any, Part]()
    for entry in entries_of(methods_of(question)):
        for step in steps_of(study):
            for seed in SEEDS:
                key = key_of(mark, study_parts(study), entry, step, seed)
                cell = load_cell(question.folder(out) / "cells", key, entry.label)
                if cell is None or not cell.values or cell.costs is None:
                    continue
                job = Job(step, seed if study.random_split else SEEDS[0], entry, seed)
                found.append(Part(index, job, cell.costs.fit_seconds, base=False))
                if cell.costs.fuse_seconds:
                    options = json.dumps(entry.fusion_options, default=str)
                    what = (entry.fusion and entry.fusion.name, options, seed)
                    bases.setdefault(what, Part(index, job, cell.costs.fuse_seconds, base=True))
    return [*found, *bases.values()]


@lru_cache(maxsize=1)
def world(index: int) -> World:
    return world_of(QUESTIONS[index])


@lru_cache(maxsize=1)
def asked(index: int, step: Any, split_seed: int) -> tuple[Problem, Slices]:
    study = replace(QUESTIONS[index].study, seeds=SEEDS)
    problem = problem_at(world(index), study, step, split_seed)
    return problem, slices_of(problem, remembering(world(index), study.target))


def again(part: Part, out: Path) -> float:
    """Seconds that `part` takes now: of a base its fusion, of a cell its fit and scores."""
    question, job = QUESTIONS[part.question], part.job
    problem, slices = asked(part.question, job.step, job.split_seed)
    problem = seen_by(job.entry, with_seed(problem, job.seed))
    bases = Bases(None if part.base else question.folder(out) / "bases")
    if part.base:
        return bases.get(job.entry, problem, job.seed)[1]
    bases.get(job.entry, problem, job.seed)
    start = time.perf_counter()
    fit_and_score(job.entry, job.step, problem, slices, bases, question.study)
    return time.perf_counter() - start


def drawn(parts: list[Part], share: float, rng: np.random.Generator) -> list[Part]:
    """A random share of `parts`, at least `LEAST`; cells and bases each."""
    chosen = list[Part]()
    for base in (False, True):
        among = [p for p in parts if p.base is base]
        size = min(len(among), max(LEAST, round(share * len(among))))
        chosen += [among[i] for i in sorted(rng.choice(len(among), size, replace=False))]
    return chosen


def estimate(parts: list[Part], sample: list[tuple[Part, float]], rng: np.random.Generator) -> np.ndarray:
    """Seconds of all `parts`: as the sample says, then 1,000 times as a bootstrap of it says."""
    total = np.zeros(1001)
    for base in (False, True):
        on_record = sum(p.seconds for p in parts if p.base is base)
        pairs = np.array([(p.seconds, now) for p, now in sample if p.base is base])
        if not len(pairs):
            continue
        picks = rng.integers(len(pairs), size=(1000, len(pairs)))
        sums = np.vstack([pairs.sum(axis=0), pairs[picks].sum(axis=1)])
        total += on_record * sums[:, 1] / np.maximum(sums[:, 0], 1e-9)
    return total


def _work(given: tuple[list[Part], Path]) -> list[tuple[Part, float]]:
    import torch

    torch.set_num_threads(1)
    parts, out = given
    found = []
    for part in parts:
        found.append((part, again(part, out)))
        what, now = "base" if part.base else part.job.entry.label, found[-1][1]
        print(
            f"{QUESTIONS[part.question].name}, {part.job.step.name}, {what}: {part.seconds:.1f} s, now {now:.1f}",
            flush=True,
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/methods"), help="folder of the finished grid")
    parser.add_argument("--share", type=float, default=0.08, help="of the cells and bases of a question")
    asked_for = parser.parse_args()
    rng = np.random.default_rng(0)
    everything = [parts_of(i, asked_for.out) for i in range(len(QUESTIONS))]
    sample = [part for parts in everything for part in drawn(parts, asked_for.share, rng)]
    lanes = [sample[i::PROCESSES] for i in range(PROCESSES)]
    start = time.perf_counter()
    with get_context("spawn").Pool(PROCESSES) as pool:
        ran = [pair for lane in pool.map(_work, [(lane, asked_for.out) for lane in lanes]) for pair in lane]
    questions = dict[str, Any]()
    total = np.zeros(1001)
    for index, parts in enumerate(everything):
        mine = [(p, now) for p, now in ran if p.question == index]
        seconds = estimate(parts, mine, rng)
        total += seconds
        questions[QUESTIONS[index].name] = {
            "cells": sum(not p.base for p in parts),
            "bases": sum(p.base for p in parts),
            "hours_on_record": round(sum(p.seconds for p in parts) / 3600, 2),
            "hours": round(float(seconds[0]) / 3600, 2),
            "sample": len(mine),
        }
    hours = total / 3600 / PROCESSES
    low, high = np.percentile(hours[1:], [2.5, 97.5])
    found = {"questions": questions, "sample_minutes": round((time.perf_counter() - start) / 60, 1)}
    found |= {"grid_hours_two_processes": round(float(hours[0]), 2), "low": round(low, 2), "high": round(high, 2)}
    found["over_90_s"] = f"{sum(now > 90 for p, now in ran if not p.base)} of {sum(not p.base for p, _ in ran)}"
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
