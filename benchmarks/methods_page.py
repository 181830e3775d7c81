"""The page of benchmarks/methods.py: tables, a picture of all, and what networks add to the blend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watched import READING

from crossaisle.evaluate.result import GuardRow, Report
from crossaisle.report import view

if TYPE_CHECKING:
    from methods import Difference

MARKS = {"helps": "+", "hurts": "−", "no difference": "="}
COMMAND = """# All methods on real data

    CROSSAISLE_BENCH=/data/bench python benchmarks/methods.py --out runs/methods --write docs/results

Default options everywhere (the equal budget: nothing is tuned on any set), full ranking of the target's catalogue,
nDCG@10 of first purchases (slice `new`). **+** better than the best control, **−** worse, **=** no difference: paired
over users, 95 % by bootstrap. The best control is picked on these test rows at each step, which is hard on the methods.
Controls in italics. `a+b` is the transfer b from a base of fusion a; others start from `shared_bottom`. Seconds: fit at
the last step, without fusion; fusion seconds of each base in its own column.
"""


def write(reports: Mapping[str, Report], added: Sequence[Difference], folder: Path) -> None:
    """methods.md (what stands below its reading stays), methods.json, and methods.svg in ../images.

    Questions that methods.json has from before and that were not run now stay.
    """
    page, store = folder / "methods.md", folder / "methods.json"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    reading = old[old.index(READING) :] if READING in old else READING
    now = read_reports(store) | {name: _headline(report) for name, report in reports.items()}
    anew = {d.question for d in added}
    differences = [d for d in _differences(store) if d["question"] not in anew] + [asdict(d) for d in added]
    parts = [COMMAND, "![Difference to the best control](../images/methods.svg)\n"]
    parts += [_table(name, report) for name, report in now.items()]
    parts += [_added(differences), reading]
    page.write_text("\n".join(parts), encoding="utf-8")
    document = {name: json.loads(report.to_json()) for name, report in now.items()}
    text = json.dumps({"questions": document, "added": differences}, indent=1)
    store.write_text(text + "\n", encoding="utf-8")
    picture = folder.parent / "images" / "methods.svg"
    picture.write_text(picture_of(now), encoding="utf-8")


def read_reports(store: Path) -> dict[str, Report]:
    """Question → Report, of the rows about its headline, from methods.json."""
    if not store.exists():
        return {}
    body = json.loads(store.read_text(encoding="utf-8"))["questions"]
    return {name: Report.from_document(found, f"{store.name}: {name}") for name, found in body.items()}


def _differences(store: Path) -> list[dict[str, Any]]:
    return json.loads(store.read_text(encoding="utf-8"))["added"] if store.exists() else []


def _headline(report: Report) -> Report:
    """Its rows and guard about the headline alone."""
    key = view.headline(report)
    rows = tuple(r for r in report.rows if (r.slice, r.metric, r.k) == key)
    return replace(report, rows=rows, guard=tuple(_guard(report).values()), time_saved=())


def _guard(report: Report) -> dict[tuple[str, view.Step], GuardRow]:
    name, metric, k = view.headline(report)
    rows = view.guard_of(report, name, "best_control")
    return {key: row for key, row in rows.items() if (row.metric, row.k) == (metric, k)}


def _table(name: str, report: Report) -> str:
    numbers, guard, steps = view.numbers(report, *view.headline(report)), _guard(report), view.steps(report)
    seeds = max((row.seeds for row in report.rows), default=0)
    costs = {(c.method, (c.week, c.shots)): c for c in report.costs}
    head = ["method", *map(view.step_name, steps), "seconds", "fusion"]
    lines = [f"## {name} ({seeds} seed{'s' if seeds > 1 else ''})", "", "| " + " | ".join(head) + " |"]
    lines.append("|" + "---|" * len(head))
    best = {m: numbers[m, steps[-1]].value for m in report.kinds if (m, steps[-1]) in numbers}
    for method in sorted(best, key=lambda m: -best[m]):
        cells = []
        for step in steps:
            row, judged = numbers.get((method, step)), guard.get((method, step))
            mark = "" if judged is None else f" {MARKS[judged.verdict]}"
            cells.append("–" if row is None else f"{row.value:.4f} ({row.low:.4f} to {row.high:.4f}){mark}")
        label = f"*{method}*" if report.kinds[method] == "control" else method
        cost = costs.get((method, steps[-1]))
        spent = ["–", "–"] if cost is None else [f"{cost.fit_seconds:.0f}", f"{cost.fuse_seconds:.0f}"]
        lines.append("| " + " | ".join([label, *cells, *spent]) + " |")
    out = [w for w in report.warnings if w.startswith("Left out")]
    return "\n".join([*lines, "", *out, ""])


def _added(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["## What a network adds to the blend", ""]
    lines += ["The blend with a network against the one without: paired difference of nDCG@10.", ""]
    lines += ["| question | step | network | seeds | difference | |", "|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(
            f"| {r['question']} | {r['step']} | {r['part']} | {r['seeds']} | {r['difference']:+.4f} "
            f"({r['low']:+.4f} to {r['high']:+.4f}) | {MARKS[r['verdict']]} |"
        )
    return "\n".join([*lines, ""])


def picture_of(reports: Mapping[str, Report]) -> str:
    """SVG: a row for each method, a column for each question and step, the relative difference to the best control."""
    import vl_convert

    cells, methods = [], dict[str, list[float]]()
    for name, report in reports.items():
        numbers = view.numbers(report, *view.headline(report))
        for (method, step), row in _guard(report).items():
            control = numbers[row.control, step].value
            share = 100 * row.difference / max(control, 1e-9)
            bounded = max(-100.0, min(100.0, share))
            methods.setdefault(method, []).append(bounded)
            column = f"{name}, {view.step_name(step)}"
            cells.append({"method": method, "at": column, "percent": bounded, "mark": MARKS[row.verdict]})
    order = sorted(methods, key=lambda m: -sum(methods[m]) / len(methods[m]))
    x = {"field": "at", "type": "nominal", "sort": None, "title": None, "axis": {"labelAngle": -40, "labelLimit": 260}}
    y = {"field": "method", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": 220}}
    colour = {
        "field": "percent",
        "type": "quantitative",
        "scale": {"domain": [-100, 0, 100], "range": ["#b2182b", "#f7f7f7", "#2166ac"]},
        "legend": {"title": "% of best control"},
    }
    spec = {
        "data": {"values": cells},
        "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": "rect", "encoding": {"color": colour}},
            {"mark": {"type": "text", "fontSize": 12}, "encoding": {"text": {"field": "mark"}}},
        ],
        "width": {"step": 34},
        "height": {"step": 18},
        "config": {"background": "white", "font": "sans-serif"},
    }
    text: str = vl_convert.vegalite_to_svg(spec, vl_version="5.21")
    return text
