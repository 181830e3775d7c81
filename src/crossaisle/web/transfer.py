"""The page Transfer: which method is how good, what the old knowledge is worth over the weeks, and what ships."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import ui

from ..evaluate.result import Report
from ..report import html, plots, view, words
from . import ladder, pictures, recommended
from .frame import View, chart, empty, part
from .frame import words as text
from .run_folder import Part, RunFolder
from .run_pages import link
from .tables import STYLE, caption, cards, choice, fold, missing, show, table, warnings

BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError)
"""What reading a document raises that says one thing and holds another."""


async def page(view_: View) -> None:
    """Fill the frame."""
    ui.add_css(STYLE)
    if view_.run is None:
        empty("The service was started without a folder of a run: start it with `crossaisle serve RUN`.")
        return
    folder, domain = RunFolder.of(view_.run), view_.service.live.now.shop.domain
    found, advice = await asyncio.to_thread(lambda: (folder.report(), folder.advice()))
    _guarded(lambda: _report(found, folder, domain), "report.json", folder.command("evaluate", domain))
    text("h2", "Advice: what to try")
    _guarded(lambda: recommended.section(advice, folder, domain), "advice.json", folder.command("advise", domain))
    pages = folder.pages()
    if pages:
        text("h2", "Pages of this run")
        with part("p", "pages"):
            for name, title in pages.items():
                text("a", title).props(f'href="{link(name)}" target=_blank')


def _guarded(build: Callable[[], None], name: str, command: str) -> None:
    """`build`, or one sentence where the document says one thing and holds another."""
    with part("div") as place:
        try:
            build()
        except BROKEN as error:
            place.clear()
            with place:
                missing(f"{name} holds something else than crossaisle writes ({error}); make it again:", command)


def _report(found: Part[Report], folder: RunFolder, domain: str) -> None:
    if found.found is None:
        said = found.problem or "No study yet. This compares methods, with and without the old knowledge:"
        missing(said, folder.command("evaluate", domain))
        return
    report = ladder.with_ends(found.found)
    text("p", words.lead(report)).classes("lead")
    if view.domain(report) != domain:
        text("p", f"This study is about {view.domain(report)}, not about {domain}, which is served.").classes("soft")
    cards(html.cards(report), "In short", "h2")
    warnings(report.warnings)
    _Explorer(report).show()
    text("h2", "What ships, and why")
    text("p", words.ships(report))
    caption(words.GUARD)
    steps = [view.step_name(s) for s in view.steps(report)]
    shown = html.guards(report)
    for judged in shown:
        lines = ladder.verdicts(judged["rows"], report.protocol["ship"])
        made = table(f"Guard: {judged['title']}", ["method", *steps], lines, words_from=0)
        if judged["main"]:
            show(made)
        else:
            with fold(judged["title"]):
                show(made)
    if not shown:
        empty("No transfer could be compared with a control.")


class _Explorer:
    """The ladder of one step and the curves over all, for the people and items that are chosen."""

    def __init__(self, report: Report) -> None:
        self._report, self._steps = report, view.steps(report)
        self._slice = view.headline(report)[0]
        self._step = view.main_step(report)
        _, self._metric, self._k = view.headline(report)
        self._colours = plots.colours(view.curves(report, *view.headline(report)))

    def show(self) -> None:
        """Build."""
        text("h2", "The ladder of methods")
        with part("div", "choices"):
            slices = {s: view.SLICES[s] for s in ladder.slices(self._report, self._metric, self._k)}
            choice("Whom and what", slices, self._slice, self._take_slice)
            if len(self._steps) > 1:
                names = {view.step_name(s): view.step_name(s) for s in self._steps}
                choice("When", names, view.step_name(self._step), self._take_step)
        self._said = text("p", "").classes("unseen").props("role=status")
        self._place = part("div")
        self._fill()

    def _take_slice(self, name: str) -> None:
        self._slice = name
        self._fill()

    def _take_step(self, name: str) -> None:
        self._step = next(s for s in self._steps if view.step_name(s) == name)
        self._fill()

    def _fill(self) -> None:
        self._place.clear()
        with self._place:
            self._rungs()
            if len(self._steps) > 1:
                self._curves()

    def _rungs(self) -> None:
        rungs = ladder.rungs(self._report, self._slice, self._step)
        if not rungs:
            empty(f"Nothing could be measured at {view.step_name(self._step)} for this choice.")
            return
        metric, said = view.metric_name(self._metric, self._k), ladder.sentence(rungs, self._step)
        self._said.text = said
        caption(ladder.ABOUT[self._slice])
        dots = [(r.method, self._colour(r), r.value, r.low, r.high) for r in rungs]
        made = chart(pictures.dots(dots, metric), f"{metric}: {said} The numbers are in the table.")
        made.style(f"height: {56 + pictures.ROW * len(rungs)}px")
        show(table(f"{metric} of each method", ladder.columns(metric), ladder.lines(rungs)))

    def _curves(self) -> None:
        series = view.curves(self._report, self._slice, self._metric, self._k)
        metric = view.metric_name(self._metric, self._k)
        text("h2", f"The cold start: {metric} over the weeks" if self._steps[0][0] is not None
             else f"The cold start: {metric} over visible interactions")  # fmt: skip
        if not series:
            empty("Nothing could be measured for this choice.")
            return
        title = "weeks since launch" if self._steps[0][0] is not None else "visible interactions per item"
        palette = {s.name: self._colours.get(s.name, plots.MUTED) for s in series}
        options = pictures.curves(series, palette, [view.position(s) for s in self._steps], title)
        chart(options, f"{metric} over the steps; {words.lead(self._report)} The numbers are in the table.").style(
            "height: 340px"
        )
        caption(f"Bands are 95 % intervals over users. {words.BEST_CONTROL}")
        with fold("The numbers of all methods"):
            steps = [view.step_name(s) for s in self._steps]
            lines = ladder.over_steps(self._report, self._slice, self._steps)
            show(table(f"{metric} over the steps", ["method", *steps], lines))

    def _colour(self, rung: ladder.Rung) -> str:
        """The colour of its curve; controls, which share one curve, have the ink of the best."""
        return self._colours.get(rung.method) or (plots.INK if rung.control else plots.MUTED)
