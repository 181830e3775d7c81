"""Which sources are chosen on held-out purchases, and whether the test rows agree: docs/results/sources.md.

    CROSSAISLE_BENCH=/data/bench python benchmarks/sources.py --out runs/sources --write docs/results

Real questions with `user_kernel` (xmrec-t1: `item_knn` on all markets): what was chosen, what the forward selection
found, all sources and none, each fitted on everything visible and scored on the test rows. Made-up Worlds: how often a
planted source is rightly taken or left out. Finished fits of the selection are kept in --out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from watched import wilson, write_page

from crossaisle.api import SourceChoice, select_sources
from crossaisle.bench.question import Question
from crossaisle.bench.run import places
from crossaisle.bench.sets import IOU, XMREC
from crossaisle.cli.progress import drawing
from crossaisle.data.demo import CUT, TEST_WEEKS
from crossaisle.data.load import from_folder, open_world
from crossaisle.data.synthetic import synthetic
from crossaisle.data.world import World
from crossaisle.evaluate import sources
from crossaisle.evaluate.slices import evaluate_users, slices_of
from crossaisle.evaluate.spec import Entry, MethodSpec, Study, entry_of
from crossaisle.evaluate.stats import paired
from crossaisle.evaluate.steps import Step, problem_at
from crossaisle.metrics import Doubles, ndcg_at
from crossaisle.transfer.problem import Problem

KERNEL = MethodSpec("user_kernel")
MARKETS = MethodSpec("item_knn", options={**IOU, "scope": "all"})
ASKED = {"item_knn": XMREC.protocol(99)}
"""What is held out as the test asks, where it does not ask for whole people."""
WORLDS = 100
PLANTED = {"n_domains": 3, "users": 300, "items": 60, "interactions": 12.0, "user_overlap": 1.0, "item_overlap": 1.0}
KINDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "d1 the same tastes, d2 the opposite ones": ({"conflict": 1.0, "conflict_domains": (2,)}, ("d1",)),
    "d1 the same tastes, d2 opposite in half of the factors": ({"conflict": 0.5, "conflict_domains": (2,)}, ("d1",)),
    "both the same tastes": ({}, ("d1", "d2")),
    "both unrelated tastes": ({"shared": 0.0}, ()),
}
"""What is planted in the Worlds, and the set that should be chosen."""
Judge = Callable[[Problem, Any], Doubles]


@dataclass(frozen=True)
class Scored:
    """A set of sources on the test rows: mean nDCG@10, and its difference from all sources with a 95 % interval."""

    name: str
    sources: tuple[str, ...]
    ndcg: float
    difference: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class Found:
    """One real question."""

    name: str
    method: str
    test_people: int
    seconds: float
    choice: dict[str, Any]
    scored: tuple[Scored, ...]


@dataclass(frozen=True)
class Rate:
    """`hits` of `worlds` Worlds in which the planted set was chosen; `forward`: in which the selection found it."""

    kind: str
    right: tuple[str, ...]
    worlds: int
    hits: int
    forward: int
    chosen: dict[str, int]


def of_study(world: World, study: Study) -> tuple[Problem, Judge]:
    """The question of the only week of `study`, and how a set is judged on its test rows."""
    problem = problem_at(world, study, Step(week=study.weeks[0]), 0)
    slices = slices_of(problem)

    def judge(smaller: Problem, made: Any) -> Doubles:
        return evaluate_users(made.scorer.score, smaller, slices=slices)["new", "ndcg", 10].values

    return problem, judge


def of_lists(folder: Path, target: str) -> tuple[Problem, Judge]:
    question = Question.of(folder, from_folder(folder), target)

    def judge(smaller: Problem, made: Any) -> Doubles:
        return ndcg_at(places(replace(question, problem=smaller), made.scorer.score)[0], 10)

    return question.problem, judge


def questions(bench: Path) -> Iterator[tuple[str, MethodSpec, Callable[[], tuple[Problem, Judge]]]]:
    demo = partial(Study, cut=CUT, test_weeks=TEST_WEEKS, ship="user_kernel")
    for target, week in (("NUTRITION", 8.0), ("NUTRITION", 1.0), ("DELI", 8.0), ("SEAFOOD", 8.0)):
        study = demo(target, weeks=(week,))
        yield f"demo, {target}, week {week:g}", KERNEL, lambda study=study: of_study(World.demo(), study)
    retail = Study("Germany", cut="2011-10-01", test_weeks=8, weeks=(8.0,), ship="user_kernel")
    yield (
        "online-retail, Germany, week 8",
        KERNEL,
        lambda: of_study(open_world(str(bench / "online-retail")), retail),
    )
    yield "xmrec-t1, given candidates", MARKETS, lambda: of_lists(bench / "xmrec-t1", "t1")


def answer(name: str, spec: MethodSpec, problem: Problem, judge: Judge, out: Path) -> Found:
    entry, start = entry_of(spec), time.process_time()
    choice = sources.select_sources(problem, entry, protocol=ASKED.get(spec.method), folder=out)
    seconds = time.process_time() - start
    forward = next((c.sources for c in choice.compared if c.name == "forward"), ())
    sets = {"chosen": choice.sources, "forward": forward, "none": (), "all": problem.sources}
    values = {names: scored(entry, problem, names, judge) for names in dict.fromkeys(sets.values())}
    every = values[problem.sources]
    rows = [Scored(n, s, float(values[s].mean()), *paired(values[s], every)) for n, s in sets.items()]
    return Found(name, spec.label, len(every), round(seconds, 1), choice.to_dict(), tuple(rows))


def scored(entry: Entry, problem: Problem, names: tuple[str, ...], judge: Judge) -> Doubles:
    smaller = replace(problem, sources=names)
    return judge(smaller, entry.method.fit(None, smaller, entry.options))


def rates() -> Iterator[Rate]:
    for kind, (options, right) in KINDS.items():
        chosen = [choice_in(options, seed) for seed in range(WORLDS)]
        forward = sum(next(c.sources for c in found.compared if c.name == "forward") == right for found in chosen)
        sets = [" + ".join(found.sources) or "none" for found in chosen]
        times = {name: sets.count(name) for name in sorted(set(sets))}
        yield Rate(kind, right, WORLDS, sum(found.sources == right for found in chosen), forward, times)


def choice_in(options: dict[str, Any], seed: int) -> SourceChoice:
    world, _ = synthetic(seed=seed, **PLANTED, **options)
    return select_sources(world, "d0", weeks=4.0)


def page(found: list[Found], planted: list[Rate]) -> str:
    lines = [
        "# Which sources are chosen",
        "",
        "    CROSSAISLE_BENCH=/data/bench python benchmarks/sources.py --out runs/sources --write docs/results",
        "",
        "Sources are chosen on held-out purchases ([how](../sources.md)); then each set is fitted on all that is",
        "visible and scored on the test rows: new-to-user nDCG@10 by full ranking; for xmrec-t1 among the given",
        "candidates, and held out are one review a person among 99 drawn items, as its test asks. Differences are",
        "from all sources, paired, with 95 % bootstrap intervals over people. Seed 0; all methods are without chance.",
        "*Seconds*: of the processor, for the whole selection, one thread.",
        "",
        "| question | method | sources | fits | seconds | people | set | held-out | test nDCG@10 | test difference |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        held = {tuple(c["sources"]): c["quality"] for c in row.choice["compared"]}
        every = next(s for s in row.scored if s.name == "all")
        head = f"{row.name} | {row.method} | {len(every.sources)} | {row.choice['fits']} | {row.seconds:.0f} | "
        head += str(row.choice["people"])
        for s in row.scored:
            if s.name == "chosen":
                continue
            name = f"**{s.name}**" if set(s.sources) == set(row.choice["sources"]) else s.name
            name += f" ({', '.join(s.sources) or 'no source'})" if s.name == "forward" else ""
            inside = f"{held[s.sources]:.4f}" if s.sources in held else "–"
            apart = "" if s.name == "all" else f"{s.difference:+.4f} ({s.low:+.4f} to {s.high:+.4f}), {s.verdict}"
            lines.append(f"| {head} | {name} | {inside} | {s.ndcg:.4f} | {apart} |")
            head = " | | | | | "
    lines += ["", "Bold: the set that was chosen.", "", "What single sources add, beyond noise, to the chosen set:", ""]
    for row in found:
        told = [a for a in row.choice["adds"] if a["verdict"] != "no difference"]
        text = "; ".join(f"{a['source']} {a['difference']:+.4f} ({a['low']:+.4f} to {a['high']:+.4f})" for a in told)
        lines.append(f"- {row.name}: {text or 'none of them'}.")
    lines += [
        "",
        "## Planted",
        "",
        f"{WORLDS} made-up Worlds of each kind (seeds 0 to {WORLDS - 1}; 300 people and 60 items, the same in all",
        "three domains; four weeks of the target d0 visible). 95 % Wilson intervals.",
        "",
        "| planted | should be chosen | chosen | found by the forward selection | what was chosen |",
        "|---|---|---|---|---|",
    ]
    for r in planted:
        share = "{:.0%} ({:.0%} to {:.0%})".format(r.hits / r.worlds, *wilson(r.hits, r.worlds))
        times = ", ".join(f"{name} {n}" for name, n in r.chosen.items())
        right = " + ".join(r.right) or "none"
        lines.append(f"| {r.kind} | {right} | {share} | {r.forward / r.worlds:.0%} | {times} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    found = []
    with drawing():
        for name, spec, make in questions(Path(os.environ["CROSSAISLE_BENCH"])):
            found.append(answer(name, spec, *make(), asked.out))
            print(json.dumps(asdict(found[-1]) | {"choice": found[-1].choice["sources"]}), flush=True)
        planted = list(rates())
    text = page(found, planted)
    print(text)
    if asked.write is not None:
        write_page(asked.write / "sources.md", text)
        body = {"questions": [asdict(f) for f in found], "planted": [asdict(r) for r in planted]}
        (asked.write / "sources.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
