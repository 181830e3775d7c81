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
class Lines:
    """A line at most every `every` seconds for a task, and one when it ends after having been mentioned.

    Attributes:
        every: seconds between lines.
        clock: seconds; only differences matter.
        write: takes a line.
    """

    every: float = EVERY_SECONDS
    clock: Callable[[], float] = time.monotonic
    write: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    _begun: dict[str, tuple[float, int]] = field(default_factory=dict)
    _said: dict[str, float] = field(default_factory=dict)

    def draw(self, task: str, done: int, total: int) -> None:
        """See `crossaisle.types.Progress`."""
        now = self.clock()
        if task not in self._begun or done < self._begun[task][1]:
            self._begun[task], self._said[task] = (now, done), now
            return
        ended = total > 0 and done >= total
        spent = now - self._begun[task][0]
        if now - self._said[task] >= self.every or (ended and spent >= self.every):
            self._said[task] = now
            self.write(line(task, done, total, done - self._begun[task][1], spent))
        if ended:
            del self._begun[task], self._said[task]


def line(task: str, done: int, total: int, steps: int, seconds: float) -> str:
    """``task: 12 of 40, 3.0/s, 9 s left``; `steps` were made in `seconds`."""
    rate = steps / seconds if seconds > 0 else 0.0
    parts = [f"{task}: {done:,}" + (f" of {total:,}" if total else "")]
    if rate > 0:
        parts.append(f"{rate:,.1f}/s" if rate >= 0.95 else f"{1 / rate:,.1f} s each")
        if total > done:
            parts.append(f"{duration((total - done) / rate)} left")
    if total and done >= total:
        parts.append(f"done in {duration(seconds)}")
    return ", ".join(parts)


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
    _begun: dict[str, tuple[float, int]] = field(default_factory=dict)

    def draw(self, task: str, done: int, total: int) -> None:
        """See `crossaisle.types.Progress`."""
        now = time.monotonic()
        if task not in self._tasks:
            self._tasks[task] = self.bars.add_task(task, total=total or None, rate="")
            self._begun[task] = (now, done)
        begun, first = self._begun[task]
        rate = (done - first) / (now - begun) if now > begun else 0.0
        shown = "" if rate <= 0 else f"{rate:,.1f}/s" if rate >= 0.95 else f"{1 / rate:,.1f} s each"
        self.bars.update(self._tasks[task], completed=done, total=total or None, rate=shown)
        if total > 0 and done >= total:
            self.bars.remove_task(self._tasks.pop(task))
            del self._begun[task]


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
