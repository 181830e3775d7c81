"""The advisor's memory: what recipes reached at many launches of public data. Makes src/crossaisle/advisor/cases.json.

    CROSSAISLE_BENCH=/data/bench python benchmarks/cases.py --out runs/cases [--sets demo xmrec]
    python benchmarks/cases.py --out runs/cases --write
    CROSSAISLE_BENCH=/data/bench python benchmarks/cases.py --facts

Recipes that take seconds at some fifty launches, each also judged on held-out rows as `auto` would judge it, and the
launches of benchmarks/methods.py with all methods (docs/results/methods.json). Resumable. With --write nothing runs
that is there already. With --facts what was known of each launch is measured anew, in cases.json and methods.json, and
what recipes reached stays: for when a fact is new.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from methods import QUESTIONS, Question, reading, supermarket, world_of

from crossaisle.advisor import cases
from crossaisle.cli.progress import drawing
from crossaisle.data.world import World
from crossaisle.errors import CrossaisleError
from crossaisle.evaluate.cells import kept_array, key_of, load_cell, study_parts, world_mark, write_arrays
from crossaisle.evaluate.spec import Entry, MethodSpec, Study, entries_of
from crossaisle.evaluate.steps import Step, problem_at, steps_of
from crossaisle.evaluate.study import evaluate, tuner_of
from crossaisle.evaluate.tuner import Tuner
from crossaisle.evaluate.validation import Validation, validation_of
from crossaisle.gap.launch import LaunchFacts
from crossaisle.transfer.method import check_needs

SHIPPED = Path(__file__).parent.parent / "src/crossaisle/advisor" / cases.SHIPPED
GRID = Path(__file__).parent.parent / "docs/results/methods.json"
QUICK = (
    MethodSpec("popularity"),
    MethodSpec("item_knn"),
    MethodSpec("ease"),
    MethodSpec("als"),
    MethodSpec("user_kernel", "user_kernel@target", {"scope": "target"}),
    MethodSpec("content", "content@target", {"scope": "target"}),
    MethodSpec("user_kernel"),
    MethodSpec("user_knn"),
    MethodSpec("als", "als@all", {"scope": "all"}),
    MethodSpec("graph_filter", "graph_filter@all", {"scope": "all"}),
    MethodSpec("ease", "ease@all", {"scope": "all"}),
    MethodSpec("content"),
    MethodSpec("zero_shot"),
    MethodSpec("shared_bottom"),
    MethodSpec("blend", "blend closed", {"parts": ("popularity", "als", "user_kernel")}),
    MethodSpec("item_prior"),
    MethodSpec("blend"),
)
"""Recipes that take seconds, two networks, and the blend that ships."""
DEPARTMENTS = ("NUTRITION", "DELI", "COSMETICS", "PRODUCE", "MEAT-PCKGD", "SEAFOOD-PCKGD", "PASTRY", "SPIRITS")
COUNTRIES = ("Germany", "France", "Spain")
PAPER = ("office", "industrial")
MARKETS = ("t1", "t2", "s1", "s2", "s3")
LEISURE = ("toys", "beauty", "sports")


def questions() -> tuple[Question, ...]:
    """Launches of departments, countries, markets and categories."""
    autumn = Study("Germany", cut=datetime(2011, 10, 1), test_weeks=8.0, weeks=(0.0, 2.0, 8.0))
    spring = Study("office", split="k_shot", cut=datetime(2018, 5, 1), shots=(0, 1, 5))
    shots = Study("t1", split="k_shot", shots=(1, 5))
    return (
        *(supermarket(name) for name in DEPARTMENTS),
        *(Question(f"online-retail {c}", "online-retail", replace(autumn, target=c)) for c in COUNTRIES),
        *(Question(f"amazon-text-time {d}", "amazon-text-time", replace(spring, target=d)) for d in PAPER),
        *(Question(f"xmrec {m}", "xmrec-t1", replace(shots, target=m), one_in=4) for m in MARKETS),
        *(Question(f"amazon-overlap {d}", "amazon-overlap", replace(shots, target=d), one_in=8) for d in LEISURE),
    )


Place = tuple[str, str, str]
"""World, target and step of a launch."""
Quality = dict[tuple[str, str], np.ndarray]
"""(step, recipe) → (people,) nDCG@10."""


class Row(NamedTuple):
    """One recipe at one launch.

    Attributes:
        case: what it reached.
        held_out: (people,) nDCG@10 on held-out rows, as `auto` judges; None where too few people can be held out.
        test: (people,) nDCG@10 on the test rows, the same people for all recipes of a launch.
    """

    case: cases.Case
    held_out: np.ndarray | None
    test: np.ndarray


def held_out(question: Question, world: World, specs: Sequence[MethodSpec], out: Path) -> Quality:
    """What held-out rows of the target say of each recipe at each step."""
    study, tuner, mark, found = question.study, tuner_of(question.study, out), world_mark(world), {}
    for step in steps_of(study):
        problem = problem_at(world, study, step, study.seeds[0])
        asked = validation_of(problem)
        for entry in entries_of(specs) if asked.enough else ():
            key = "held-out-" + key_of(mark, study_parts(study), entry, step, study.seeds[0])
            quality = kept_array(out / "held-out", key, "quality")
            if quality is None:
                quality = _judged(entry, asked, tuner)
                write_arrays(out / "held-out", key, {"quality": quality}, {})
            if len(quality):
                found[step.name, cases.Recipe.of(entry.described()).name] = quality
    return found


def tested(question: Question, world: World, specs: Sequence[MethodSpec], out: Path) -> Quality:
    """What the test rows say of each recipe at each step, from the cells of `evaluate` in `out`."""
    study, mark, found = question.study, world_mark(world), Quality()
    for step in steps_of(study):
        for entry in entries_of(specs):
            key = key_of(mark, study_parts(study), entry, step, study.seeds[0])
            cell = load_cell(out / "cells", key, entry.label)
            if cell is not None and study.headline in cell.values:
                found[step.name, cases.Recipe.of(entry.described()).name] = cell.values[study.headline].values
    return found


def _judged(entry: Entry, asked: Validation, tuner: Tuner) -> np.ndarray:
    """(people,) quality; empty where it cannot run."""
    try:
        base, _ = tuner.bases.get(entry, asked.problem, asked.problem.seed)
        check_needs(entry.method, base, asked.problem)
        return asked.quality(entry.method.fit(base, asked.problem, entry.options).scorer.score)
    except CrossaisleError:
        return np.zeros(0)


def quick(out: Path, sets: Sequence[str] | None) -> Iterator[Row]:
    """The quick recipes at all launches."""
    last: tuple[tuple[str, int], World] | None = None
    for question in questions():
        if sets and not any(question.name.startswith(s) for s in sets):
            continue
        data = question.path, question.one_in
        world = last[1] if last is not None and last[0] == data else world_of(question)
        last = data, world
        specs = tuple(reading(s, {"content": question.content} if question.content else {}) for s in QUICK)
        study = replace(question.study, seeds=(0,), ship="user_kernel")
        folder = question.folder(out)
        with drawing():
            report = evaluate(world, study, specs, folder)
            seen = held_out(replace(question, study=study), world, specs, folder)
        values = tested(replace(question, study=study), world, specs, folder)
        for case in cases.cases_of(report):
            place = case.launch.step, case.recipe.name
            quality = seen.get(place)
            mean = None if quality is None else float(f"{quality.mean():.5g}")
            yield Row(replace(case, held_out=mean), quality, values[place])
        print(f"{question.name}: done", flush=True)


def measured_anew(wanted: set[Place]) -> Iterator[tuple[Place, LaunchFacts]]:
    """What is known beforehand of the launches `wanted`, as far as they are questions of ours."""
    for question in (*questions(), *QUESTIONS):
        name = question.path if question.one_in == 1 else f"{question.path}, one in {question.one_in}"
        mine = {place for place in wanted if place[:2] == (name, question.study.target)}
        if mine:
            world, study = world_of(question), question.study
            for step in steps_of(study):
                if (name, study.target, step.name) in mine:
                    problem = problem_at(world, study, step, study.seeds[0])
                    yield (name, study.target, step.name), LaunchFacts.of(problem)


def write_facts() -> None:
    """Facts of cases.json and methods.json."""
    kept, grid = (json.loads(path.read_text(encoding="utf-8")) for path in (SHIPPED, GRID))
    places = {(r["world"], r["target"], r["step"]) for r in kept["launches"]}
    steps = {
        (r["protocol"]["world"], r["protocol"]["target"], Step(step["week"], step["shots"]).name): step
        for r in grid["questions"].values()
        for step in r["protocol"]["steps"]
    }
    found = {place: facts.as_dict() for place, facts in measured_anew(places | steps.keys())}
    for row in kept["launches"]:
        row["facts"] = found[row["world"], row["target"], row["step"]]
    for place, step in steps.items():
        step["launch"] = found[place]
    SHIPPED.write_text(cases.to_json(cases.from_json(json.dumps(kept))) + "\n", encoding="utf-8")
    GRID.write_text(json.dumps(grid, indent=1) + "\n", encoding="utf-8")


def _place(case: cases.Case) -> tuple[Place, float, str]:
    """A recipe at a launch: what the grid says of it is older than what was measured here."""
    launch = case.launch
    return (launch.world, launch.target, launch.step), launch.facts.sources, case.recipe.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/cases"), help="folder of cells and bases")
    parser.add_argument("--sets", nargs="+", help="launches whose name begins so; all when absent")
    parser.add_argument("--write", action="store_true", help=f"write {SHIPPED.name}")
    parser.add_argument("--facts", action="store_true", help="only measure anew what is known of each launch")
    asked = parser.parse_args()
    if asked.facts:
        write_facts()
        return
    found = [row.case for row in quick(asked.out, asked.sets)]
    if asked.write:
        from methods_page import read_reports

        mine = {_place(case) for case in found}
        grid = (c for report in read_reports(GRID).values() for c in cases.cases_of(report))
        kept = (c for c in grid if "parts" not in c.recipe.options)  # blends with a network less are no recipes
        made = [*found, *(c for c in kept if _place(c) not in mine)]
        SHIPPED.write_text(cases.to_json(made) + "\n", encoding="utf-8")
        print(f"{len(made)} cases of {len({c.launch.group for c in made})} targets: {SHIPPED.name}")


if __name__ == "__main__":
    main()
