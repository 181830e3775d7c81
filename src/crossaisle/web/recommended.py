"""Advice on the page: what to try, what to expect of it and why, from the run folder."""

from __future__ import annotations

from ..advisor.advice import Advice, Advised
from ..advisor.words import percent
from ..report import advice as words_of
from . import pictures
from .frame import chart, part, words
from .run_folder import Part, RunFolder
from .tables import Cell, Line, caption, fold, missing, show, table, warnings

COLUMNS = ["recipe", "expected gain", "minutes", "GB", "in words"]
KINDS = {"likely helps": "good", "may help": "same", "unlikely to help": "bad", "control": "none"}
REASONED = 5
"""Recipes whose reasons are shown, the first ones."""


def section(found: Part[Advised], folder: RunFolder, domain: str) -> None:
    """The advice, or what makes one."""
    advised = found.found
    if advised is None:
        said = found.problem or "No advice yet. This ranks methods by what they did at launches like this one:"
        missing(said, folder.command("advise", domain))
        return
    words("p", advised.sentence).classes("lead")
    if advised.target != domain:
        words("p", f"This advice is for {advised.target}, not for {domain}, which is served.").classes("soft")
    warnings(advised.warnings)
    first = advised.short()
    shown = [words_of.dot(r) for r in first]
    label = f"Expected gains with 80 % intervals. {advised.sentence} The numbers are in the table."
    chart(pictures.dots(shown, words_of.AXIS), label).style(f"height: {56 + pictures.ROW * len(shown)}px")
    caption(
        "Gain over the best control; bars are 80 % intervals of what will be measured. Blue: likely helps; green: may "
        f"help; grey: unlikely to help; in the colour of the text: controls, which read {advised.target} alone."
    )
    show(table("First recipes", COLUMNS, [line(r) for r in first], words_from=3))
    with fold(f"All {len(advised.rows)} recipes"):
        show(table("All recipes", COLUMNS, [line(r) for r in advised.rows], words_from=3))
    words("h3", "Why")
    for place, row in enumerate(advised.rows[:REASONED]):
        with fold(f"{row.recipe}: {percent(row)}", opened=not place), part("ul"):
            for reason in row.reasons:
                words("li", reason)
    if advised.left_out:
        with fold(f"Left out ({len(advised.left_out)})"), part("ul"):
            for name, why in advised.left_out.items():
                words("li", f"{name}: {why}")


def line(row: Advice) -> Line:
    """A row of the table."""
    ends = f"{100 * row.low:+.0f} to {100 * row.high:+.0f} %"
    return Line(
        Cell(row.recipe),
        [
            Cell(f"{100 * row.gain:+.0f} %", (ends,)),
            Cell(f"{row.seconds / 60:.1f}"),
            Cell(f"{row.memory:.1f}"),
            Cell(row.word, (), KINDS[row.word], strong=True),
        ],
    )
