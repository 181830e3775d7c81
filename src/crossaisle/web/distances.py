"""How far apart the domains are: the gap report of the run folder, drawn and in words."""

from __future__ import annotations

import asyncio
import math

from ..gap.report import GapReport, Measure
from ..gap.view import domain_map, matrix
from ..report import gap as words_of
from . import pictures
from .frame import chart, empty, part, words
from .plane import plane
from .run_folder import RunFolder
from .tables import NOTHING, Cell, Line, caption, cards, fold, missing, show, table, warnings

SAID = {
    "close": "close: no farther than the target is from another sample of itself, or from itself when half of its "
    "categories are taken as another domain",
    "apart": "apart: between close and unrelated",
    "unrelated": "unrelated: as far as something that has nothing to do with it; for likenesses, no better than chance",
    "too little to say": "too little to say: fewer than 30 people or items, or an interval from near to far",
}


async def section(folder: RunFolder | None, served: str) -> None:
    """The gap, or what makes one.

    Args:
        folder: of the run.
        served: domain.
    """
    if folder is None:
        empty("The service was started without a folder of a run: start it with `crossaisle serve RUN`.")
        return
    found = await asyncio.to_thread(folder.gap)
    if found.problem:
        missing(found.problem, folder.command("gap", served))
    elif found.found is None:
        missing("Not measured yet. This measures content, people, popularity, prices and behaviour:",
                folder.command("gap", served))  # fmt: skip
    else:
        try:
            _shown(found.found, served)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            missing(f"gap.json holds something else than crossaisle writes ({error}); measure again:",
                    folder.command("gap", served))  # fmt: skip


def _shown(report: GapReport, served: str) -> None:
    target = report.protocol["target"] or served
    lead, asked = words_of.lead(report), words_of.targets(report)
    if target not in asked:
        target = asked[0]
    head, rows = grid(report, target)
    words("p", lead).classes("lead")
    if target != served:
        words("p", f"This was measured for {target}, not for {served}, which is served.").classes("soft")
    cards(words_of.cards(report, target), "In short")
    warnings(report.warnings)
    _map(report, target)
    words("h3", f"Source by source, to {target}")
    show(table(f"Distances to {target}", head, rows))
    with part("ul", "caption"):
        for sentence in SAID.values():
            words("li", sentence)
    _heat(report)


def _map(report: GapReport, target: str) -> None:
    places = domain_map(report)
    if not places:
        empty("No map: fewer than two domains have 30 items that say anything of themselves.")
        return
    words("h3", "Map of the domains by content")
    options = plane(places, words_of.sizes(report), target)
    made = chart(options, f"Map of the domains by content: {nearness(report, target)} The numbers are in the table.")
    made.style("height: 420px")
    caption("Near each other means alike; the size of a dot is the number of events that may be seen.")


def nearness(report: GapReport, target: str) -> str:
    """The map in words: which sources lie nearest, by MMD²."""
    found = [m for s in report.domains if (m := report.of(s.domain, target).get("mmd")) is not None]
    near = sorted((m for m in found if math.isfinite(m.value)), key=lambda m: m.value)
    said = ", ".join(f"{m.source} ({words_of.number(m.value)}{f', {m.word}' if m.word else ''})" for m in near)
    return f"Nearest to {target} first, by MMD²: {said}." if near else "Nothing could be measured."


def _heat(report: GapReport) -> None:
    drawn = words_of.heat(report, "mmd")
    if drawn is None:
        return
    cells, top = drawn
    names = list(dict.fromkeys(c[0] for c in cells))
    with fold("Distances by content, all pairs", opened=len(names) <= words_of.WORDY):
        caption(words_of.TITLES["mmd"])
        with part("div", "wide", 'tabindex=0 role=region aria-label="Distances by content"'):
            made = chart(pictures.heat(cells, top), "Distances by content as colours; the numbers are in the table.")
            made.style(f"height: {120 + pictures.ROW * len(names)}px; min-width: {180 + 40 * len(names)}px")
        values = matrix(report, "mmd", names)
        lines = [
            Line(Cell(a), [Cell(words_of.number(float(v))) for v in row]) for a, row in zip(names, values, strict=True)
        ]
        with fold("The numbers"):
            show(table("Distances by content", ["from", *names], lines))


def grid(report: GapReport, target: str) -> tuple[list[str | Cell], list[Line]]:
    """Headings and rows of the table of sources: for each family the measure that stands for it, with its word."""
    found = words_of.overview(report, target)
    families = [Cell(family, (name.replace("_", " "),)) for family, name in found["families"].items()]
    return ["source", *families], [Line(Cell(name), [cell(m) for m in row]) for name, row in found["rows"]]


def cell(m: Measure | None) -> Cell:
    """A measure: its word, its number, its interval."""
    if m is None or not math.isfinite(m.value):
        return NOTHING
    number = words_of.number(m.value)
    ends = f" ({words_of.number(m.low)} to {words_of.number(m.high)})" if math.isfinite(m.low + m.high) else ""
    if m.word is None:
        return Cell(number + ends)
    return Cell(m.word, (number + ends,), words_of.KINDS[m.word], strong=True)
