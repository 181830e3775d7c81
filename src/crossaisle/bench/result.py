"""What a benchmark found: rows with intervals, beside what others published."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..evaluate.search import told
from ..evaluate.stats import interval
from ..metrics import Bools, Doubles, ndcg_at
from ..resampling import resampled
from ..types import Codes
from .run import Places
from .sets import Published

SCHEMA_VERSION = 1
K = 10


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        set: name of the set.
        domain: target.
        slice: ``all`` lists, ``twin_free`` ones, or ``full``: all of them, ranked in the whole catalogue
            (where candidates are given; else ``all`` is).
        method: label.
        metric: ``ndcg`` or ``hit``.
        k: places that count.
        value: mean over lists, seeds averaged first.
        low: lower end of the 95 % interval by bootstrap over people.
        high: its upper end.
        seeds: how many were averaged.
        lists: how many lists.
        seconds: of fit and scoring, mean over seeds.
        peak_mb: most memory of the process meanwhile.
    """

    set: str
    domain: str
    slice: str
    method: str
    metric: str
    k: int
    value: float
    low: float
    high: float
    seeds: int
    lists: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class BenchResult:
    """Rows of one set; ``to_dict`` is the JSON that `crossaisle bench` writes."""

    set: str
    rows: tuple[Row, ...]
    published: tuple[Published, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with ``schema_version`` first."""
        return {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}


def rows_of(
    name: str, domain: str, users: Codes, twin: Bools, found: Sequence[Places], candidates: bool = True
) -> list[Row]:
    """Rows of all methods of one target.

    Args:
        name: of the set.
        domain: target.
        users: (n,) whose list it is; lists of one person are resampled together.
        twin: (n,) True for lists whose wanted item has a twin in training.
        found: places of all methods and seeds.
        candidates: whether they were given; else the slice ``all`` is ranked in the whole catalogue already.
    """
    whole = np.ones(len(users), dtype=bool)
    slices = {"all": ("listed", whole)}
    if candidates:
        slices["full"] = ("whole", whole)
    if twin.any():
        slices["twin_free"] = ("listed", ~twin)
    rows = []
    for label in dict.fromkeys(p.label for p in found if not p.skipped):
        same = [p for p in found if p.label == label and not p.skipped]
        for part, (which, mask) in slices.items():
            if not len(getattr(same[0], which)):
                continue
            for metric in ("ndcg", "hit"):
                values = np.mean([value(getattr(p, which), metric) for p in same], axis=0)
                low, high = ends(values[mask], users[mask])
                seconds = float(np.mean([p.seconds for p in same]))
                peak = max(p.peak_mb for p in same)
                number, asked = float(values[mask].mean()), int(mask.sum())
                about = (name, domain, part, label, metric, K)
                rows.append(Row(*about, number, low, high, len(same), asked, seconds, peak))
    return rows


def value(places: Doubles, metric: str, k: int = K) -> Doubles:
    """nDCG@k or HR@k of lists with one wanted item at `places` (n,)."""
    return ndcg_at(places, k) if metric == "ndcg" else (places <= k).astype(np.float64)


def ends(values: Doubles, users: Codes) -> tuple[float, float]:
    """95 % interval of the mean of `values`, lists of one person resampled together."""
    _, person, number = np.unique(users, return_inverse=True, return_counts=True)
    if (number == 1).all():
        found = interval(values)
        return found.low, found.high
    total = np.bincount(person, values)
    means = resampled(np.stack([total, number.astype(np.float64)]))
    low, high = np.quantile(means[0] / means[1], [0.025, 0.975])
    return float(low), float(high)


def to_markdown(result: BenchResult) -> str:
    """A table for each target: nDCG@10 and HR@10 with intervals, published rows among ours by quality."""
    parts = []
    for domain in dict.fromkeys(r.domain for r in result.rows):
        lines = _lines(result, domain)
        table = "\n".join(line for _, line in sorted(lines, key=lambda pair: -pair[0]))
        head = "| method | nDCG@10 | HR@10 | twin-free nDCG@10 | whole catalogue nDCG@10 | seconds | peak MB |"
        parts.append(f"### {result.set}: {domain}\n\n{head}\n|---|---|---|---|---|---|---|\n{table}\n")
        tuned = _tuned(result.facts.get(domain, {}))
        if tuned:
            parts.append("Options searched on held-out rows:\n\n" + "\n".join(tuned) + "\n")
    for label, why in result.skipped.items():
        parts.append(f"Left out: {label}: {why}\n")
    return "\n".join(parts)


def _tuned(facts: Mapping[str, Any]) -> list[str]:
    """A line for each method whose options were searched, or why not; `facts` is label and seed → facts."""
    found = {of.rsplit(", seed ", 1)[0]: about["tuning"] for of, about in facts.items() if "tuning" in about}
    return [f"- {label}: {told(tuning)}" for label, tuning in found.items()]


def _lines(result: BenchResult, domain: str) -> list[tuple[float, str]]:
    table = {(r.method, r.slice, r.metric): r for r in result.rows if r.domain == domain}
    lines = []
    for label in dict.fromkeys(m for m, _, _ in table):
        main = table[label, "all", "ndcg"]
        cells = [_shown(table.get((label, *key))) for key in (
            ("all", "ndcg"), ("all", "hit"), ("twin_free", "ndcg"), ("full", "ndcg"))]  # fmt: skip
        lines.append((main.value, f"| {label} | {' | '.join(cells)} | {main.seconds:.1f} | {main.peak_mb:,.0f} |"))
    for row in (p for p in result.published if p.domain == domain):
        ndcg, hit = (f"{v:.3f}" if v is not None else "–" for v in (row.ndcg, row.hit))
        lines.append((row.ndcg or 0.0, f"| *{row.method}* ({row.source}) | {ndcg} | {hit} | – | – | – | – |"))
    return lines


def _shown(row: Row | None) -> str:
    return "–" if row is None else f"{row.value:.4f} ({row.low:.4f} to {row.high:.4f})"
