"""What may be seen when somebody asks outside of a study: everything before a cut, and of the target its last weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl

from ..data.fingerprint import of_rows
from ..data.split import Moment, Split
from ..data.splits.base import moment
from ..data.world import World
from ..errors import ConfigError
from .problem import Problem, default_sources


def problem_of(
    world: World, target: str, sources: Sequence[str], cut: Moment | None, weeks: float | None, seed: int
) -> Problem:
    """The Problem of everything that may be seen, and nothing asked.

    Raises:
        ConfigError: weeks without times, or below 0.
        DataError: unknown domain.
    """
    names = default_sources(world, target, sources)
    return Problem(world, target, names, visible(world, target, cut, weeks), world.catalogue(target), seed, weeks)


def visible(world: World, target: str, cut: Moment | None, weeks: float | None) -> Split:
    """Everything before `cut` trains, nothing is asked; of the target, only its last `weeks` weeks are known."""
    at = None if cut is None else moment(cut)
    rows = world.interactions if at is None else world.until(at).interactions
    none = rows.clear()
    if weeks is None:
        return Split(rows, none, none, none, "all", at)
    if weeks < 0:
        raise ConfigError(f"weeks is {weeks}; a number of at least 0 is needed.")
    if not world.timed:
        raise ConfigError("weeks needs a timestamp in every interaction; add the column, or leave weeks out.")
    end = at if at is not None else rows["timestamp"].max()
    late = pl.col("timestamp") < pl.lit(end) - timedelta(weeks=weeks)
    unseen = rows.select((pl.col("domain") == world.domain_code(target)) & late).to_series()
    return Split(rows.filter(~unseen), none, none, rows.filter(unseen), "all", at)


def sources_alone(world: World, sources: Sequence[str], cut: Moment | None) -> World:
    """The rows of `sources` before `cut`: what no source has, no base may learn from, whatever the method reads."""
    seen = world if cut is None else world.until(moment(cut))
    codes = [world.domain_code(name) for name in sources]
    own = seen.interactions["domain"].is_in(codes)
    return replace(seen, interactions=seen.interactions.filter(own), fingerprint=of_rows(seen.fingerprint, own))
