"""Is advice worth following? Every launch advised from the other targets alone, and `auto` against hindsight.

    CROSSAISLE_BENCH=/data/bench python benchmarks/advice.py --out runs/cases --write docs/results
    python benchmarks/advice.py --calibration --write docs/results

Runs what benchmarks/cases.py has not run yet. Calibration is over all cases that come along; `auto` is played out over
the quick recipes of each launch from what their fits on held-out rows said: three advised transfers and one control.
With --calibration nothing runs, and `auto` stays as advice.json has it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from cases import quick
from watched import READING

from crossaisle.advisor.advice import Advice, Limits
from crossaisle.advisor.auto import Tried, candidates, decided
from crossaisle.advisor.calibration import Calibration, calibration
from crossaisle.advisor.cases import Case, shipped
from crossaisle.advisor.outlook import Outlook
from crossaisle.advisor.words import word_of
from crossaisle.api import World, advise
from crossaisle.data.demo import CUT
from crossaisle.metrics import Doubles

Judged = tuple[Case, Doubles | None]
RESULTS = Path(__file__).parent.parent / "docs/results"
TRIES = 3
NEAR = 0.97
"""Share of the best in hindsight that counts as within 3 %."""


@dataclass(frozen=True)
class Played:
    """One launch: what `auto` chose, beside the best in hindsight.

    Attributes:
        group: world and target.
        step: weeks or shots in sight.
        chosen: recipe.
        value: nDCG@10 on the test rows.
        best: recipe that is best on the test rows.
        best_value: of it.
        first: nDCG@10 of the first advice, without any trial.
        control: nDCG@10 of the best control on the test rows.
        tried: number of recipes tried.
        share: seconds spent over those of trying all recipes on held-out rows and fitting the best.
    """

    group: str
    step: str
    chosen: str
    value: float
    best: str
    best_value: float
    first: float
    control: float
    tried: int
    share: float


def play(rows: Sequence[Judged], others: Sequence[Case], tries: int) -> Played:
    """`auto` at one launch, advised from `others`, with so many trials of transfers."""
    look, facts = Outlook.of(others), rows[0][0].launch.facts
    known = {c.recipe.name for c in others}
    mine = [(c, q) for c, q in rows if c.recipe.name in known]
    expected = look.gain.expect(look.points(facts, [c.recipe for c, _ in mine]))
    ends = np.expm1(np.stack([expected.mean, expected.low, expected.high], axis=1))
    made = [
        (_advice(c, *map(float, e)), c, np.zeros(0) if q is None else q) for (c, q), e in zip(mine, ends, strict=True)
    ]
    ranked = sorted(made, key=lambda m: -m[0].gain)
    chosen = candidates([a for a, _, _ in ranked], tries)
    by_name = {a.recipe: (c, q) for a, c, q in made}
    seen = any(len(q) for _, q in by_name.values())
    tried = [Tried(a, by_name[a.recipe][1]) for a in chosen] if seen else []
    final = decided(sorted(tried, key=lambda t: not t.advice.control))[0] if tried else chosen[0]
    value, best = by_name[final.recipe][0], max((c for c, _ in mine), key=lambda c: c.value)
    spent = sum(by_name[t.advice.recipe][0].seconds for t in tried) + value.seconds
    everything = sum(c.seconds for c, _ in mine) * seen + best.seconds
    launch = rows[0][0].launch
    first = by_name[ranked[0][0].recipe][0].value
    return Played(launch.group, launch.step, final.recipe, value.value, best.recipe.name, best.value, first,
                  launch.control, len(tried), spent / max(everything, 1e-9))  # fmt: skip


def _advice(case: Case, gain: float, low: float, high: float) -> Advice:
    r = case.recipe
    word = word_of(case.control, gain, low, high)
    return Advice(r.name, r.method, r.fusion, r.options, (), case.control, gain, low, high, 0.0, 0.0, word, (), ())


def auto(rows: Sequence[Judged], tries: int = TRIES) -> list[Played]:
    """`auto` at every launch, each advised from other targets alone."""
    launches = dict.fromkeys(c.launch for c, _ in rows)
    played = []
    for launch in launches:
        others = [c for c in shipped() if c.launch.group != launch.group]
        played.append(play([(c, q) for c, q in rows if c.launch == launch], others, tries))
    return played


def summary(played: Sequence[Played], judged: Calibration) -> dict[str, float]:
    """The numbers that the floors are about."""
    targets = sorted({p.group for p in played})
    near = []
    for target in targets:
        mine = [p for p in played if p.group == target]
        near.append(sum(p.value for p in mine) >= NEAR * sum(p.best_value for p in mine))
    by_target = np.array(list(judged.covered_by_target.values()))
    return {
        "cases": len(judged.rows),
        "targets": len(judged.covered_by_target),
        "covered": judged.covered,
        "covered, mean over targets": float(by_target.mean()),
        "spearman of expected and measured gains": judged.correlation,
        "auto: launches": len(played),
        "auto: launches within 3 % of hindsight": float(np.mean([p.value >= NEAR * p.best_value for p in played])),
        "auto: targets": len(targets),
        "auto: targets within 3 % of hindsight (sum over steps)": float(np.mean(near)),
        "auto: mean of chosen over hindsight": float(np.mean([p.value / max(p.best_value, 1e-9) for p in played])),
        "first advice: mean over hindsight": float(np.mean([p.first / max(p.best_value, 1e-9) for p in played])),
        "best control: mean over hindsight": float(np.mean([p.control / max(p.best_value, 1e-9) for p in played])),
        "auto: seconds over trying all": float(np.mean([p.share for p in played if p.tried])),
        "advise: seconds on the demo": advise_seconds(),
    }


def advise_seconds() -> float:
    """Of `advise` for NUTRITION at week 2, once everything is loaded."""
    world = World.demo()
    advise(world, "NUTRITION", cut=CUT, weeks=2.0, limits=Limits())
    begun = time.perf_counter()
    advise(world, "NUTRITION", cut=CUT, weeks=2.0, limits=Limits())
    return time.perf_counter() - begun


def write(played: Sequence[Played], judged: Calibration, folder: Path) -> dict[str, float]:
    """advice.json and advice.md, whose reading stays."""
    numbers = summary(played, judged)
    page = folder / "advice.md"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    reading = old[old.index(READING) :] if READING in old else READING
    lines = ["# Advice judged", "", __doc__ or "", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value:.3g} |" for name, value in numbers.items()]
    lines += ["", "| launch | chosen by auto | nDCG@10 | best in hindsight | nDCG@10 | best control | cost |"]
    lines.append("|---|---|---|---|---|---|---|")
    for p in played:
        lines.append(f"| {p.group}, {p.step} | {p.chosen} | {p.value:.4f} | {p.best} | {p.best_value:.4f} "
                     f"| {p.control:.4f} | {p.share:.0%} |")  # fmt: skip
    lines += ["", "Coverage of the 80 % intervals by target:", "", "| target | inside |", "|---|---|"]
    lines += [f"| {name} | {share:.0%} |" for name, share in judged.covered_by_target.items()]
    page.write_text("\n".join([*lines, "", reading]), encoding="utf-8")
    text = json.dumps({"summary": numbers, "launches": [asdict(p) for p in played]}, indent=1)
    (folder / "advice.json").write_text(text + "\n", encoding="utf-8")
    return numbers


def kept() -> list[Played]:
    """`auto` as advice.json has it."""
    body = json.loads((RESULTS / "advice.json").read_text(encoding="utf-8"))
    return [Played(**row) for row in body["launches"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/cases"), help="folder of benchmarks/cases.py")
    parser.add_argument("--sets", nargs="+", help="launches whose name begins so; all when absent")
    parser.add_argument("--write", type=Path, help="folder for advice.md and advice.json")
    parser.add_argument("--tries", type=int, default=TRIES, help="advised transfers that auto tries")
    parser.add_argument(
        "--calibration", action="store_true", help="judge the intervals alone; auto as advice.json has it"
    )
    asked = parser.parse_args()
    played = kept() if asked.calibration else auto(list(quick(asked.out, asked.sets)), asked.tries)
    judged = calibration(shipped())
    numbers = write(played, judged, asked.write) if asked.write is not None else summary(played, judged)
    for name, value in numbers.items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
