"""Drift: one detector for each signal; an alarm says what changed, since when, by how much, and what to do.

ADWIN (Bifet & Gavaldà 2007) keeps a window as long as its mean has not changed, and cuts its older part off when the
means of two parts differ by more than chance allows; where the change began is then asked of the values themselves.
Each visit, a person on a day, gives one number to each signal, so that a person with many events weighs as much as any
other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import ConfigError
from ..metrics import Doubles

DELTA = 2e-3
"""Chance of a false alarm at one look, per signal; docs/results/online.md says how often it came to that."""
CLOCK = 8
"""Visits between two looks."""
LONGEST = 50_000
"""Visits that a detector remembers, to tell since when."""


@dataclass(frozen=True)
class Signal:
    """What is watched.

    Attributes:
        words: what it measures, for people.
        scale: numbers are divided by it, so that they lie within about 0 and 1, as ADWIN assumes.
        worse: the direction that is alarmed.
        todo: what to do.
    """

    words: str
    scale: float
    worse: Literal["up", "down", "both"]
    todo: str


SIGNALS: Mapping[str, Signal] = {
    "unknown_items": Signal(
        "share of a visit's items that nobody had met when the served version was made",
        1.0,
        "up",
        "send the content of the new items (PUT /v1/items), and fit again with them.",
    ),
    "unknown_people": Signal(
        "share of visits by people of whom the served version knows nothing",
        1.0,
        "up",
        "look where they come from: a new channel or market wants its own domain; robots want to be shut out.",
    ),
    "domain_mix": Signal(
        "surprise of the domains that are visited, in bits",
        10.0,
        "both",
        "look which domains grew or shrank, and choose the sources anew (crossaisle sources).",
    ),
    "price_level": Signal(
        "log10 of the mean price of a visit",
        4.0,
        "both",
        "look for a price change or another currency; send the new prices, and fuse again where content reads prices.",
    ),
    "top_score": Signal(
        "how far the best score stands above the others, in standard deviations",
        50.0,
        "both",
        "compare with the version before (crossaisle explain); roll back where quality fell as well.",
    ),
    "quality": Signal(
        "nDCG@10 of what people met anew, before it was learned",
        1.0,
        "down",
        "roll back one version; where that does not help, fit again on the last weeks (memory_days).",
    ),
}


class Alarm(NamedTuple):
    """A signal has changed.

    Attributes:
        signal: its name.
        at: when it was noticed.
        since: when the change began, as far as the detector can tell.
        before: mean before.
        after: mean since.
        sentence: what, since when, how much, and what to do.
    """

    signal: str
    at: datetime
    since: datetime
    before: float
    after: float
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return self._asdict() | {"at": str(self.at), "since": str(self.since)}


class Watch:
    """The detectors of all signals.

    Args:
        delta: chance of a false alarm at one look, per signal.

    Raises:
        ConfigError: the package river is missing.
    """

    def __init__(self, delta: float = DELTA) -> None:
        self._detectors = {name: Detector(name, delta) for name in SIGNALS}

    def add(self, signal: str, at: datetime, value: float) -> Alarm | None:
        """Take in one number of one visit; an alarm where the mean has changed for the worse."""
        return self._detectors[signal].add(at, value)

    def add_all(self, seen: Iterable[tuple[str, datetime, float]]) -> list[Alarm]:
        """Take in (signal, when, number) of several visits; the alarms that they raise."""
        found = [self.add(*one) for one in seen]
        return [alarm for alarm in found if alarm is not None]


class Detector:
    """ADWIN on one signal, with the times that it lacks.

    Args:
        name: of the signal.
        delta: chance of a false alarm at one look.
    """

    def __init__(self, name: str, delta: float) -> None:
        if find_spec("river") is None:
            raise ConfigError("watching for drift needs the package river: pip install 'crossaisle[stream]'.")
        self._name, self._signal, self._delta = name, SIGNALS[name], delta
        self._seen: deque[tuple[datetime, float]] = deque(maxlen=LONGEST)
        self._begin([])

    def add(self, at: datetime, value: float) -> Alarm | None:
        """See `Watch.add`."""
        self._seen.append((at, value))
        if not self._drifts(value):
            return None
        rows = list(self._seen)
        place = changed_at(np.array([v for _, v in rows]))
        self._begin(rows[place:])
        before, after = (float(np.mean([v for _, v in part])) for part in (rows[:place], rows[place:]))
        return self._alarm(at, rows[place][0], before, after)

    def _begin(self, rows: Sequence[tuple[datetime, float]]) -> None:
        """Watch from here on, knowing `rows` alone: one change is alarmed once."""
        from river.drift import ADWIN  # takes a second

        self._adwin = ADWIN(delta=self._delta, clock=CLOCK)  # type: ignore[no-untyped-call]
        self._seen.clear()
        for row in rows:
            self._seen.append(row)
            self._drifts(row[1])

    def _drifts(self, value: float) -> bool:
        self._adwin.update(value / self._signal.scale)  # type: ignore[no-untyped-call]
        return bool(self._adwin.drift_detected)

    def _alarm(self, at: datetime, since: datetime, before: float, after: float) -> Alarm | None:
        went = "up" if after > before else "down"
        if self._signal.worse not in (went, "both"):
            return None
        sentence = (
            f"{self._signal.words} went {went} from {before:.3g} to {after:.3g} since {since:%Y-%m-%d %H:%M}: "
            f"{self._signal.todo}"
        )
        return Alarm(self._name, at, since, before, after, sentence)


def changed_at(values: Doubles) -> int:
    """Where the mean of at least two `values` (n,) most likely changed: the place of the first value after it.

    The split with the largest n₀ n₁ / n · (m₀ − m₁)², which least squares choose for one step in the mean.
    """
    n, sums = len(values), np.cumsum(values)
    left = np.arange(1, n)
    gap = sums[:-1] / left - (sums[-1] - sums[:-1]) / (n - left)
    return int(np.argmax(left * (n - left) / n * gap**2)) + 1
