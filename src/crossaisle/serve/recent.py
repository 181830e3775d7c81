"""Recent: what happened in each of the last seconds, for those who watch without a Prometheus."""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

KEPT = 600
"""Seconds that are kept."""
_TIMES = 1_000
"""Times to the answer that are kept of one second, its first ones: 4 bytes each."""


@dataclass
class Second:
    """One second.

    Attributes:
        at: whole seconds of the clock.
        counts: what happened, and how often: ``requests``, ``refused`` (4xx), ``faults`` (5xx), ``events``, lists by
            what they rest on, and items of lists: ``shown``, ``clicked``, ``bought``.
        times: seconds to the answer.
    """

    at: int
    counts: Counter[str] = field(default_factory=Counter)
    times: array[float] = field(default_factory=lambda: array("f"))


class Span(NamedTuple):
    """Some seconds together.

    Attributes:
        seconds: how many.
        counts: as of a `Second`.
        quantiles: p50, p95 and p99 of the time to the answer in seconds; None without a request.
    """

    seconds: int
    counts: Counter[str]
    quantiles: tuple[float, float, float] | None


class Recent:
    """The last seconds; may be written to by several threads.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: deque[Second] = deque(maxlen=KEPT)

    def answered(self, status: int, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            now = self._now()
            now.counts["requests"] += 1
            if status >= 400:
                now.counts["faults" if status >= 500 else "refused"] += 1
            if len(now.times) < _TIMES:
                now.times.append(seconds)

    def add(self, name: str, times: int = 1) -> None:
        """Count something else."""
        with self._lock:
            self._now().counts[name] += times

    def last(self, seconds: int) -> Span:
        """The last whole seconds together; the one that runs is left out."""
        end = int(self._clock())
        return _span(seconds, [s for s in self._copy() if end - seconds <= s.at < end])

    def spans(self, length: int, number: int) -> list[Span]:
        """The last `number` spans of `length` seconds, oldest first; the span that runs is left out."""
        end = int(self._clock()) // length
        found: list[list[Second]] = [[] for _ in range(number)]
        for second in self._copy():
            place = second.at // length - end + number
            if 0 <= place < number:
                found[place].append(second)
        return [_span(length, seconds) for seconds in found]

    def _copy(self) -> list[Second]:
        with self._lock:
            return list(self._kept)

    def _now(self) -> Second:
        at = int(self._clock())
        if not self._kept or self._kept[-1].at < at:
            self._kept.append(Second(at))
        return self._kept[-1]


def _span(length: int, seconds: Iterable[Second]) -> Span:
    counts: Counter[str] = Counter()
    times = array("f")
    for second in seconds:
        counts.update(second.counts)
        times.extend(second.times)
    if not times:
        return Span(length, counts, None)
    low, high, top = np.quantile(np.frombuffer(times, dtype=np.float32), (0.5, 0.95, 0.99)).tolist()
    return Span(length, counts, (low, high, top))
