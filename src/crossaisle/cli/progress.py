"""Progress on stderr: bars on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..progress import showing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

EVERY_SECONDS = 5.0


@contextmanager
def drawing() -> Iterator[None]:
    """Within the block, ticks of the libraries are drawn on stderr."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal and not console.is_dumb_terminal:
        with _progress(console) as bars, showing(Bars(bars).draw):
            yield
    else:
        with showing(Lines().draw):
            yield


@dataclass
class Pace:
    """How fast one task goes.

    Attributes:
        begun: when it was first heard of, in seconds.
        first: steps that were done then.
        done: steps that are done now.
        said: when it was last written of.
    """

    begun: float
    first: int
    done: int
    said: float

    def rate(self, now: float) -> float:
        """Steps a second; 0 where nothing can be said yet."""
        return (self.done - self.first) / (now - self.begun) if now > self.begun else 0.0


def name_of(task: str) -> str:
    """The task itself, without what a tick says about its last step."""
    return task.split(": ", 1)[0]


def paced(paces: dict[str, Pace], task: str, done: int, now: float) -> Pace:
    """The pace of `task` after a tick; one that counts from the beginning again starts anew."""
    if task not in paces or done < paces[task].done:
        paces[task] = Pace(now, done, done, now)
    paces[task].done = done
    return paces[task]


@dataclass
class Lines:
    """A line at most every `every` seconds for a task, and one at the end of a task that took longer.

    Attributes:
        every: seconds between lines.
        clock: seconds; only differences matter.
        write: takes a line.
    """

    every: float = EVERY_SECONDS
    clock: Callable[[], float] = time.monotonic
    write: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    _paces: dict[str, Pace] = field(default_factory=dict)

    def draw(self, task: str, done: int, total: int) -> None:
        """See `crossaisle.types.Progress`."""
        now, name = self.clock(), name_of(task)
        pace = paced(self._paces, name, done, now)
        ended = total > 0 and done >= total
        if now - pace.said >= self.every or (ended and now - pace.begun >= self.every):
            pace.said = now
            self.write(line(task, done, total, pace, now))
        if ended:
            del self._paces[name]


def line(task: str, done: int, total: int, pace: Pace, now: float) -> str:
    """``task: 12 of 40, 3.0/s, 9 s left``."""
    parts = [f"{task}: {done:,}" + (f" of {total:,}" if total else "")]
    rate = pace.rate(now)
    if rate > 0:
        parts.append(speed(rate))
        if total > done:
            parts.append(f"{duration((total - done) / rate)} left")
    if total and done >= total:
        parts.append(f"done in {duration(now - pace.begun)}")
    return ", ".join(parts)


def speed(rate: float) -> str:
    """``3.0/s``, or ``4.0 s each`` of slow steps; empty where nothing is known."""
    if rate <= 0:
        return ""
    return f"{rate:,.1f}/s" if rate >= 0.95 else f"{1 / rate:,.1f} s each"


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 20 s`` or ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@dataclass
class Bars:
    """One bar a task; a finished one disappears, so that nested tasks do not pile up."""

    bars: Progress
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _paces: dict[str, Pace] = field(default_factory=dict)

    def draw(self, task: str, done: int, total: int) -> None:
        """See `crossaisle.types.Progress`."""
        now, name = time.monotonic(), name_of(task)
        pace = paced(self._paces, name, done, now)
        if name not in self._tasks:
            self._tasks[name] = self.bars.add_task(task, total=total or None, rate="")
        rate = speed(pace.rate(now))
        self.bars.update(self._tasks[name], description=task, completed=done, total=total or None, rate=rate)
        if total > 0 and done >= total:
            self.bars.remove_task(self._tasks.pop(name))
            del self._paces[name]


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
