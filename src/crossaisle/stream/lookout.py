"""Lookout: watches the days of a service for drift, each once, when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import polars as pl

from ..data.world import World
from ..recommender import Recommender
from .drift import Alarm, Watch
from .growth import joined
from .prequential import answered, exam_of
from .signals import answers, inputs, mix_of


class Lookout:
    """Days are those of the events' own times; what comes late for a day that was looked at is not watched.

    A lookout begins with the first day that the served version has not learned, since what a version has learned is no
    news to it: after a restart the detectors know nothing of earlier days.

    Args:
        watch: the detectors.
        world: what the first version was fitted on; its domains are what is usual.
        tell: is told of each alarm.
    """

    def __init__(self, watch: Watch, world: World, tell: Callable[[Alarm], object]) -> None:
        self._watch, self._bits, self._tell = watch, mix_of(world), tell
        self._seen: date | None = None

    def look(self, world: World, came: pl.DataFrame, learned: int, live: Recommender, now: datetime) -> None:
        """Watch the days that are over and have not been looked at.

        Args:
            world: what was known before `came`.
            came: rows that came since, in the codes of `world`, in the order they came.
            learned: how many of them `live` has learned.
            live: what is served.
            now: naive UTC; the day that it falls on is not over.
        """
        day_of = came["timestamp"].dt.date()
        days = sorted(d for d in day_of[learned:].unique().to_list() if d < now.date())
        for day in days:
            if self._seen is not None and day <= self._seen:
                continue
            start = datetime.combine(day, time())
            exam = exam_of(joined(world, came.filter(day_of < day)), came.filter(day_of == day), live.domain, start)
            seen = inputs(world, came.filter(day_of == day), live, self._bits)
            for alarm in self._watch.add_all([*seen, *answers(live, exam, answered(live, exam), start)]):
                self._tell(alarm)
            self._seen = day
