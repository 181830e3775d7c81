"""Replay: a recorded log as live traffic, day by day: asked first, learned then, with alarms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from ..data.world import World
from ..errors import ConfigError, DataError, MethodError
from ..evaluate.stats import Interval, interval
from ..metrics import Doubles
from ..models.base import Base
from ..progress import tick
from ..recommender import Recommender
from ..transfer.method import METHODS
from .drift import Alarm, Watch
from .growth import joined
from .lesson import Lesson, Teaching, lesson, taught
from .prequential import answered, exam_of
from .signals import answers, inputs, mix_of


@dataclass(frozen=True, eq=False)
class Day:
    """What one day of a replay gave.

    Attributes:
        number: from 1.
        start: when it began.
        events: rows of it, over all domains.
        people: who was asked.
        frozen: mean nDCG@k of the recommender that was there at the start, with what people did since.
        live: of the recommender that is served that morning.
        version: how many candidates had been promoted by that morning.
        lesson: of that evening; None where there was nothing to learn.
        alarms: of that day.
        seconds: that learning and judging took.
        each: (2, people) nDCG@k of frozen and live.
    """

    number: int
    start: datetime
    events: int
    people: int
    frozen: Interval
    live: Interval
    version: int
    lesson: Lesson | None
    alarms: tuple[Alarm, ...]
    seconds: float
    each: tuple[Doubles, Doubles]

    @property
    def verdict(self) -> str:
        """Of that evening, in a word or two."""
        if self.lesson is None or self.lesson.judgement is None:
            return "nothing learned"
        return f"{self.lesson.judgement.verdict}, {'promoted' if self.lesson.promote else 'kept'}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without the numbers of each person; qualities are None where nobody was asked."""
        asked = bool(self.people)
        return {
            "day": self.number,
            "start": str(self.start),
            "events": self.events,
            "people": self.people,
            "frozen": self.frozen._asdict() if asked else None,
            "live": self.live._asdict() if asked else None,
            "version": self.version,
            "verdict": self.verdict,
            "lesson": None if self.lesson is None else self.lesson.to_dict(),
            "alarms": [a.to_dict() for a in self.alarms],
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Tape:
    """A recorded log to be played.

    Attributes:
        world: everything that was recorded.
        target: the domain that is served.
        start: first moment of the replay; all before it is known.
        days: how many.
    """

    world: World
    target: str
    start: datetime
    days: int

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        self.world.domain_code(self.target)
        if self.days < 1:
            raise ConfigError(f"days is {self.days}; at least 1 is needed.")
        if not self.world.timed:
            raise ConfigError("a replay needs a timestamp in every interaction; add the column.")
        if self.known.interactions.is_empty() or self.rows(0, self.days).is_empty():
            times = self.world.interactions["timestamp"].sort()
            raise DataError(
                f"nothing came before or after {self.start}; the data reach from {times[0]} to {times[-1]}."
            )

    @cached_property
    def known(self) -> World:
        """What was known at the start."""
        return self.world.until(self.start)

    def rows(self, first: int, last: int) -> pl.DataFrame:
        """Coded rows of the days from `first` (0 is the day of the start) to before `last`, in the order of time."""
        begin, end = (self.start + timedelta(days=d) for d in (first, last))
        rows = self.world.interactions
        return rows.filter((pl.col("timestamp") >= begin) & (pl.col("timestamp") < end)).sort(
            "timestamp", maintain_order=True
        )


def replayed(
    tape: Tape, how: Teaching, base: Base | None = None, speed: float | None = None, watch: Watch | None = None
) -> Iterator[Day]:
    """Play `tape`; each day is asked of the frozen and of the live recommender before anything is learned from it.

    Args:
        tape: what is played.
        how: the live recommender learns and is judged; the frozen one is fitted in the same way at the start.
        base: for methods that read one.
        speed: days of the log per day of the clock; None: as fast as it goes.
        watch: for drift; None watches nothing.
    """
    known = tape.known
    frozen = live = first_of(tape, how, base)
    version, bits = 0, mix_of(known)
    for number in range(1, tape.days + 1):
        begun = time.perf_counter()
        start, today = tape.start + timedelta(days=number - 1), tape.rows(number - 1, number)
        exam = exam_of(joined(known, tape.rows(0, number - 1)), today, tape.target, start)
        each = answered(frozen, exam, how.k), answered(live, exam, how.k)
        seen = [*inputs(tape.world, today, live, bits), *answers(live, exam, each[1], start + timedelta(days=1))]
        alarms = [] if watch is None else watch.add_all(seen)
        learning = time.perf_counter()
        found = lesson(known, tape.rows(0, number), start + timedelta(days=1), live, how, base)
        took = time.perf_counter() - learning
        yield Day(number, start, len(today), len(exam), interval(each[0]), interval(each[1]), version, found,
                  tuple(alarms), took, each)  # fmt: skip
        if found is not None and found.promote and found.candidate is not None:
            live, version = found.candidate, version + 1
        tick("replay", number, tape.days)
        if speed is not None:
            time.sleep(max(0.0, 86_400 / speed - (time.perf_counter() - begun)))


def first_of(tape: Tape, how: Teaching, base: Base | None = None) -> Recommender:
    """What is served at the start; where the method cannot be fitted yet, the base as it is, or what sells.

    Raises:
        MethodError: unknown method.
        ConfigError: wrong option.
    """
    METHODS.get(how.method)
    try:
        return taught(tape.known, tape.target, how, base)
    except MethodError:
        least = replace(how, method="popularity" if base is None else "zero_shot", options={})
        return taught(tape.known, tape.target, least, base)
