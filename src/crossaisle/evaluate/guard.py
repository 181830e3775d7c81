"""Guard: is a transfer better than what the target alone gives, and if it hurts, what ships instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics import Doubles
from .result import Against, GuardRow, ShipRow
from .slices import Key
from .spec import Entry
from .stats import Interval, intervals, verdict_of
from .steps import Step
from .tables import Table

SLICES = ("new", "all")


@dataclass(frozen=True)
class Pair:
    """One comparison at one step."""

    slice: str
    method: str
    against: Against
    control: str


def best_control(table: Table | None, entries: Sequence[Entry]) -> str | None:
    """The control with the highest mean on these test rows (the first of equals); None when none ran."""
    controls = [e.label for e in entries if e.kind == "control" and table is not None and e.label in table.values]
    if table is None or not controls:
        return None
    return max(controls, key=lambda label: float(np.nanmean(table.mean_of(label))))


def guard_at(
    step: Step, domain: str, tables: Mapping[Key, Table], entries: Sequence[Entry], headline: Key
) -> list[GuardRow]:
    """Every transfer against the best control, target_only and shared_bottom, on slices new and all."""
    _, metric, k = headline
    rows = []
    for name in SLICES:
        table = tables.get((name, metric, k))
        pairs = [] if table is None else pairs_of(name, table, entries)
        if table is None or not pairs:
            continue
        seeds = [_seeds(table, p) for p in pairs]
        whole = np.stack([table.mean_of(p.method) - table.mean_of(p.control) for p in pairs])
        alone = [[table.at_seed(p.method, s) - table.at_seed(p.control, s) for s in own]
                 for p, own in zip(pairs, seeds, strict=True)]  # fmt: skip
        found = iter(_judged(np.concatenate([whole, *map(np.stack, alone)])))
        overall = [next(found) for _ in pairs]
        for pair, own, (interval, users) in zip(pairs, seeds, overall, strict=True):
            verdict = verdict_of(interval, users)
            agree = sum(verdict_of(*next(found)) == verdict for _ in own)
            named = (step.week, step.shots, name, pair.method, pair.against, pair.control, metric, k)
            rows.append(GuardRow(domain, *named, *interval, verdict, users, len(own), agree))
    return rows


def pairs_of(slice_name: str, table: Table, entries: Sequence[Entry]) -> list[Pair]:
    """Which comparisons can be made: both sides ran, and no method is compared with itself."""
    references: list[tuple[Against, str]] = []
    best = best_control(table, entries)
    if best is not None:
        references.append(("best_control", best))
    fixed: tuple[Against, ...] = ("target_only", "shared_bottom")
    for role in fixed:
        references += [(role, e.label) for e in entries if e.method.name == role and e.label in table.values][:1]
    return [
        Pair(slice_name, e.label, role, control)
        for e in entries
        if e.kind == "transfer" and e.label in table.values
        for role, control in references
        if control != e.label
    ]


def ship_at(step: Step, domain: str, guard: Sequence[GuardRow], ship: str, control: str | None, ran: bool) -> ShipRow:
    """`ship`, unless it hurts against the best control on slice new, or did not run here: then the control."""
    mine = [g for g in guard if (g.slice, g.method, g.against) == ("new", ship, "best_control")]
    verdict = mine[0].verdict if mine else None
    sent = control if control is not None and (not ran or verdict == "hurts") else ship
    return ShipRow(domain, step.week, step.shots, ship, control, verdict, sent)


def _seeds(table: Table, pair: Pair) -> list[int]:
    return sorted({*table.seeds[pair.method], *table.seeds[pair.control]})


def _judged(differences: Doubles) -> list[tuple[Interval, int]]:
    users = (~np.isnan(differences)).sum(axis=1)
    return [(found, int(n)) for found, n in zip(intervals(differences), users, strict=True)]
