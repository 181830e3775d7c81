"""Lesson: what came since is learned up to a window, and the window judges the candidate before anybody learns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from ..config import build
from ..data.overview import fact_of
from ..data.world import World
from ..errors import ConfigError, MethodError
from ..models.base import Base
from ..recommender import Recommender
from ..transfer.method import METHODS, check_needs
from ..transfer.visible import problem_of
from .growth import joined
from .prequential import MARGIN, Exam, Judgement, K, exam_of, judge
from .warm import can_go_on, continued


@dataclass(frozen=True)
class Teaching:
    """How candidates are made and judged."""

    method: str = "user_kernel"
    """Transfer method that is fitted anew on everything that is known, or goes on from its weights (`warm_steps`)."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the method."""
    sources: tuple[str, ...] = ()
    """Domains that are learned from and replayed; all others when empty."""
    warm_steps: int = 0
    """Steps from the served network's weights on; 0 fits from the start."""
    shared: bool = False
    """In those steps also moves what all domains share, and replays the sources: old domains may forget."""
    memory_days: float | None = None
    """Only the last days of the target are learned from; all when None."""
    most_a_day: int = 500
    """A person with more events on one day is no person: none of that day's events are learned."""
    window_hours: float = 24.0
    """Length of the window that judges: the newest day, or the newest hour."""
    most_windows: int = 7
    """The window grows up to so many lengths until `people` are in it."""
    people: int = 30
    """People that the window should have."""
    margin: float = MARGIN
    """Where no difference is proved, the fresher one may be worse by this share."""
    k: int = K
    """Places of the list that is judged."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.most_a_day, self.most_windows, self.people, self.k) < 1 or self.window_hours <= 0:
            raise ConfigError("most_a_day, most_windows, people and k ≥ 1 and window_hours > 0 are needed.")
        if min(self.margin, self.warm_steps) < 0 or (self.memory_days is not None and self.memory_days <= 0):
            raise ConfigError("margin ≥ 0, warm_steps ≥ 0 and memory_days > 0 are needed.")


@dataclass(frozen=True)
class SetAside:
    """Events that nothing is learned from.

    Attributes:
        floods: of people with more events on one day than a person has.
        people: how many people these are.
        early: with a time that has not come yet.
    """

    floods: int = 0
    people: int = 0
    early: int = 0


@dataclass(frozen=True, eq=False)
class Lesson:
    """One candidate and what was found of it.

    Attributes:
        learned: rows that came since and were learned; those after them are the window.
        start: when the window begins.
        aside: what was not learned.
        candidate: None where the method cannot be fitted yet.
        judgement: None without a candidate.
        why: one sentence.
    """

    learned: int
    start: datetime
    aside: SetAside
    candidate: Recommender | None
    judgement: Judgement | None
    why: str

    @property
    def promote(self) -> bool:
        """Whether the candidate is to be served."""
        return self.judgement is not None and self.judgement.promote

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without the candidate."""
        judged = None if self.judgement is None else self.judgement.to_dict()
        return {"learned": self.learned, "window_start": str(self.start), "set_aside": asdict(self.aside),
                "judgement": judged, "promote": self.promote, "why": self.why}  # fmt: skip


def lesson(
    world: World,
    came: pl.DataFrame,
    now: datetime,
    current: Recommender,
    how: Teaching,
    base: Base | None = None,
) -> Lesson | None:
    """Make a candidate of everything but the newest window, and judge it and `current` on that window.

    Args:
        world: what was known before.
        came: rows that came since, in the codes of `world`, in the order they came.
        now: rows of a later time are set aside.
        current: what is served.
        how: method, window and rules.
        base: for methods that read one.

    Returns:
        None where nothing came before the window, so that there is nothing to learn yet.
    """
    good, aside = sifted(came, now, how.most_a_day)
    first, start, exam = _window(world, came, good, now, current.domain, how)
    if first == 0:
        return None
    known = joined(world, came[:first].filter(good[:first]))
    try:
        made = taught(known, current.domain, how, base, current)
    except MethodError as error:
        return Lesson(first, start, aside, None, None, str(error))
    candidate = replace(made, facts={**made.facts, **fact_of(known, current.domain)})
    judgement = judge(current, candidate, exam, how.margin, how.k)
    return Lesson(first, start, aside, candidate, judgement, judgement.why)


def taught(
    known: World, target: str, how: Teaching, base: Base | None = None, current: Recommender | None = None
) -> Recommender:
    """A recommender that has learned `known`; `current` goes on where `how` wants it and its network can.

    Raises:
        MethodError: unknown method, one whose needs are not met, or weights that cannot go on.
        ConfigError: wrong option.
    """
    method = METHODS.get(how.method)
    options: Any = build(method.options, dict(how.options), f"options of {how.method!r}")
    weeks = None if how.memory_days is None else how.memory_days / 7
    problem = problem_of(known, target, how.sources, None, weeks, how.seed)
    if how.warm_steps and base is not None and current is not None and can_go_on(current, base):
        return continued(current, base, problem, how.warm_steps, options, how.shared)
    check_needs(method, base, problem)
    return method.fit(base, problem, options)


def sifted(came: pl.DataFrame, now: datetime, most_a_day: int) -> tuple[pl.Series, SetAside]:
    """(rows,) which of the coded rows `came` may be learned, and what may not."""
    day = came.select(pl.len().over("user", pl.col("timestamp").dt.date())).to_series()
    flood, early = day > most_a_day, came["timestamp"] > now
    aside = SetAside(int(flood.sum()), came.filter(flood)["user"].n_unique(), int((early & ~flood).sum()))
    return ~(flood | early), aside


def _window(
    world: World, came: pl.DataFrame, good: pl.Series, now: datetime, target: str, how: Teaching
) -> tuple[int, datetime, Exam]:
    """First row of the window, its beginning, and its exam: as long as it takes to find people."""
    newest = came.filter(good)["timestamp"].max()
    end = newest if isinstance(newest, datetime) else now
    for windows in range(1, how.most_windows + 1):
        start = end - timedelta(hours=windows * how.window_hours)
        late = np.flatnonzero((came["timestamp"] > start).to_numpy() & good.to_numpy())
        first = int(late[0]) if len(late) else len(came)
        learned, rest = (part.filter(keep) for part, keep in
                         ((came[:first], good[:first]), (came[first:], good[first:])))  # fmt: skip
        exam = exam_of(joined(world, learned), rest, target, start)
        if len(exam) >= how.people:
            break
    return first, start, exam
