"""A Report on the terminal: what it says in words, the curve as a table, guard, time saved, costs, warnings."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..evaluate.result import Report
from . import view, words

Titled = tuple[str, Table]
COLOURS = {"helps": "green", "no difference": "", "hurts": "red"}


def show(report: Report, console: Console) -> None:
    """Print `report`."""
    console.print()
    console.print(Text(words.lead(report), style="bold"))
    console.print(Text(words.ships(report)))
    console.print()
    for title, table in (curve_table(report), guard_table(report), saved_table(report), cost_table(report)):
        if table.row_count:
            console.print(Text(title, style="bold"), table, sep="\n")
    for sentence in report.warnings:
        console.print(f"[yellow]Note:[/] {escape(sentence)}")


def curve_table(report: Report) -> Titled:
    """Methods × steps of the headline number, the interval below it; controls first."""
    slice_name, metric, k = view.headline(report)
    what = f"{view.domain(report)}: {view.metric_name(metric, k)}, {view.SLICES[slice_name].lower()} (95 % over users)"
    steps = view.steps(report)
    table = _table("method", *(view.step_name(s) for s in steps))
    rows = view.numbers(report, slice_name, metric, k)
    kind = "control"
    for label in view.labels(report):
        if report.kinds[label] != kind:
            table.add_section()
            kind = report.kinds[label]
        cells = [rows.get((label, s)) for s in steps]
        best = label == report.protocol["ship"]
        table.add_row(
            Text(label, style="bold" if best else ""),
            *(
                Text("–", style="dim")
                if r is None
                else Text.assemble(
                    (words.fraction(r.value), "bold" if best else ""),
                    (f"\n{words.fraction(r.low, 3)}–{words.fraction(r.high, 3)}", "dim"),
                )
                for r in cells
            ),
        )
    return what, table


def guard_table(report: Report) -> Titled:
    """What the guard says of every transfer, in words."""
    roles = [a for a in ("best_control", "target_only", "shared_bottom") if any(g.against == a for g in report.guard)]
    table = _table("method", *(r.replace("_", " ") for r in roles), right=False)
    for label in (m for m in view.labels(report) if report.kinds[m] == "transfer"):
        table.add_row(label, *(_verdicts(words.guard_summary(report, label, r)) for r in roles))
    return "Guard: is it better than …", table


def saved_table(report: Report) -> Titled:
    """When the best control gets to what each transfer has, in weeks, and the factor."""
    weeks = sorted({r.week for r in report.time_saved})
    table = _table("method", *(f"week {w:g}" for w in weeks))
    for label in (m for m in view.labels(report) if report.kinds[m] == "transfer"):
        rows = {r.week: r for r in view.saved_of(report, label)}
        if not rows:
            continue
        cells = [rows.get(w) for w in weeks]
        texts = ["–" if r is None else f"{'≥ ' if r.at_least else ''}×{words.short(r.factor)}" for r in cells]
        table.add_row(Text(label, style="bold" if label == report.protocol["ship"] else ""), *texts)
    return "Time saved against the best control", table


def cost_table(report: Report) -> Titled:
    """Costs at each method's slowest step."""
    names = ("fit s", "base s", "peak MB", "parameters", "saved MB", "ms/request")
    table = _table("method", *names)
    for c in view.dearest(report):
        numbers = (f"{c.fit_seconds:.2f}", f"{c.fuse_seconds:.1f}", f"{c.peak_mb:,.0f}", f"{c.parameters:,}")
        table.add_row(c.method, *numbers, f"{c.artifact_mb:.1f}", f"{c.ms_per_request:.2f}")
    return "Costs (slowest step)", table


def _table(first: str, *others: str, right: bool = True) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right" if right else "left", no_wrap=right)
    return table


def _verdicts(text: str) -> Text:
    made = Text()
    for number, part in enumerate(text.split("; ")):
        colour = next((c for v, c in COLOURS.items() if part.startswith(words.VERDICTS[v])), "")
        made.append("; " if number else "").append(part, style=colour)
    return made
