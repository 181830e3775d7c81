"""A Report as one self-contained page: no request leaves it, light and dark, readable on a phone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from ..evaluate.result import GuardRow, Report
from . import plots, view, words

HERO, PANEL = (440, 250), (300, 190)
PANELS = (("new", "all", "repeat"), ("head", "middle", "tail"), ("cold_item", "cold_user", "twin_free"))
MARKS = {"helps": "▲", "no difference": "=", "hurts": "▼"}


def page(report: Report, beside: Mapping[str, str] | None = None) -> str:
    """The whole HTML text.

    Args:
        report: what it shows.
        beside: file → title of pages in the same folder that it leads to.

    Raises:
        ConfigError: the plotting libraries are not installed.
    """
    plots.check_installed()
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(text_of("page.html.j2"))
    drawn = view.curves(report, *view.headline(report))
    palette = plots.colours(drawn)
    return template.render(
        report=report,
        style=Markup(text_of("page.css")),
        words=words,
        domain=view.domain(report),
        metric=view.metric_name(*view.headline(report)[1:]),
        steps=[view.step_name(s) for s in view.steps(report)],
        cards=cards(report),
        hero=hero(report, drawn, palette),
        legend=[(s.name, s.role, palette[s.name]) for s in drawn] if len(view.steps(report)) > 1 else [],
        panels=panels(report, palette),
        guards=guards(report),
        tables=tables(report),
        saved=saved(report),
        costs=view.dearest(report),
        protocol=protocol(report),
        beside=beside or {},
    )


def cards(report: Report) -> list[tuple[str, str]]:
    """(question, answer) of the three questions that a launch team asks."""
    ship, week = report.protocol["ship"], view.main_step(report)[0]
    first = view.steps(report)[0]
    made = [("How good on day one?" if first in ((0, None), (None, 0)) else "How good?", words.day_one(report))]
    rows = [r for r in view.saved_of(report, ship) if r.week == week]
    if rows:
        answer = f"{words.factor(rows[0])} at week {rows[0].week:g} (95 % interval: {words.factor_range(rows[0])})."
        made.append(("How much time does it save?", answer))
    made.append(
        ("Can it hurt?", f"Against the best control: {words.guard_summary(report, ship)}. {words.ships(report)}")
    )
    return made


def hero(report: Report, drawn: Sequence[view.Series], palette: dict[str, str]) -> tuple[str, Markup]:
    """(words for those who cannot see it, SVG) of the main plot."""
    name, metric, k = view.headline(report)
    title = f"{view.metric_name(metric, k)}, {view.SLICES[name].lower()}"
    if len(view.steps(report)) == 1:
        return f"{title}, one value per method.", unique("hero", _dots(report, palette, title))
    said = f"{title}: {words.lead(report)} The numbers are in the table below."
    return said, unique("hero", plots.curve(report, drawn, palette, HERO, _arrow(report)))


def panels(report: Report, palette: dict[str, str]) -> list[list[tuple[str, str, Markup]]]:
    """Rows of (slice, users, SVG); empty where the split has one step."""
    if len(view.steps(report)) == 1:
        return []
    _, metric, k = view.headline(report)
    made = []
    for names in PANELS:
        row = []
        for name in names:
            users = {r.users for r in report.rows if r.slice == name}
            if users:
                series = view.curves(report, name, metric, k)
                svg = plots.curve(report, series, palette, PANEL)
                said = f"{max(users):,} users" if len(users) == 1 else f"{min(users):,} to {max(users):,} users"
                row.append((view.SLICES[name], said, unique(name, svg)))
        if row:
            made.append(row)
    return made


def guards(report: Report) -> list[dict[str, Any]]:
    """One table for each slice and kind of control: methods × steps."""
    made = []
    for slice_name in ("new", "all"):
        for against in ("best_control", "target_only", "shared_bottom"):
            found = view.guard_of(report, slice_name, against)
            methods = [m for m in view.labels(report) if any(m == n for n, _ in found)]
            rows = [(m, [_guard_cell(found.get((m, s))) for s in view.steps(report)]) for m in methods]
            if rows:
                title = f"{view.SLICES[slice_name]}, against {against.replace('_', ' ')}"
                made.append({"title": title, "rows": rows, "main": (slice_name, against) == ("new", "best_control")})
    return made


def tables(report: Report) -> list[dict[str, Any]]:
    """One table of numbers for each slice, metric and k: methods × steps, the headline's first."""
    first = view.headline(report)
    keys = dict.fromkeys((r.slice, r.metric, r.k) for r in report.rows)
    made = []
    for key in sorted(keys, key=lambda k: k != first):
        found = view.numbers(report, *key)
        methods = [m for m in view.labels(report) if any(m == n for n, _ in found)]
        rows = [(m, report.kinds[m], [found.get((m, s)) for s in view.steps(report)]) for m in methods]
        title = f"{view.SLICES[key[0]]}, {view.metric_name(*key[1:])}"
        made.append({"title": title, "rows": rows, "main": key == first})
    return made


