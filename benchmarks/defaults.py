"""Which defaults of `als`, `als_mix` and `item_knn` are good everywhere? Purchases held out of train, set by set.

    CROSSAISLE_BENCH=/data/bench python benchmarks/defaults.py --out runs/defaults [--sets phone t1] [--methods als]
    CROSSAISLE_BENCH=/data/bench python benchmarks/defaults.py --out runs/defaults --write docs/results

No test row of a public set is read. phone, sport and t1: the target's rows alone; game and video: rows of both
domains, for people whose rows in the target are all held out. Departments of the demo: a launch nine weeks before the
demo's test weeks begin, at weeks 1, 2 and 8. A set has one vote. Finished fits stay in --out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from crossaisle.bench.question import Question
from crossaisle.bench.sets import SETS
from crossaisle.data.load import from_folder
from crossaisle.data.world import World
from crossaisle.evaluate.cells import digest_of, source_of
from crossaisle.evaluate.slices import evaluate_users, slices_of
from crossaisle.evaluate.spec import Entry, MethodSpec, Study, entry_of
from crossaisle.evaluate.steps import problem_at, seen_by, steps_of, with_seed
from crossaisle.evaluate.validation import validation_of
from crossaisle.transfer.problem import Problem
from crossaisle.types import Floats, History

PUBLIC = {
    "phone": "disencdr-sport-phone",
    "sport": "disencdr-sport-phone",
    "t1": "xmrec-t1",
    "game": "cdrib-game-video",
    "video": "cdrib-game-video",
}
COLD = ("game", "video")
"""Asked for people of whom the target knows nothing: only rows of all domains can say anything."""
DEPARTMENTS = ("NUTRITION", "DELI", "COSMETICS", "PASTRY")
CUT, TEST_WEEKS, WEEKS = datetime(2017, 8, 28, 4), 9.0, (1.0, 2.0, 8.0)
SEEDS = (0, 1, 2)
"""Of random methods on the demo, whose questions are small; on public sets the first alone."""

FORMER = {"alpha": 10.0, "regularization": 10.0}
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "als": (
        {},
        {"factors": 16, **FORMER},
        {"factors": 128, "alpha": 40.0, "regularization": 200.0},
        {"penalty": 1.0},
        {"penalty": 0.7},
        {"factors": 64, "penalty": 1.0},
    ),
    "item_knn": (
        {},
        {"similarity": "cosine", "shrink": 10.0},
        {"similarity": "cosine"},
        {"similarity": "iou"},
        {"similarity": "iou", "neighbours": 1000, "shrink": 0.0, "weight": "binary"},
        {"similarity": "swing", "neighbours": 1000},
    ),
    "als_mix": ({}, FORMER),
}
"""The first of each is what nothing said means; the next is what that was before."""
Score = Callable[[History], Floats]
Quality = Callable[[Score], float]
"""What a fitted recommender's scores are worth."""


@dataclass(frozen=True)
class Asked:
    """A problem to fit on, under a seed, and how the answer is judged."""

    problem: Problem
    quality: Quality


def asked_of(name: str) -> list[Asked]:
    """What is asked of a set."""
    return _launches(name) if name in DEPARTMENTS else [_held_out(name)]


def _held_out(name: str) -> Asked:
    folder = PUBLIC[name]
    question = Question.of(_folder(folder), _world(folder), name)
    shown = question.problem
    shown = replace(shown, split=replace(shown.split, valid=shown.split.valid.clear()))  # rows of train alone
    held = validation_of(shown, SETS[folder].protocol(question.columns.shape[1] - 1))
    return Asked(held.problem, lambda score: float(held.quality(score).mean()))


def _launches(name: str) -> list[Asked]:
    world, made = _world("demo"), []
    study = Study(name, cut=CUT, test_weeks=TEST_WEEKS, weeks=WEEKS)
    for step in steps_of(study):
        problem = problem_at(world, study, step, 0)
        slices = slices_of(problem, lambda source, items: sp.csr_matrix((len(items), world.n_items)))

        def quality(score: Score, problem: Problem = problem, slices: Any = slices) -> float:
            return float(evaluate_users(score, problem, slices=slices)["new", "ndcg", 10].values.mean())

        made.append(Asked(problem, quality))
    return made


