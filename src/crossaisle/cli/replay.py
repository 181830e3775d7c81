"""`crossaisle replay`: a recorded log as live traffic, day by day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..data.splits.base import moment
from ..errors import ConfigError
from ..files import write_whole
from ..models.base import Base
from ..report.plots import INK, SHIP, lines
from ..report.view import Series
from ..report.words import fraction
from ..stream.drift import Watch
from ..stream.growth import without_target
from ..stream.replay import Day, Tape, replayed
from .flags import READ, Maybe, ReadFlags, open_data
from .output import OUTPUT, Output, emit, say
from .progress import drawing
from .sending import Sender
from .teaching import LEARN, LearnFlags, teaching

app = App(
    name="replay",
    help_epilogue="Example: crossaisle replay demo --target DELI --from 2017-11-06 --opened 2017-10-30 --days 14",
)


@app.default
def replay(
    path: str,
    /,
    *,
    target: str,
    start: Annotated[str, Parameter(name="--from")],
    days: int = 7,
    opened: Annotated[str | None, Maybe] = None,
    method: str = "user_kernel",
    base: Annotated[Path | None, Maybe] = None,
    speed: Annotated[float | None, Maybe] = None,
    out: Annotated[Path | None, Maybe] = None,
    url: Annotated[str | None, Maybe] = None,
    learn: LearnFlags = LEARN,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Play a recorded log as live traffic: each day is asked first and learned then.

    Two recommenders are asked: one that stays as it is at the start, and one that learns every evening and is judged on
    the newest day before it is served. Both know what people did until that morning.

    Args:
        path: folder, file of interactions, database URL, or ``demo``.
        target: the domain that is served.
        start: first day of the replay; all before it is known.
        days: how many days.
        opened: pretend that the target opened on this day.
        method: a transfer method.
        base: folder of a base, for methods that read one.
        speed: days of the log in a day of the clock, such as 86400 for a day each second; as fast as it goes if absent.
        out: folder that takes replay.json and, with the extra ``report``, replay.svg.
        url: address of a service to which the events of each day are sent as well; the key is read from CROSSAISLE_KEY.
    """
    if speed is not None and speed <= 0:
        raise ConfigError(f"speed is {speed}; a number above 0 is needed.")
    how, found, sender = teaching(method, learn), [], None if url is None else Sender(url)
    with drawing():
        world = open_data(path, read)
        shown = world if opened is None else without_target(world, target, moment(opened))
        tape = Tape(shown, target, moment(start), days)
        loaded = None if base is None else Base.load(base)
        watch = Watch() if find_spec("river") is not None else None
        for day in replayed(tape, how, loaded, speed, watch):
            found.append(day)
            if sender is not None:
                sender.send(world, tape.rows(day.number - 1, day.number), day.start)
            if not output.json:
                print("\n".join(_lines(day)), flush=True)
            if out is not None:
                _write(out, target, found)
    if watch is None:
        say("drift was not watched: pip install 'crossaisle[stream]'.")
    if output.json:
        emit([d.to_dict() for d in found])


def _lines(day: Day) -> list[str]:
    quality = (
        f"nDCG@10 frozen {fraction(day.frozen.mean)}, live {fraction(day.live.mean)}" if day.people else "no one new"
    )
    first = f"day {day.number} {day.start:%Y-%m-%d}: {day.events:,} events, {day.people} asked, {quality}, "
    return [f"{first}version {day.version}; {day.verdict}", *(f"  alarm: {a.sentence}" for a in day.alarms)]


def _write(out: Path, target: str, days: Sequence[Day]) -> None:
    document = {"target": target, "days": [d.to_dict() for d in days]}
    write_whole(out / "replay.json", json.dumps(document, indent=1, default=str).encode())
    if find_spec("vl_convert") is not None and any(d.people for d in days):
        write_whole(out / "replay.svg", curves(days).encode())


def curves(days: Sequence[Day]) -> str:
    """SVG of frozen and live over the days on which somebody was asked."""
    asked = [d for d in days if d.people]
    frozen = Series("frozen", "best control", tuple((d.number, *d.frozen) for d in asked))
    live = Series("live", "ship", tuple((d.number, *d.live) for d in asked))
    return lines([frozen, live], {"frozen": INK, "live": SHIP}, ("day", "nDCG@10"))
