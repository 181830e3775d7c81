"""A GapReport as one self-contained page, in the style of `html.page`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from markupsafe import Markup

from ..gap.report import GapReport, Measure
from ..gap.sides import ALL
from ..gap.view import domain_map, headlines, matrix, nearest
from . import plots
from .html import text_of, unique

TITLES = {
    "mmd": "Content: MMD² of item vectors (0: one domain's own samples; more is farther)",
    "neighbour_lift": "Users: how much more alike in the target are people who are alike in the source (1: chance)",
    "users_known": "Users: share of the target's people whom the source knows",
}
WORDY = 12
"""Tables of colours with more columns carry no numbers in their cells."""
KINDS = {"close": "good", "apart": "same", "unrelated": "bad", "too little to say": "none"}


def page(report: GapReport) -> str:
    """The whole HTML text.

    Raises:
        ConfigError: the plotting libraries are not installed.
    """
    plots.check_installed()
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(text_of("gap.html.j2"))
    target = report.protocol["target"]
    return template.render(
        report=report,
        style=Markup(text_of("page.css")),
        number=number,
        target=target,
        lead=lead(report),
        cards=cards(report, target) if target else [],
        overviews=[overview(report, t) for t in targets(report)],
        pictures=pictures(report),
        aligned=alignment(report, target) if target else None,
        tables=tables(report),
        kinds=KINDS,
        protocol=protocol(report),
    )


def targets(report: GapReport) -> list[str]:
    """Domains that something is measured to, in the report's order."""
    return list(dict.fromkeys(m.target for m in report.measures if m.family == "users"))


