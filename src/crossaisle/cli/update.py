"""`crossaisle update`: from files what the learner does beside a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App

from ..models.base import Base
from ..recommender import Recommender
from ..report.words import VERDICTS, fraction, signed
from ..stream.lesson import Lesson
from ..stream.update import updated
from .flags import READ, Maybe, ReadFlags, open_data
from .output import OUTPUT, Output, emit
from .progress import drawing
from .teaching import LEARN, LearnFlags, teaching

app = App(
    name="update", help_epilogue="Example: crossaisle update bakery/ new-events.csv --data shop/ --out bakery-new/"
)


@app.default
def update(
    artifact: Path,
    new_events: str,
    /,
    *,
    data: str,
    out: Path,
    method: Annotated[str | None, Maybe] = None,
    base: Annotated[Path | None, Maybe] = None,
    learn: LearnFlags = LEARN,
    read: ReadFlags = READ,
    output: Output = OUTPUT,
) -> None:
    """Learn from new events, judge the result on the newest day, and write it if it holds.

    Args:
        artifact: folder of the recommender that is served.
        new_events: file or folder of what happened since, in the same columns.
        data: what the artifact was fitted on: folder, file, database URL, or ``demo``.
        out: folder that takes the candidate if it is promoted; it may be that of the artifact.
        method: a transfer method; default: that of the artifact, with its default options.
        base: folder of the base that the artifact was adapted from, for methods that read one.
    """
    with drawing():
        current = Recommender.load(artifact)
        how = teaching(method or current.method, learn)
        loaded = None if base is None else Base.load(base)
        found = updated(current, open_data(data, read), open_data(new_events, read), how, out, loaded)
    if output.json:
        emit({"recommender": str(out) if found.promote else None, **found.to_dict()})
    else:
        print("\n".join(_lines(found, out)))


def _lines(found: Lesson, out: Path) -> list[str]:
    lines = [f"learned {found.learned:,} events from before {found.start:%Y-%m-%d %H:%M}, judged on those since."]
    aside, judged = found.aside, found.judgement
    if aside.floods:
        lines.append(f"set aside: {aside.floods:,} events of {aside.people} with more on one day than a person has.")
    if aside.early:
        lines.append(f"set aside: {aside.early:,} events with a time that has not come yet.")
    if judged is not None and judged.current is not None and judged.candidate is not None:
        change = f"{signed(judged.difference or 0.0)} ({signed(judged.low or 0.0)} to {signed(judged.high or 0.0)})"
        lines.append(
            f"nDCG@{judged.k} of {judged.users} people: {fraction(judged.current)} served, "
            f"{fraction(judged.candidate)} candidate, {change}: {VERDICTS[judged.verdict]}"
        )
    done = f"promoted: {out}" if found.promote else "kept: nothing was written"
    return [*lines, f"{done}; {found.why}"]
