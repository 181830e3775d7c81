"""Runs a study into its folder: report, finished cells, and the recommender that ships. Shared by several commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .. import report
from ..data.overview import fact_of
from ..data.world import World
from ..errors import ArtifactError, MethodError, TrainingError
from ..evaluate.bases import Bases
from ..evaluate.cells import key_of, study_parts, world_mark
from ..evaluate.result import Report
from ..evaluate.spec import Entry, entry_of
from ..evaluate.steps import problem_at, seen_by, steps_of
from ..evaluate.study import evaluate, fill, tuner_of
from ..files import write_whole
from ..recommender import Recommender
from ..transfer.method import check_needs
from ..transfer.problem import Problem
from .flags import open_data
from .output import Output, console, emit, say
from .progress import drawing
from .runfile import Run
from .workers import helped

RECOMMENDER = "recommender"


def execute(run: Run, output: Output, workers: int = 1) -> Report:
    """Run, write and show. A second call goes on where the first was interrupted.

    Args:
        run: what is asked.
        output: how it is shown.
        workers: processes, 1 or 2; see `workers.helped`.

    Raises:
        CrossaisleError: wrong data, study or methods, or a disk that refuses.
    """
    with drawing():
        world = open_data(run.location, run.read)
        found = judge_all(world, run, workers)
        shipped = ship(world, run, found)
    if output.json:
        emit(document(run, found, shipped))
    else:
        _show(run, found, shipped)
    return found


def judge_all(world: World, run: Run, workers: int = 1) -> Report:
    """Judge the run's methods on `world`; its folder has ``config.toml`` and the report afterwards."""
    write_whole(run.out / "config.toml", run.text.encode())
    with helped(workers, run.study.budget, fill_run, run):
        found = evaluate(world, run.study, run.methods, run.out)
    report.write(found, run.out)
    return found


def fill_run(run: Run) -> None:
    """Fill the cells of `run` from the end, for a second process."""
    fill(open_data(run.location, run.read), run.study, run.methods, run.out)


def ship(world: World, run: Run, found: Report) -> Recommender | None:
    """The recommender that the report says should ship, fitted on all that is known at the cut, in the run folder.

    It is fitted once: a folder that holds the same recommender already is left alone. None where the method cannot
    be fitted, which is said.
    """
    label = found.ships[-1].ships
    entry = entry_of(next(m for m in run.methods if m.label == label))
    step, seed = steps_of(run.study)[-1], run.study.seeds[0]
    key = key_of(world_mark(world), study_parts(run.study), entry, step, seed)
    folder = run.out / RECOMMENDER
    kept = _kept(folder, key)
    if kept is not None:
        return kept
    try:
        problem, tuner = problem_at(world, run.study, step, seed), tuner_of(run.study, run.out)
        tuned, _ = tuner.tuned(entry, problem)  # what the last step found; its trials are in the folder
        made = _fit(tuned, seen_by(entry, _everything_known(problem)), tuner.bases, seed)
    except (MethodError, TrainingError) as error:
        say(f"no recommender was saved: {error}")
        return None
    facts = {**fact_of(world, made.domain), "key": key, "data": world.name, "label": entry.label}
    made = replace(made, facts={**made.facts, **facts})
    made.save(folder)
    return made


def document(run: Run, found: Report, shipped: Recommender | None) -> dict[str, Any]:
    """What ``--json`` prints: where things are, and the headline's numbers."""
    name, metric, k = run.study.headline
    rows = [r for r in found.rows if (r.slice, r.metric, r.k) == (name, metric, k)]
    return {
        "out": str(run.out),
        "report": str(run.out / "report.json"),
        "page": str(run.out / "report.html"),
        "recommender": str(run.out / RECOMMENDER) if shipped is not None else None,
        "best": found.best,
        "ships": [vars(r) for r in found.ships],
        "headline": [vars(r) for r in rows],
        "time_saved": [vars(r) for r in found.time_saved],
        "warnings": found.warnings,
    }


def _show(run: Run, found: Report, shipped: Recommender | None) -> None:
    from ..report.terminal import show

    show(found, console())
    print(f"report: {run.out / 'report.html'}\nnumbers: {run.out / 'report.json'}")
    if shipped is not None:
        print(f'next: crossaisle recommend {run.out} --user {_somebody(shipped)} --domain "{shipped.domain}" -k 10')


def _somebody(shop: Recommender) -> str:
    """The user of whom most is known, as an example."""
    return shop.user_ids.decode(np.array([np.diff(shop.history.counts.indptr).argmax()]))[0]


def _everything_known(problem: Problem) -> Problem:
    """The question without its pretence: the target's hidden rows are shown, its test rows stay out."""
    split = problem.split
    shown = replace(split, train=pl.concat([split.train, split.hidden]), hidden=split.hidden.clear())
    return replace(problem, split=shown, weeks=None)


def _fit(entry: Entry, problem: Problem, bases: Bases, seed: int) -> Recommender:
    base, _ = bases.get(entry, problem, seed)
    check_needs(entry.method, base, problem)
    return entry.method.fit(base, problem, entry.options)


def _kept(folder: Path, key: str) -> Recommender | None:
    try:
        found = Recommender.load(folder)
    except ArtifactError:
        return None
    return found if found.facts.get("key") == key else None
