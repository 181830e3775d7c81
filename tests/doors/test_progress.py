"""What is drawn of long work: lines in files, bars on terminals."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from crossaisle.cli.progress import Bars, Lines, Pace, drawing, duration, line
from crossaisle.progress import tick, ticking


@dataclass
class Clock:
    now: float = 0.0
    lines: list[str] = field(default_factory=list)

    def drawer(self) -> Lines:
        return Lines(every=5, clock=lambda: self.now, write=self.lines.append)


def test_a_line_every_few_seconds_with_rate_and_time_left() -> None:
    clock = Clock()
    lines = clock.drawer()
    for second in range(13):
        clock.now = float(second)
        lines.draw("fuse", 10 * second, 120)
    assert clock.lines == [
        "fuse: 50 of 120, 10.0/s, 7 s left",
        "fuse: 100 of 120, 10.0/s, 2 s left",
        "fuse: 120 of 120, 10.0/s, done in 12 s",
    ]


def test_quick_work_says_nothing() -> None:
    clock = Clock()
    lines = clock.drawer()
    for done in range(4):
        clock.now += 0.1
        lines.draw("read", done, 3)
    assert clock.lines == []


def test_a_task_may_begin_anew() -> None:
    clock = Clock()
    lines = clock.drawer()
    for done, now in ((0, 0.0), (2, 6.0), (0, 7.0), (1, 13.0)):
        clock.now = now
        lines.draw("fit", done, 4)
    assert clock.lines == ["fit: 2 of 4, 3.0 s each, 6 s left", "fit: 1 of 4, 6.0 s each, 18 s left"]


def test_what_a_tick_says_of_its_step_belongs_to_the_task() -> None:
    clock = Clock()
    lines = clock.drawer()
    for done, label in enumerate(("ease", "als", "blend")):
        clock.now = 6.0 * done
        lines.draw(f"evaluate: week 2, {label}", done, 12)
    assert clock.lines == [
        "evaluate: week 2, als: 1 of 12, 6.0 s each, 1 min 6 s left",
        "evaluate: week 2, blend: 2 of 12, 6.0 s each, 1 min 0 s left",
    ]


def test_an_unknown_total() -> None:
    assert line("read", 1200, 0, Pace(0.0, 0, 1200, 0.0), 4.0) == "read: 1,200, 300.0/s"


@pytest.mark.parametrize(("seconds", "words"), [(4.4, "4 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_bars_come_and_go() -> None:
    with Progress(TextColumn("{task.fields[rate]}"), console=Console(quiet=True)) as shown:
        bars = Bars(shown)
        bars.draw("evaluate", 1, 3)
        bars.draw("fit", 0, 0)
        assert [(t.description, t.completed, t.total) for t in shown.tasks] == [("evaluate", 1, 3), ("fit", 0, None)]
        bars.draw("evaluate", 3, 3)
        assert [t.description for t in shown.tasks] == ["fit"]


def test_nothing_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with drawing():
        assert list(ticking("count", range(3), 3)) == [0, 1, 2]
    tick("silent", 1, 1)
    assert capsys.readouterr().out == ""