def saved(report: Report) -> dict[str, Any]:
    """Time saved: methods × weeks."""
    weeks = sorted({r.week for r in report.time_saved})
    rows = []
    for method in view.labels(report):
        found = {r.week: r for r in view.saved_of(report, method)}
        if found:
            rows.append((method, [found.get(w) for w in weeks]))
    return {"steps": [f"week {w:g}" for w in weeks], "rows": rows}


def protocol(report: Report) -> list[tuple[str, str]]:
    """(term, words) of how it was measured."""
    p = report.protocol
    ends = "the end of the data" if p["test_weeks"] is None else f"{p['test_weeks']:g} weeks later"
    asked = p["steps"][-1] if p["steps"] else {}
    lines = [
        ("Data", f"{p['world']}, fingerprint {p['fingerprint'][:12]}"),
        ("Target", p["target"]),
        ("Sources", ", ".join(p["sources"])),
        ("Split", p["split"] + ("" if p["cut"] is None else f", cut at {p['cut']}, test to {ends}")),
        ("Asked", f"{asked.get('test_users', 0):,} users with {asked.get('test_pairs', 0):,} user and item pairs"),
        ("Ranking", f"{p['ranking']}, {asked.get('catalogue', 0):,} items"),
        ("Intervals", p["interval"]),
        ("Seeds", ", ".join(map(str, p["seeds"]))),
        ("Judged as the transfer", f"{p['ship']}, named before the test rows were scored"),
        ("Version", f"crossaisle {p['version']}"),
    ]
    return [*lines, *((f"Method {label}", _described(m)) for label, m in p["methods"].items())]


def _described(method: Mapping[str, Any]) -> str:
    options = ", ".join(f"{k} = {v}" for k, v in method["options"].items())
    base = f"; base by {method['fusion']}" if "fusion" in method else ""
    return f"{method['method']}{base}" + (f" ({options})" if options else "")


def _guard_cell(row: GuardRow | None) -> dict[str, str] | None:
    if row is None:
        return None
    agree = "" if row.seeds == 1 else f"{row.seeds_agree} of {row.seeds} seeds agree"
    return {
        "kind": {"helps": "good", "hurts": "bad"}.get(row.verdict, "same"),
        "mark": MARKS[row.verdict],
        "words": words.VERDICTS[row.verdict],
        "difference": words.signed(row.difference),
        "ends": f"{words.signed(row.low)} to {words.signed(row.high)}",
        "control": row.control,
        "agree": agree,
    }


def _arrow(report: Report) -> tuple[float, float, float, str] | None:
    week = view.main_step(report)[0]
    rows = [r for r in view.saved_of(report, report.protocol["ship"]) if r.week == week and r.factor > 1]
    if not rows:
        return None
    last = max(w for w, _ in view.steps(report) if w is not None)
    row = rows[0]
    return row.week, last if row.reached is None else row.reached, row.quality, words.factor(row)


def _dots(report: Report, palette: dict[str, str], title: str) -> str:
    found = view.numbers(report, *view.headline(report))
    rows = {m: r for (m, _), r in found.items()}
    order = [m for m in view.labels(report) if m in rows]
    return plots.dots(
        [(m, palette.get(m, plots.MUTED), rows[m].value, rows[m].low, rows[m].high) for m in order], title
    )


def unique(name: str, svg: str) -> Markup:
    """`svg` with ids of its own, as one page holds many, and hidden from readers that get words instead."""
    own = re.sub(r'(id="|url\(#)', rf"\g<1>{name}-", svg)
    return Markup(own.replace("<svg ", '<svg aria-hidden="true" ', 1))


def text_of(name: str) -> str:
    """A file of this package."""
    return files("crossaisle.report").joinpath(name).read_text(encoding="utf-8")
