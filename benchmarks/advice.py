"""Is advice worth following? Every launch advised from the other targets alone, and `auto` against hindsight.

    CROSSAISLE_BENCH=/data/bench python benchmarks/advice.py --out runs/cases --sets demo online-retail \\
        --write docs/results
    python benchmarks/advice.py --calibration --write docs/results

Runs what benchmarks/cases.py has not run yet. Calibration is over all cases that come along; `auto` is played out over
the quick recipes of each launch from what their fits on held-out rows said: three advised transfers and one control.
The best in hindsight is chosen on the test people who judge it, which flatters it; beside it stands the one that is
best on one half of them, judged on the other (benchmarks/hindsight.py). With --calibration nothing runs, and `auto`
stays as advice.json has it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from cases import Row, quick
from hindsight import Halved, fair, halved
from watched import READING

from crossaisle.advisor.advice import Advice, Limits, order
from crossaisle.advisor.auto import Tried, candidates, decided, led, untried
from crossaisle.advisor.calibration import Calibration, calibration
from crossaisle.advisor.cases import Case, shipped
from crossaisle.advisor.outlook import Outlook
from crossaisle.advisor.words import word_of
from crossaisle.api import World, advise
from crossaisle.data.demo import CUT

RESULTS = Path(__file__).parent.parent / "docs/results"
TRIES = 3
NEAR = 0.97
"""Share of the best in hindsight that counts as within 3 %."""
HALVES = "hindsight by one half, on the other: "
HALVES_BLEND = "always blend, over that: "


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
        fair_value: of the recipe that is best on one half of the test people, judged on the other; mean over splits.
        first: nDCG@10 of the first advice, without any trial.
        control: nDCG@10 of the best control on the test rows.
        blend: nDCG@10 of `blend`, which ships when nobody asks.
        tried: number of recipes tried.
        share: seconds spent over those of trying all recipes on held-out rows and fitting the best; None where nobody
            can be held out, and all cannot be tried.
    """

    group: str
    step: str
    chosen: str
    value: float
    best: str
    best_value: float
    fair_value: float
    first: float
    control: float
    blend: float
    tried: int
    share: float | None


def play(rows: Sequence[Row], others: Sequence[Case], tries: int) -> tuple[Played, Halved]:
    """`auto` at one launch, advised from `others`, with so many trials of transfers."""
    look, launch = Outlook.of(others), rows[0].case.launch
    known = {c.recipe.name for c in others}
    mine = [r for r in rows if r.case.recipe.name in known]
    ranked = advised(look, [r.case for r in mine])
    by_name = {r.case.recipe.name: r for r in mine}
    enough = any(r.held_out is not None and len(r.held_out) for r in mine)
    final, tried = played_out(ranked, by_name, tries, enough)
    value, best = by_name[final].case, max((r.case for r in mine), key=lambda c: c.value)
    spent = sum(by_name[name].case.seconds for name in tried) + value.seconds
    everything = sum(r.case.seconds for r in mine) + best.seconds
    halves = halved(np.stack([r.test for r in mine]), list(by_name).index(final))
    first = by_name[ranked[0].recipe].case.value
    share, fairly = spent / everything if enough else None, float(halves.hindsight.mean())
    row = Played(launch.group, launch.step, final, value.value, best.recipe.name, best.value, fairly, first,
                 launch.control, by_name["blend"].case.value, len(tried), share)  # fmt: skip
    return row, halves


def played_out(ranked: Sequence[Advice], by_name: Mapping[str, Row], tries: int, enough: bool) -> tuple[str, list[str]]:
    """What `auto` chooses of `ranked`, and what it tries for that: as in `crossaisle.advisor.auto.fit`."""
    chosen = candidates(led(ranked), tries)
    if untried(chosen, enough):
        return chosen[0].recipe, []
    trials = ((a, by_name[a.recipe].held_out) for a in sorted(chosen, key=lambda a: not a.control))
    tried = [Tried(a, np.zeros(0) if quality is None else quality) for a, quality in trials]
    return decided(tried)[0].recipe, [a.recipe for a in chosen]


def advised(look: Outlook, cases: Sequence[Case]) -> list[Advice]:
    """What `advise` would have said of the recipes of `cases`, which are those of one launch."""
    asked = look.points(cases[0].launch.facts, [c.recipe for c in cases])
    gain, seconds = look.gain.expect(asked), np.exp(look.seconds.expect(asked).mean)
    ends = np.expm1(np.stack([gain.mean, gain.low, gain.high], axis=1))
    rows = (_advice(c, *map(float, e), float(s)) for c, e, s in zip(cases, ends, seconds, strict=True))
    return sorted(rows, key=order)


def _advice(case: Case, gain: float, low: float, high: float, seconds: float) -> Advice:
    r = case.recipe
    word = word_of(case.control, gain, low, high)
    return Advice(r.name, r.method, r.fusion, r.options, (), case.control, gain, low, high, seconds, 0.0, word, (), ())


