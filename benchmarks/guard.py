"""How often the guard is right on made-up Worlds whose truth is known: docs/results/guard.md.

    python benchmarks/guard.py --out runs/guard --write docs/results

Each World (`guard_worlds`) plants harm or help of some size. The true effect is not assumed but computed: both methods'
rankings of all test people are scored on many test windows drawn from the truth. Then the guard judges on 30, 100, 300
and 1,000 test people, as in a study. Finished Worlds are kept in --out, and the same call goes on from there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from guard_worlds import SHIP, Plan, Said, said
from watched import wilson, write_page

from crossaisle.cli.progress import drawing
from crossaisle.progress import ticking
from crossaisle.report.plots import OTHERS

SIZES = (30, 100, 300, 1000)
USERS = 2200
"""People in each domain; somewhat more than half of them buy anything new in the test window."""
LEAST = 0.05
"""A true effect of this share of the control's value or more counts as harm or help."""
NONE = 0.02
"""Below this it counts as none."""
BINS = (0.05, 0.1, 0.2, 0.4, 9.0)
RATIOS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 99.0)
CURVE = tuple(np.arange(-0.6, 0.61, 0.1).round(1))


def plans() -> list[Plan]:
    """Conflict of every size, with some and with all people shared, early and late; and no people shared."""
    harm = [Plan(k / 8, 1.0, overlap, weeks, seed)
            for seed in range(4) for k in range(9) for overlap in (0.3, 1.0) for weeks in (2.0, 12.0)]  # fmt: skip
    nothing = [Plan(0.0, 1.0, 0.0, weeks, 100 + seed) for seed in range(16) for weeks in (2.0, 12.0)]
    return harm + nothing


