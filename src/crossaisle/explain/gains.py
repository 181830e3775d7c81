"""Who gained and who lost by a transfer: differences between two methods of a finished study, person by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from ..data.world import World
from ..errors import ArtifactError
from ..evaluate.cells import Cell, key_of, load_cell, study_parts, world_mark
from ..evaluate.result import Report
from ..evaluate.spec import Entry, Study
from ..evaluate.steps import Step, problem_at, steps_of
from ..evaluate.tables import tables_of
from ..types import Codes, Doubles
from .explanation import Gains, Group, Person

EDGES = (0, 1, 5, 10, 25, 50)
"""Where groups of people by number of purchases begin."""
EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Finished:
    """A study that was run.

    Attributes:
        world: its data.
        study: what was asked.
        entries: who was judged.
        report: what came out.
        cells: folder of the finished cells.
    """

    world: World
    study: Study
    entries: Sequence[Entry]
    report: Report
    cells: Path


def gains_of(run: Finished) -> tuple[Gains, ...]:
    """Gains and losses at each step at which the shipped transfer and a control ran.

    Raises:
        ArtifactError: the cells are not there, or of another version or other data.
    """
    found = []
    for step, row in zip(steps_of(run.study), run.report.ships, strict=True):
        if row.control is not None and row.verdict is not None:
            found.append(_at(run, step, row.method, row.control))
    return tuple(found)


def _at(run: Finished, step: Step, method: str, control: str) -> Gains:
    cells = [*_cells(run, step, method), *_cells(run, step, control)]
    tables = tables_of(cells)
    name, metric, k = run.study.headline
    table = tables[name, metric, k]
    difference = table.mean_of(method) - table.mean_of(control)
    asked = np.flatnonzero(~np.isnan(difference))
    users, gain = table.users[asked], difference[asked]
    facts = _facts(run, step, users)
    order, both = np.argsort(-gain, kind="stable"), (table.mean_of(method)[asked], table.mean_of(control)[asked])

    def people(places: Codes) -> tuple[Person, ...]:
        ids = run.world.user_ids.decode(users[places])
        return tuple(
            Person(user, float(both[0][p]), float(both[1][p]), *(int(f[p]) for f in facts))
            for user, p in zip(ids, places.tolist(), strict=True)
        )

    best, worst = order[:EXAMPLES], order[::-1][:EXAMPLES]
    return Gains(
        step=step.name,
        method=method,
        control=control,
        metric=f"{metric}@{k}",
        users=len(users),
        gained=int((gain > 0).sum()),
        lost=int((gain < 0).sum()),
        difference=float(gain.mean()),
        by_slice={
            slice_: _group(t.mean_of(method) - t.mean_of(control))
            for (slice_, m, at), t in tables.items()
            if (m, at) == (metric, k) and {method, control} <= set(t.values)
        },
        by_purchases=_by_edges(facts[0], gain),
        by_sources={str(n): _group(gain[facts[2] == n]) for n in np.unique(facts[2]).tolist()},
        gained_most=people(best[gain[best] > 0]),
        lost_most=people(worst[gain[worst] < 0]),
    )


def _cells(run: Finished, step: Step, label: str) -> list[Cell]:
    entry = next(e for e in run.entries if e.label == label)
    seeds = run.study.seeds if entry.random or run.study.random_split else run.study.seeds[:1]
    mark, parts = world_mark(run.world), study_parts(run.study)
    found = [load_cell(run.cells, key_of(mark, parts, entry, step, seed), label) for seed in seeds]
    cells = [cell for cell in found if cell is not None and cell.values]
    if not cells:
        raise ArtifactError(
            f"{run.cells} has no numbers of {label!r} at {step.name} for these data and this version; run the "
            "study again."
        )
    return cells


def _facts(run: Finished, step: Step, users: Codes) -> tuple[Codes, Codes, Codes]:
    """(n,) visible items in the target, in the sources, and number of source domains, of each of `users`."""
    problem = problem_at(run.world, run.study, step, run.study.seeds[0])
    own = pl.col("domain") == problem.domain_codes[-1]
    counted = problem.visible.group_by(pl.col("user").cast(pl.Int64)).agg(
        pl.col("item").filter(own).n_unique().alias("own"),
        pl.col("item").filter(~own).n_unique().alias("elsewhere"),
        pl.col("domain").filter(~own).n_unique().alias("sources"),
    )
    found = pl.DataFrame({"user": users}).join(counted, on="user", how="left", maintain_order="left").fill_null(0)
    own_items, elsewhere, sources = (found[n].cast(pl.Int64).to_numpy() for n in ("own", "elsewhere", "sources"))
    return own_items, elsewhere, sources


def _by_edges(purchases: Codes, gain: Doubles) -> Mapping[str, Group]:
    group = np.searchsorted(EDGES, purchases, side="right") - 1
    names = [f"{a}" if b == a + 1 else f"{a} to {b - 1}" for a, b in pairwise(EDGES)]
    names.append(f"{EDGES[-1]} or more")
    return {names[g]: _group(gain[group == g]) for g in np.unique(group).tolist()}


def _group(difference: Doubles) -> Group:
    known = difference[~np.isnan(difference)]
    return Group(len(known), float(known.mean()) if len(known) else 0.0)