def auto(rows: Sequence[Row], tries: int = TRIES) -> tuple[list[Played], Mapping[str, float]]:
    """`auto` at every launch, each advised from other targets alone; and beside hindsight without luck."""
    made = []
    for launch in dict.fromkeys(r.case.launch for r in rows):
        others = [c for c in shipped() if c.launch.group != launch.group]
        made.append(play([r for r in rows if r.case.launch == launch], others, tries))
    played, halves = [p for p, _ in made], [h for _, h in made]
    return played, fair(halves, [p.group for p in played], NEAR)


def summary(played: Sequence[Played], judged: Calibration, halves: Mapping[str, float]) -> dict[str, float]:
    """The numbers that the floors are about; `halves` as of `hindsight.fair`."""
    by_target = np.array(list(judged.covered_by_target.values()))
    return {
        "cases": len(judged.rows),
        "targets": len(judged.covered_by_target),
        "covered": judged.covered,
        "covered, mean over targets": float(by_target.mean()),
        "spearman of expected and measured gains": judged.correlation,
        "auto: launches": len(played),
        "auto: launches within 3 % of hindsight": float(np.mean([p.value >= NEAR * p.best_value for p in played])),
        "auto: targets": len({p.group for p in played}),
        "auto: targets within 3 % of hindsight (sum over steps)": near(played, "value", "best_value"),
        "auto: mean of chosen over hindsight": over(played, "value", "best_value"),
        "first advice: mean over hindsight": over(played, "first", "best_value"),
        "best control: mean over hindsight": over(played, "control", "best_value"),
        "always blend: mean over hindsight": over(played, "blend", "best_value"),
        "always blend: targets within 3 % of hindsight (sum over steps)": near(played, "blend", "best_value"),
        "auto: seconds over trying all": float(np.mean([p.share for p in played if p.share is not None])),
        **{HALVES + name: value for name, value in halves.items()},
        HALVES_BLEND + "mean": over(played, "blend", "fair_value"),
        HALVES_BLEND + "targets within 3 % (sum over steps)": near(played, "blend", "fair_value"),
        "advise: seconds on the demo": advise_seconds(),
    }


def over(played: Sequence[Played], what: str, best: str) -> float:
    """Mean over launches of one value over another."""
    return float(np.mean([getattr(p, what) / max(getattr(p, best), 1e-9) for p in played]))


def near(played: Sequence[Played], what: str, best: str) -> float:
    """Share of targets whose sum over launches is within 3 % of that of `best`."""
    by_target = ([p for p in played if p.group == group] for group in sorted({p.group for p in played}))
    return float(
        np.mean([sum(getattr(p, what) for p in m) >= NEAR * sum(getattr(p, best) for p in m) for m in by_target])
    )


def advise_seconds() -> float:
    """Of `advise` for NUTRITION at week 2, once everything is loaded."""
    world = World.demo()
    advise(world, "NUTRITION", cut=CUT, weeks=2.0, limits=Limits())
    begun = time.perf_counter()
    advise(world, "NUTRITION", cut=CUT, weeks=2.0, limits=Limits())
    return time.perf_counter() - begun


def write(numbers: Mapping[str, float], played: Sequence[Played], judged: Calibration, folder: Path) -> None:
    """advice.json and advice.md, whose reading stays."""
    page = folder / "advice.md"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    reading = old[old.index(READING) :] if READING in old else READING
    lines = ["# Advice judged", "", __doc__ or "", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value:.3g} |" for name, value in numbers.items()]
    lines += [
        "",
        "| launch | chosen by auto | nDCG@10 | best in hindsight | nDCG@10 | by one half | best control | cost |",
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for p in played:
        cost = "–" if p.share is None else f"{p.share:.0%}"
        lines.append(f"| {p.group}, {p.step} | {p.chosen} | {p.value:.4f} | {p.best} | {p.best_value:.4f} "
                     f"| {p.fair_value:.4f} | {p.control:.4f} | {cost} |")  # fmt: skip
    lines += ["", "Coverage of the 80 % intervals by target:", "", "| target | inside |", "|---|---|"]
    lines += [f"| {name} | {share:.0%} |" for name, share in judged.covered_by_target.items()]
    page.write_text("\n".join([*lines, "", reading]), encoding="utf-8")
    text = json.dumps({"summary": numbers, "launches": [asdict(p) for p in played]}, indent=1)
    (folder / "advice.json").write_text(text + "\n", encoding="utf-8")


def kept() -> tuple[list[Played], Mapping[str, float]]:
    """`auto` as advice.json has it."""
    body = json.loads((RESULTS / "advice.json").read_text(encoding="utf-8"))
    halves = {name.removeprefix(HALVES): v for name, v in body["summary"].items() if name.startswith(HALVES)}
    return [Played(**row) for row in body["launches"]], halves


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
    played, halves = kept() if asked.calibration else auto(list(quick(asked.out, asked.sets)), asked.tries)
    judged = calibration(shipped())
    numbers = summary(played, judged, halves)
    if asked.write is not None:
        write(numbers, played, judged, asked.write)
    for name, value in numbers.items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