def _folder(name: str) -> Path:
    if "CROSSAISLE_BENCH" not in os.environ:
        raise SystemExit("where the sets are is not known; set CROSSAISLE_BENCH to their folder, or --sets NUTRITION.")
    return Path(os.environ["CROSSAISLE_BENCH"]) / name


@lru_cache(maxsize=1)
def _world(name: str) -> World:
    return World.demo() if name == "demo" else from_folder(_folder(name))


def judged(name: str, entry: Entry, asked: list[Asked]) -> dict[str, Any]:
    """nDCG@10, the mean over what is asked and seeds, and processor seconds of one fit."""
    seeds = SEEDS if entry.random and name in DEPARTMENTS else SEEDS[:1]
    values, seconds = [], 0.0
    for one in asked:
        for seed in seeds:
            problem, start = seen_by(entry, with_seed(one.problem, seed)), time.process_time()
            made = entry.method.fit(None, problem, entry.options)
            seconds += time.process_time() - start
            values.append(one.quality(made.scorer.score))
    return {"ndcg": float(np.mean(values)), "values": values, "fit_seconds": round(seconds / len(values), 2)}


def rows_of(names: list[str], methods: list[str], out: Path) -> Iterator[dict[str, Any]]:
    """One row for each set and setting; from `out` where it is there already."""
    for name in names:
        asked: list[Asked] = []
        for method in methods:
            for options in SETTINGS[method]:
                entry = entry_of(MethodSpec(method, options=options | ({"scope": "all"} if name in COLD else {})))
                key = digest_of([name, entry.described(), source_of(entry.method.fit)])
                kept = out / f"{name}-{method}-{key}.json"
                if not kept.exists():
                    asked = asked or asked_of(name)
                    kept.write_text(json.dumps(judged(name, entry, asked)), encoding="utf-8")
                yield {"set": name, "method": method, "options": options, **json.loads(kept.read_text())}


def mean_relative(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Setting → nDCG@10 as a share of the best setting's on the same set, mean over sets."""
    best = {r["set"]: max(o["ndcg"] for o in rows if o["set"] == r["set"]) for r in rows}
    return {
        s: float(np.mean([r["ndcg"] / best[r["set"]] for r in rows if said(r) == s]))
        for s in dict.fromkeys(said(r) for r in rows)
    }


def said(row: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in row["options"].items()) or (
        "**the defaults**"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Settings × sets, the best mean first; seconds are of the slowest fit."""
    sets = list(dict.fromkeys(r["set"] for r in rows))
    lines = [f"| setting | mean share | {' | '.join(sets)} | slowest fit, s |", "|---" * (len(sets) + 3) + "|"]
    means = mean_relative(rows)
    for setting in sorted(means, key=lambda s: -means[s]):
        mine = {r["set"]: r for r in rows if said(r) == setting}
        values = " | ".join(f"{mine[s]['ndcg']:.4f}" if s in mine else "–" for s in sets)
        slowest = max(r["fit_seconds"] for r in mine.values())
        lines.append(f"| {setting} | {means[setting]:.3f} | {values} | {slowest:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=[*DEPARTMENTS, *PUBLIC], choices=[*DEPARTMENTS, *PUBLIC])
    parser.add_argument("--methods", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--out", type=Path, default=Path("runs/defaults"), help="finished fits")
    parser.add_argument("--write", type=Path, help="folder for defaults.json")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in rows_of(given.sets, given.methods, given.out):
        rows.append(row)
        print(row["set"], row["method"], said(row), f"{row['ndcg']:.4f}", f"{row['fit_seconds']:.1f} s", flush=True)
    for method in given.methods:
        print(f"\n{method}\n\n{table([r for r in rows if r['method'] == method])}")
    if given.write:
        text = json.dumps({"cut": CUT.isoformat(), "weeks": WEEKS, "seeds": SEEDS, "rows": rows}, indent=1)
        (given.write / "defaults.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
