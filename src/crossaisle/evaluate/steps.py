"""Steps of a study: how much of the target is seen each time, and the Problem that this makes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from ..data.split import SPLITS, Split, make_split
from ..data.splits.base import moment
from ..data.world import World
from ..errors import ConfigError, DataError
from ..gap.launch import LaunchFacts
from ..transfer.problem import Problem, default_sources
from ..types import Codes
from .spec import Entry, Study


@dataclass(frozen=True)
class Step:
    """One point of the cold-start curve; both None where the split has one step only."""

    week: float | None = None
    shots: int | None = None

    @property
    def name(self) -> str:
        """As people say it."""
        if self.week is not None:
            return f"week {self.week:g}"
        return "all" if self.shots is None else f"{self.shots} shot{'' if self.shots == 1 else 's'}"


def steps_of(study: Study) -> tuple[Step, ...]:
    """The steps, in order."""
    if study.split == "launch":
        return tuple(Step(week=float(w)) for w in study.weeks)
    if study.split == "k_shot":
        return tuple(Step(shots=s) for s in study.shots)
    return (Step(),)


def problem_at(world: World, study: Study, step: Step, seed: int) -> Problem:
    """The question of one step, the same for all methods.

    Raises:
        ConfigError, DataError: the data do not allow the split.
    """
    fields = {f.name for f in dataclasses.fields(SPLITS.get(study.split).options)}
    named = {"cut": study.cut, "test_weeks": study.test_weeks, "share": study.share}
    options: dict[str, Any] = {n: v for n, v in named.items() if v is not None and n in fields}
    options |= {"weeks": step.week} if step.week is not None else {}
    options |= {"shots": step.shots} if step.shots is not None else {}
    options |= {"seed": seed} if study.random_split else {}
    split = make_split(study.split, world, study.target, options | dict(study.split_options))
    catalogue = shelf(world, study, split)
    sources = default_sources(world, study.target, study.sources)
    return Problem(world, study.target, sources, split, catalogue, seed, step.week)


def with_seed(problem: Problem, seed: int) -> Problem:
    """`problem` under another seed; the histories and counts, which no seed changes, are made once and shared."""
    made = dataclasses.replace(problem, seed=seed)
    shared = {"history": problem.history, "target_counts": problem.target_counts}
    vars(made).update(shared)  # where cached properties keep their values
    return made


def seen_by(entry: Entry, problem: Problem) -> Problem:
    """`problem` as the method may see it: a control knows no source, in people's histories neither.

    Where people and items are shared, a purchase in a source is one of an item of the catalogue, so that a scorer that
    was fitted on the target alone would answer it all the same.
    """
    return dataclasses.replace(problem, sources=()) if entry.kind == "control" else problem


def shelf(world: World, study: Study, split: Split) -> Codes:
    """Sorted item codes that are ranked: all items of the target, or those lately sold, hidden rows included.

    What the split hides is hidden from methods; the shop knows what stands on its shelf.

    Raises:
        DataError: nothing was sold lately.
    """
    everything = world.catalogue(study.target)
    if study.shelf_weeks is None or study.cut is None:
        return everything
    since = moment(study.cut) - timedelta(weeks=study.shelf_weeks)
    lately = (pl.col("domain") == world.domain_code(study.target)) & (pl.col("timestamp") >= since)
    sold = pl.concat([rows.filter(lately).select("item") for rows in (split.train, split.valid, split.hidden)])
    found = np.intersect1d(everything, sold["item"].to_numpy().astype(np.int64))
    if not len(found):
        raise DataError(
            f"target {study.target!r} sold nothing in the {study.shelf_weeks:g} weeks before the cut; "
            "raise shelf_weeks."
        )
    return found


def check_study(world: World, study: Study, entries: tuple[Entry, ...]) -> None:
    """Refuse, before anything runs, what this World cannot answer.

    Raises:
        ConfigError: unknown ship label, k larger than the catalogue, no sources.
        DataError: unknown domain.
    """
    labels = [e.label for e in entries]
    if study.ship not in labels:
        raise ConfigError(
            f"[study]: ship is {study.ship!r}, which is no label of the methods ({', '.join(labels)}); set ship "
            f"(--ship) to one of them, or add {study.ship!r} to the methods."
        )
    size = len(world.catalogue(study.target))
    if max(study.ks) > size:
        raise ConfigError(f"[study]: k is {max(study.ks)}, but {study.target!r} has {size} items; lower k.")
    if not default_sources(world, study.target, study.sources):
        raise ConfigError(f"[study]: there is no source domain beside {study.target!r}; name one in sources.")


def facts_of(problem: Problem, step: Step) -> dict[str, Any]:
    """JSON-able numbers of one step's split, for the protocol."""
    split, code = problem.split, problem.domain_codes[-1]
    asked = split.test.filter(pl.col("domain") == code).select("user", "item").unique()
    known = asked["item"].is_in(pl.Series(problem.catalogue, dtype=pl.UInt32).implode())
    return {
        "week": step.week,
        "shots": step.shots,
        "visible_rows": problem.target_rows.height,
        "source_rows": problem.visible.height - problem.target_rows.height,
        "valid_rows": split.valid.height,
        "test_users": asked["user"].n_unique(),
        "test_pairs": asked.height,
        "test_pairs_outside_catalogue": int((~known).sum()),
        "catalogue": len(problem.catalogue),
        "leaks_future": split.leaks_future,
        "launch": LaunchFacts.of(problem).as_dict(),
    }
