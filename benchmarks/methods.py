"""All fusion and transfer methods on real data, with the controls, under default options: docs/results/methods.md.

    CROSSAISLE_BENCH=/data/bench python benchmarks/methods.py --out runs/methods [--sets online-retail] [--seeds 0 1 2]
    python benchmarks/methods.py --out runs/methods --write docs/results

Seven questions of five data sets, three and a half hours on two cores (benchmarks/methods_time.py); every cell (method,
step, seed) is kept in --out, and the same call goes on where it stopped. Nothing is tuned: each method runs with its
defaults, which is the equal budget. With --write nothing runs that is there already, and the page, its plot and its
JSON are written.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crossaisle import report
from crossaisle.cli.progress import drawing
from crossaisle.cli.workers import helped, workers_of
from crossaisle.data.demo import CUT, TEST_WEEKS
from crossaisle.data.load import open_world
from crossaisle.data.world import World
from crossaisle.evaluate.cells import Cell, key_of, load_cell, study_parts, world_mark
from crossaisle.evaluate.result import Report
from crossaisle.evaluate.spec import MethodSpec, Study, entries_of
from crossaisle.evaluate.stats import Interval, intervals, verdict_of
from crossaisle.evaluate.steps import Step, steps_of
from crossaisle.evaluate.study import evaluate, fill
from crossaisle.evaluate.tables import Table, tables_of
from crossaisle.fusion.method import FUSIONS
from crossaisle.transfer.blend import BlendOptions
from crossaisle.transfer.method import METHODS

CONTROLS = (
    MethodSpec("popularity"),
    MethodSpec("item_knn"),
    MethodSpec("ease"),
    MethodSpec("als"),
    MethodSpec("user_kernel", "user_kernel_target", {"scope": "target"}),
    MethodSpec("content", "content_target", {"scope": "target"}),
    MethodSpec("target_only"),
)
WIDE = tuple(MethodSpec(n, f"{n}_all", {"scope": "all"}) for n in ("ease", "als", "graph_filter"))
"""Closed forms over all domains."""
COMPOSITE = ("blend", "stack")
ELSEWHERE = ("sequence",)
"""Methods with a row in docs/results/bench.md alone."""
CLOSED = ("item_prior", "popularity", "als", "user_kernel", "content", "emcdr")
"""Parts of `blend` that are no networks: the blend without its network."""
NETWORK = "shared_bottom"
"""That of `blend` (`zero_shot` before the first sale)."""
SEEDS = (0, 1, 2)
WITH_FUSIONS = ("zero_shot", "shared_bottom")
"""How the base of each fusion is judged: as it is, and trained on with the target."""


@dataclass(frozen=True)
class Question:
    """One target of one set.

    Attributes:
        name: in tables.
        path: folder below CROSSAISLE_BENCH, or ``demo``.
        study: what is seen and asked.
        content: options of what networks read of items.
        one_in: of the people who shop in one domain only, one in so many is kept; those of several domains all are.
        networks: that stand in for the one of `blend`, to see what they add.
    """

    name: str
    path: str
    study: Study
    content: dict[str, Any] = field(default_factory=dict)
    one_in: int = 1
    networks: tuple[str, ...] = ()

    def folder(self, out: Path) -> Path:
        """Its place in `out`."""
        return out / self.name.replace(" ", "-")

    @property
    def compared(self) -> tuple[int, ...]:
        """Seeds that say what a network adds: more of them where each asks other people or shows other purchases."""
        return tuple(range(2 * len(SEEDS))) if self.study.random_split else SEEDS


def supermarket(target: str) -> Question:
    study = Study(target=target, cut=CUT, test_weeks=float(TEST_WEEKS), weeks=(0.0, 2.0, 8.0))
    return Question(f"demo {target}", "demo", study, {"text_fields": ("product_type", "category")})


QUESTIONS = (
    supermarket("NUTRITION"),
    supermarket("DELI"),
    supermarket("COSMETICS"),
    Question(
        "online-retail Germany",
        "online-retail",
        Study("Germany", ("United Kingdom",), cut=datetime(2011, 10, 1), test_weeks=8.0, weeks=(0.0, 2.0, 8.0)),
    ),
    Question(
        "amazon-text-time office",
        "amazon-text-time",
        Study("office", ("industrial",), "k_shot", cut=datetime(2018, 5, 1), shots=(0, 1, 5)),
    ),
    Question(
        "amazon-overlap toys",
        "amazon-overlap",
        Study(
            "toys", split="cold_users", share=0.2, split_options={"valid_share": 0.0, "overlapping": True}, seeds=(0,)
        ),
        one_in=5,
        networks=("finetune", "diffusion"),
    ),
    Question("xmrec-t1", "xmrec-t1", Study("t1", split="given"), networks=("lightgcn",)),
)


def methods_of(question: Question) -> tuple[MethodSpec, ...]:
    """Controls, every transfer under its own name, every fusion, and the blend with one network more or less."""
    reads = {"content": question.content} if question.content else {}
    made = {s.label: s for s in CONTROLS}
    for name, method in METHODS:
        if name not in (*COMPOSITE, *ELSEWHERE, *made) and method.fit.__module__.startswith("crossaisle."):
            made[name] = MethodSpec(name)
    made |= {s.label: s for s in WIDE}
    for fusion in FUSIONS.names():
        if fusion != "shared_bottom":
            for name in WITH_FUSIONS:
                made[f"{fusion}+{name}"] = MethodSpec(name, f"{fusion}+{name}", fusion=fusion)
    made["blend"] = MethodSpec("blend")
    made["blend_closed"] = _blend("blend_closed")
    made |= {f"blend_{name}": _blend(f"blend_{name}", name) for name in question.networks}
    return tuple(reading(s, reads) for s in made.values())


def _blend(label: str, *more: str) -> MethodSpec:
    """The blend of closed forms and `more`; the prior gives a network the weight that it has by default."""
    default = BlendOptions().prior
    prior = {n: w for n, w in default.items() if n in CLOSED} | dict.fromkeys(more, default[NETWORK])
    options: dict[str, Any] = {"parts": (*CLOSED, *more), "prior": prior}
    return MethodSpec("blend", label, options)


def reading(spec: MethodSpec, reads: dict[str, Any]) -> MethodSpec:
    """`spec` with what networks read of items, where it has a base or reads items itself."""
    method = METHODS.get(spec.method)
    if not reads:
        return spec
    if "content" in method.options.__dataclass_fields__:
        return replace(spec, options={**spec.options, **reads})
    parts = spec.options.get("parts", ())
    if spec.method == "blend" and parts:
        return spec
    return replace(spec, fusion_options=reads) if method.reads_base else spec


def world_of(question: Question) -> World:
    """Its data: ``demo``, or a folder below CROSSAISLE_BENCH."""
    if question.path == "demo":
        return World.demo()
    root = os.environ.get("CROSSAISLE_BENCH")
    if not root:
        raise SystemExit("CROSSAISLE_BENCH is not set; name the folder that holds the public sets, or --sets demo.")
    folder = Path(root) / question.path
    return open_world(folder) if question.one_in == 1 else thinned(folder, question.one_in)


def thinned(folder: Path, one_in: int) -> World:
    """The World of `folder` without most of the people who shop in one domain only."""
    plain, split = folder / "interactions.parquet", folder / "train.parquet"
    rows = pl.read_parquet(plain if plain.exists() else split)
    if "subset" in rows.columns:  # of xmrec-t1, which tells most of its rows twice
        rows = rows.drop("subset").unique(["user_id", "item_id", "domain"], keep="first", maintain_order=True)
    several = pl.col("domain").n_unique().over("user_id") > 1
    number = pl.col("user_id").rank("dense") - 1
    kept = rows.filter(several | (number % one_in == 0))
    return World.from_frames(kept, pl.read_parquet(folder / "items.parquet"), name=f"{folder.name}, one in {one_in}")


@dataclass(frozen=True)
class Difference:
    """What a network adds to the blend of closed forms at one step: paired over users, mean over `seeds`."""

    question: str
    step: str
    part: str
    seeds: int
    difference: float
    low: float
    high: float
    verdict: str


def added(question: Question, world: World, out: Path) -> list[Difference]:
    """What each network adds to a blend without one, by cells in `out`: of all seeds there for both."""
    study, mark = question.study, world_mark(world)
    entries = {e.label: e for e in entries_of([s for s in methods_of(question) if s.method == "blend"])}

    def kept(label: str, step: Step, seed: int) -> Cell | None:
        return load_cell(out / "cells", key_of(mark, study_parts(study), entries[label], step, seed), label)

    found = []
    for step in steps_of(study):
        for label, network in {"blend": NETWORK, **{f"blend_{n}": n for n in question.networks}}.items():
            pairs = [(kept(label, step, seed), kept("blend_closed", step, seed)) for seed in question.compared]
            both = [(a, b) for a, b in pairs if a and b and a.values and b.values]
            if both:
                table = tables_of([cell for pair in both for cell in pair])[study.headline]
                interval, verdict = above(table, label, "blend_closed")
                found.append(Difference(question.name, step.name, network, len(both), *interval, verdict))
    return found


def above(table: Table, label: str, other: str) -> tuple[Interval, str]:
    """How far the mean over seeds of `label` is above that of `other`, paired over users, and what that says."""
    rows = (table.mean_of(label) - table.mean_of(other))[None, :]
    (interval,) = intervals(rows)
    return interval, verdict_of(interval, int((~np.isnan(rows)).sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/methods"), help="folder of cells, bases and reports")
    parser.add_argument("--sets", nargs="+", help="questions whose name begins so; all when absent")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--only", nargs="+", help="labels of methods; tables stay as they are then")
    parser.add_argument("--without", nargs="+", default=[], help="labels that are left out this time")
    parser.add_argument("--workers", type=int, choices=(1, 2), help="processes; 2 where there are two processors")
    parser.add_argument("--write", type=Path, help="folder for methods.md, methods.json and methods.svg")
    asked = parser.parse_args()
    reports: dict[str, Report] = {}
    differences: list[Difference] = []
    for question in QUESTIONS:
        if asked.sets and not any(question.name.startswith(s) for s in asked.sets):
            continue
        specs = methods_of(question)
        specs = tuple(s for s in specs if s.label in (asked.only or [s.label]) and s.label not in asked.without)
        if not specs:
            continue
        ship = "blend" if any(s.label == "blend" for s in specs) else specs[-1].label
        study = replace(question.study, seeds=tuple(asked.seeds), ship=ship)
        question, world = replace(question, study=study), world_of(question)
        out = question.folder(asked.out)
        with drawing(), helped(workers_of(asked.workers), None, fill, world, study, specs, out):
            found = evaluate(world, study, specs, out)
        differences += added(question, world, out)
        report.write(found, out)
        reports |= {} if asked.only else {question.name: found}
        print(f"{question.name}: done", flush=True)
    if asked.write is not None:
        from methods_page import write

        write(reports, differences, asked.write)


if __name__ == "__main__":
    main()