def run(out: Path) -> list[Said]:
    """What the guard says of all plans."""
    out.mkdir(parents=True, exist_ok=True)
    found = []
    everything = plans()
    for plan in ticking("guard", everything, len(everything)):
        path = out / ("-".join(str(v) for v in asdict(plan).values()) + ".json")
        if not path.exists():
            path.write_text(json.dumps([asdict(s) for s in said(plan, USERS, SIZES)]), encoding="utf-8")
        found += [Said(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    return found


def share(rows: Sequence[Said], hit: Callable[[Said], bool]) -> str:
    """Percent with its Wilson interval and the number of Worlds."""
    hits = sum(hit(r) for r in rows)
    if not rows:
        return "–"
    low, high = wilson(hits, len(rows))
    return f"{100 * hits / len(rows):.0f} % ({100 * low:.0f}–{100 * high:.0f}; {len(rows)})"


def by_size(rows: Sequence[Said], name: str, hit: Callable[[Said], bool]) -> str:
    return f"| {name} | " + " | ".join(share([r for r in rows if r.users == n], hit) for n in SIZES) + " |"


def hurts(row: Said) -> bool:
    return row.verdict == "hurts"


def control_ships(row: Said) -> bool:
    return row.ships != SHIP


def page(rows: Sequence[Said]) -> str:
    head = ["| | " + " | ".join(f"{n:,} people" for n in SIZES) + " |", "|---|" + "---|" * len(SIZES)]
    harm = [r for r in rows if r.true <= -LEAST]
    gain = [r for r in rows if r.true >= LEAST]
    none = [r for r in rows if abs(r.true) < NONE]
    bins = list(pairwise(BINS))
    named = {b: f"{b[0]:.0%} to {b[1]:.0%}" if b[1] < 1 else f"{b[0]:.0%} and more" for b in bins}
    lines = [
        "# How often the guard is right",
        "",
        "    python benchmarks/guard.py --out runs/guard --write docs/results",
        "",
        f"{len(plans())} made-up Worlds ([guard_worlds.py](../../benchmarks/guard_worlds.py)): a source that sells the",
        "same items, with the target's tastes or, in up to all factors, the opposite ones; all, 30 % or none of the",
        f"people shared; 2 or 12 weeks of the target visible. `{SHIP}` is judged against popularity, ease and",
        "`user_kernel_target`, closed forms without chance. *True* is the expected new-to-user nDCG@10 over 30 fresh",
        "test windows of everybody, drawn from what made the World, relative to the truly best control. The guard sees",
        "one window of so many people. Cells: percent of Worlds (95 % Wilson interval; number of Worlds).",
        "",
        "![Share of Worlds in which the guard says hurts or helps, by true effect](../images/guard.svg)",
        "",
        f"## Harm: true effect −{LEAST:.0%} or worse; share caught (the control ships)",
        "",
        *head,
        by_size(harm, "all", control_ships),
        *[by_size([r for r in harm if b[0] <= -r.true < b[1]], named[b], control_ships) for b in bins],
        "",
        f"## Help: true effect +{LEAST:.0%} or better; share refused (the control ships)",
        "",
        *head,
        by_size(gain, "all", control_ships),
        *[by_size([r for r in gain if b[0] <= r.true < b[1]], named[b], control_ships) for b in bins],
        "",
        "The same Worlds; share in which the guard says that it helps:",
        "",
        *head,
        by_size(gain, "all", lambda r: r.verdict == "helps"),
        *[by_size([r for r in gain if b[0] <= r.true < b[1]], named[b], lambda r: r.verdict == "helps") for b in bins],
        "",
        f"## Neither: true effect within ±{NONE:.0%}",
        "",
        *head,
        by_size(none, "says hurts", hurts),
        by_size(none, "says helps", lambda r: r.verdict == "helps"),
        by_size(rows, "all Worlds: interval has the true difference", lambda r: r.covered),
        "",
        "## What can be seen",
        "",
        "Half width of the guard's interval, relative to the control's value: median over Worlds, and the middle half.",
        "",
        *head,
        "| half width | " + " | ".join(_middle([r.half for r in rows if r.users == n]) for n in SIZES) + " |",
        "",
        "Harm in half widths of its own interval, all numbers of people together; share caught:",
        "",
        "| true harm / half width | caught |",
        "|---|---|",
        *[
            f"| {low:g} to {high:g} | {share(_between(rows, low, high), control_ships)} |"
            for low, high in pairwise(RATIOS)
        ],
    ]
    return "\n".join(lines) + "\n"


def _between(rows: Sequence[Said], low: float, high: float) -> list[Said]:
    return [r for r in rows if r.true < 0 and low <= -r.true / r.half < high]


def _middle(values: Sequence[float]) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.0%} ({low:.0%}–{high:.0%})"


def picture(rows: Sequence[Said]) -> str:
    """SVG: share of Worlds with each word of the guard by true effect, a line for each number of people."""
    import vl_convert

    points = []
    for n in SIZES:
        for low, high in pairwise(CURVE):
            mine = [r for r in rows if r.users == n and low <= r.true < high]
            for verdict in ("hurts", "helps"):
                if len(mine) >= 5:
                    said_so = sum(r.verdict == verdict for r in mine) / len(mine)
                    points.append({"effect": 50 * (low + high), "share": said_so, "people": n, "word": verdict})
    colour = {"field": "people", "type": "ordinal", "title": "test people", "scale": {"range": list(OTHERS)}}
    encoding: dict[str, Any] = {
        "x": {"field": "effect", "type": "quantitative", "title": "true effect, % of the best control"},
        "y": {"field": "share", "type": "quantitative", "title": "share of Worlds", "axis": {"format": "%"}},
        "color": colour,
        "strokeDash": {
            "field": "word",
            "type": "nominal",
            "title": "the guard says",
            "legend": {"symbolType": "stroke"},
        },
    }
    spec = {
        "data": {"values": points},
        "mark": {"type": "line", "point": True},
        "encoding": encoding,
        "width": 520,
        "height": 280,
        "config": {"background": "white", "font": "sans-serif"},
    }
    text: str = vl_convert.vegalite_to_svg(spec, vl_version="5.20")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    with drawing():
        rows = run(asked.out)
    text = page(rows)
    print(text)
    if asked.write is not None:
        write_page(asked.write / "guard.md", text)
        plain = [{k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(r).items()} for r in rows]
        (asked.write / "guard.json").write_text(json.dumps(plain) + "\n", encoding="utf-8")
        (asked.write.parent / "images" / "guard.svg").write_text(picture(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