def number(value: float | None) -> str:
    """Two digits that count, all of them from 100 on; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.2g}"


def lead(report: GapReport) -> str:
    """The first sentence."""
    target = report.protocol["target"]
    if target is None:
        return f"{len(report.domains)} domains, every one as source and as target, before anything is trained."
    sources = [s for s in nearest(report, target) if s != ALL]
    words = [m.word for s in sources if (m := report.of(s, target).get("mmd")) is not None]
    said = ", ".join(
        f"{words.count(w)} {w}" for w in ("close", "apart", "unrelated", "too little to say") if w in words
    )
    return f"By content, of the {len(sources)} sources for {target}: {said}."


def cards(report: GapReport, target: str) -> list[tuple[str, str]]:
    """(question, answer): whose items, whose people, whose tastes."""
    asked = (
        ("Whose items are nearest?", "mmd", min),
        ("Who knows the people?", "users_known", max),
        ("Whose tastes carry over?", "neighbour_lift", max),
    )
    made = []
    for question, name, best in asked:
        found = [m for s in nearest(report, target) if s != ALL and (m := report.of(s, target).get(name)) is not None]
        found = [m for m in found if math.isfinite(m.value) and m.word != "too little to say"]
        if found:
            m = best(found, key=lambda m: m.value)
            ends = f"95 % interval {number(m.low)} to {number(m.high)}"
            made.append((question, f"{m.source}: {m.name} {number(m.value)} ({ends}), {m.word}."))
        else:
            made.append((question, "Too little to say."))
    return made


def overview(report: GapReport, target: str) -> dict[str, Any]:
    """Sources × families: the measure that stands for each, with its word."""
    names = headlines(report, target)
    rows = [
        ("all sources" if s == ALL else s, [report.of(s, target).get(name) for name in names.values()])
        for s in nearest(report, target)
    ]
    return {"target": target, "families": names, "rows": rows}


def pictures(report: GapReport) -> list[tuple[str, str, Markup]]:
    """(title, words for those who cannot see it, SVG)."""
    target, made = report.protocol["target"], []
    places = domain_map(report)
    if places:
        size = sizes(report)
        rows = [(n, x, y, size[n], plots.OTHERS[0] if n == target else plots.SHIP) for n, (x, y) in places.items()]
        title = "Map of the domains by content: near each other means alike; area is the number of visible events"
        made.append((title, "Positions by classical scaling of the ranks of MMD²", unique("map", plots.points(rows))))
    if target is not None:
        for name in ("mmd", "neighbour_lift"):
            if told := dots(report, target, name):
                made.append((TITLES[name], "The numbers are in the tables below", unique(name, plots.dots(told, name))))
    for name in ("mmd",) if target is not None else ("mmd", "neighbour_lift", "users_known"):
        if cells := heat(report, name):
            said = "Sources in rows, targets in columns; the numbers are in the tables below"
            made.append((TITLES[name], said, unique(f"h-{name}", plots.heat(*cells))))
    return made


def sizes(report: GapReport) -> dict[str, float]:
    """Domain → 0 to 1, so that its area on a map is its number of visible events."""
    most = max((d.interactions for d in report.domains), default=0) or 1
    return {d.domain: math.sqrt(d.interactions / most) for d in report.domains}


def dots(report: GapReport, target: str, name: str) -> list[tuple[str, str, float, float, float]]:
    """(source, colour, value, low, high) of a measure, nearest source first; what says too little is left out."""
    found = [(s, report.of(s, target).get(name)) for s in nearest(report, target)]
    shown = {"close": plots.SHIP, "apart": plots.INK}
    return [
        ("all sources" if s == ALL else s, shown.get(str(m.word), plots.MUTED), m.value, m.low, m.high)
        for s, m in found
        if m is not None and math.isfinite(m.value) and m.word != "too little to say"
    ]


def heat(report: GapReport, name: str) -> tuple[list[tuple[str, str, float, str]], float] | None:
    """(row, column, value, words) of a table of colours, and the value of the strongest; None for under two domains.

    The strongest is no weaker than chance: what lies within its null is not painted as far.
    """
    names = [d.domain for d in report.domains]
    values = matrix(report, name, names)
    there = [i for i in range(len(names)) if np.isfinite(values[i]).any() or np.isfinite(values[:, i]).any()]
    if len(there) < 2:
        return None
    cells = [
        (names[i], names[j], float(v) if np.isfinite(v := values[i, j]) else 0.0, number(v) if i != j else "")
        for i in there
        for j in there
    ]
    if len(there) > WORDY:
        cells = [(a, b, v, "") for a, b, v, _ in cells]
    nulls = [m.null for m in report.measures if m.name == name and m.null is not None and math.isfinite(m.null)]
    return cells, max(float(np.nanquantile(values, 0.95)), *nulls, 0.0)


def alignment(report: GapReport, target: str) -> dict[str, Any] | None:
    """The plan from all sources (from the only one) as rows, and as a picture of the target's largest categories."""
    rows = [a for a in report.aligned if a.target == target and a.source == ALL]
    rows = rows or [a for a in report.aligned if a.target == target]
    if not rows:
        return None
    ours = list(dict.fromkeys(a.target_category for a in rows))[:WORDY]
    drawn = [a for a in rows if a.target_category in ours]
    theirs = list(dict.fromkeys(a.source_category for a in sorted(drawn, key=lambda a: -a.share)))[: 2 * WORDY - 4]
    share = {(a.source_category, a.target_category): a.share for a in drawn}
    cells = [(s, t, v := share.get((s, t), 0.0), f"{v:.0%}" if v >= 0.005 else "") for s in theirs for t in ours]
    svg = unique("plan", plots.heat(cells, 1.0, size=20))
    return {"rows": rows, "svg": svg}


def tables(report: GapReport) -> list[dict[str, Any]]:
    """All measures: one table for each pair."""
    pairs: dict[tuple[str, str], list[Measure]] = {}
    for m in report.measures:
        pairs.setdefault((m.source, m.target), []).append(m)
    return [
        {"title": f"{'all sources' if s == ALL else s} → {t}", "rows": rows}
        for (s, t), rows in pairs.items()
        if t in targets(report)
    ]


def protocol(report: GapReport) -> list[tuple[str, str]]:
    """(term, words) of how it was measured."""
    p, o = report.protocol, report.protocol["options"]
    return [
        ("Data", f"{report.name}, fingerprint {p['fingerprint'][:12]}"),
        ("Target", p["target"] or "every domain"),
        ("Sources", ", ".join(p["sources"])),
        ("Visible", f"rows before {p['cut'] or 'the end of the data'}" + _opened(p["weeks"])),
        ("Item vectors", f"{p['content']}; up to {o['items']:,} items of each catalogue"),
        ("People", f"up to {o['people']:,} shared users, {o['neighbours']} neighbours"),
        ("Draws", f"{o['permutations']} permutations, {o['resamples']} resamples, seed {p['seed']}"),
        ("Base", p["base"] or "none"),
    ]


def _opened(weeks: float | None) -> str:
    return "" if weeks is None else f"; the target opened {weeks:g} weeks before"
