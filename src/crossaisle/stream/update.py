"""Update: from files what the learner does from a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..data.world import World
from ..errors import DataError
from ..models.base import Base
from ..recommender import Recommender
from .diary import now_utc
from .growth import grown_world, ids_of
from .lesson import Lesson, Teaching, lesson

UPDATE = "update"
"""Fact of a recommender: how it was learned and judged."""


def updated(
    current: Recommender, world: World, new: World, how: Teaching, out: Path | None = None, base: Base | None = None
) -> Lesson:
    """Learn the events of `new`, judge the candidate on their newest day, and write it to `out` if it is promoted.

    Args:
        current: what is served.
        world: what it was fitted on.
        new: the events since; all but the newest day (see `Teaching`) are learned.
        how: method, window and rules.
        out: folder that takes the candidate; an older artifact there is replaced.
        base: for methods that read one.

    Raises:
        DataError: events have no time, or all of them fall into the day that judges.
        ArtifactError, StorageError: `out` cannot be written.
    """
    if not new.timed:
        raise DataError("new events need a timestamp, as the newest day judges what the others teach; add the column.")
    rows = ids_of(new, new.interactions.sort("timestamp", maintain_order=True))
    wider, came = grown_world(world, rows)
    found = lesson(wider, came, now_utc(), current, how, base)
    if found is None:
        raise DataError(
            f"all {len(came):,} new events fall into the window that judges, so that nothing is left to learn; give "
            "some days, or a shorter window (--window-hours)."
        )
    if found.promote and found.candidate is not None and out is not None:
        facts = {**found.candidate.facts, UPDATE: found.to_dict()}
        replace(found.candidate, facts=facts).save(out)
    return found
