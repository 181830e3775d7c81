"""From cells to the Report: intervals, guard, time saved, costs and warnings."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .. import __version__
from ..data.splits.base import moment
from ..data.world import World
from ..resampling import LEVEL, RESAMPLES
from ..transfer.problem import default_sources
from .cells import Cell, world_mark
from .costs import resident_mb
from .guard import best_control, guard_at, ship_at
from .result import CostRow, Report, Row
from .saved import time_saved_rows
from .slices import Key
from .spec import Entry, Study
from .stats import intervals
from .steps import Step, steps_of
from .tables import Table, tables_of
from .warn import warnings_of

LIBRARIES = ("crossaisle", "numpy", "scipy", "polars", "torch", "implicit")
Facts = Sequence[Mapping[str, Any]]


def judge(
    world: World, study: Study, entries: Sequence[Entry], cells: Sequence[Cell], facts: Facts, *, seconds: float
) -> Report:
    """The Report of all `cells`.

    Args:
        world: all domains.
        study: what was asked.
        entries: the methods, in order.
        cells: what they found.
        facts: `steps.facts_of` of every split.
        seconds: wall time of the study.
    """
    domain, headline = study.target, study.headline
    steps = {step: tables_of([c for c in cells if c.step == step]) for step in steps_of(study)}
    guard, ships, rows = [], [], []
    for step, tables in steps.items():
        rows += rows_at(step, domain, tables)
        found = guard_at(step, domain, tables, entries, headline)
        table = tables.get(headline)
        ran = table is not None and study.ship in table.values
        ships.append(ship_at(step, domain, found, study.ship, best_control(table, entries), ran))
        guard += found
    weekly = {s.week: t[headline] for s, t in steps.items() if s.week is not None and headline in t}
    return Report(
        name=f"{world.name}: {domain}",
        protocol=protocol_of(world, study, entries, facts) | {"users": users_of(rows)} | tuning_of(study, cells),
        kinds={e.label: e.kind for e in entries},
        rows=tuple(rows),
        guard=tuple(guard),
        ships=tuple(ships),
        time_saved=tuple(time_saved_rows(domain, weekly, entries)),
        costs=tuple(costs_of(cells, domain)),
        best={
            domain: {"transfer": study.ship, "control": {s.name: r.control for s, r in zip(steps, ships, strict=True)}}
        },
        environment=environment_of(cells, seconds),
        warnings=tuple(warnings_of(study, entries, cells, facts, rows, guard)),
    )


def rows_at(step: Step, domain: str, tables: Mapping[Key, Table]) -> list[Row]:
    """Rows of one step, methods in order within each slice, metric and k."""
    rows = []
    for by_users in _same_users(tables):
        means = [(key, label, tables[key].mean_of(label)) for key in by_users for label in tables[key].labels]
        for (key, label, mean), found in zip(means, intervals(np.stack([m for *_, m in means])), strict=True):
            seeds = len(tables[key].seeds[label])
            users = int((~np.isnan(mean)).sum())
            name, metric, k = key
            rows.append(Row(domain, step.week, step.shots, name, label, metric, k, *found, seeds, users))
    return rows


def costs_of(cells: Sequence[Cell], domain: str) -> list[CostRow]:
    """Mean over seeds of every step and method that ran; of memory the greatest."""
    groups: dict[tuple[Step, str], list[Any]] = {}
    for cell in cells:
        if cell.costs is not None:
            groups.setdefault((cell.step, cell.label), []).append(cell.costs)
    rows = []
    for (step, label), costs in groups.items():
        mean: dict[str, Any] = {n: float(np.mean([getattr(c, n) for c in costs])) for n in vars(costs[0])}
        mean |= {"parameters": round(mean["parameters"]), "peak_mb": max(c.peak_mb for c in costs)}
        rows.append(CostRow(domain, step.week, step.shots, label, **mean))
    return rows


def protocol_of(world: World, study: Study, entries: Sequence[Entry], facts: Facts) -> dict[str, Any]:
    """What a reader needs to repeat the study."""
    name, metric, k = study.headline
    return {
        "world": world.name,
        "fingerprint": world_mark(world),
        "target": study.target,
        "sources": list(default_sources(world, study.target, study.sources)),
        "split": study.split,
        "split_options": dict(study.split_options),
        "cut": None if study.cut is None else moment(study.cut).isoformat(),
        "test_weeks": study.test_weeks,
        "share": study.share,
        "shelf_weeks": study.shelf_weeks,
        "steps": [dict(f) for f in facts],
        "seeds": list(study.seeds),
        "metrics": list(study.metrics),
        "ks": list(study.ks),
        "ranking": "full ranking of the catalogue",
        "interval": f"{LEVEL * 100:g} % percentile bootstrap over users, {RESAMPLES} resamples",
        "headline": {"slice": name, "metric": metric, "k": k},
        "ship": study.ship,
        "methods": {e.label: e.described() | {"needs": list(e.method.needs), "random": e.random} for e in entries},
        "version": __version__,
    }


def tuning_of(study: Study, cells: Sequence[Cell]) -> dict[str, Any]:
    """The budget, and method → step → what the search of its options found; nothing without a budget."""
    found: dict[str, dict[str, Any]] = {}
    for cell in cells:
        if cell.tuning:
            found.setdefault(cell.label, {})[_when(study, cell)] = dict(cell.tuning)
    return {} if study.budget is None else {"budget": study.budget, "tuning": found}


def _when(study: Study, cell: Cell) -> str:
    return f"{cell.step.name}, seed {cell.seed}" if study.random_split else cell.step.name


def users_of(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Step → slice → users."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        slices = found.setdefault(Step(row.week, row.shots).name, {})
        slices[row.slice] = max(row.users, slices.get(row.slice, 0))
    return found


def environment_of(cells: Sequence[Cell], seconds: float) -> dict[str, Any]:
    """Where and how long: the part of a report that differs between equal studies."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    peaks = [c.costs.peak_mb for c in cells if c.costs is not None]
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": versions,
        "seconds": round(seconds, 3),
        "peak_mb": round(max([resident_mb(), *peaks]), 1),
    }


def _same_users(tables: Mapping[Key, Table]) -> list[list[Key]]:
    """Keys of one slice have one set of users, so their intervals share the draws."""
    groups: dict[str, list[Key]] = {}
    for key in tables:
        groups.setdefault(key[0], []).append(key)
    return list(groups.values())
