"""Does the gap foretell what a source is worth? Predicted against realised gain of every (target, source) pair.

    CROSSAISLE_BENCH=/data/bench python benchmarks/pairs.py --out runs/pairs [--sets demo synthetic]
    python benchmarks/pairs.py --out runs/pairs --write docs/results

Realised: nDCG@10 of `user_kernel` with one source alone over that of `user_kernel` on the target alone. Predicted: by
the advisor's model from the facts of the launch with that source, learned from pairs of other targets only (for made-up
Worlds: of other Worlds only). Resumable; the made-up Worlds take half an hour of one core, the real sets as long.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import scipy.stats
from methods import Question, supermarket, world_of
from watched import READING

from crossaisle.advisor import cases
from crossaisle.advisor.outlook import Outlook, gain_of
from crossaisle.data.demo import CUT
from crossaisle.data.world import World
from crossaisle.evaluate.spec import MethodSpec, Study
from crossaisle.evaluate.study import evaluate
from crossaisle.progress import ticking
from crossaisle.rng import generator

METHOD = MethodSpec("user_kernel")
ALONE = MethodSpec("user_kernel", "user_kernel@target", {"scope": "target"})
LEAST_USERS = 40
"""Targets with fewer people to ask tell nothing."""
SOURCE_USERS = 100
MOST_ITEMS = 20_000
"""Targets with a larger catalogue take too long for hundreds of pairs; they are sources all the same."""
CUTS = (datetime(2017, 6, 5, 4), datetime(2017, 8, 21, 4), CUT)
"""Of the demo, so that a gain is the mean over three test windows that do not overlap: one alone is mostly noise."""
WORLDS = 48
"""Made-up Worlds."""
LOOKED_AT = 24
"""So many, the first, had been seen when the facts of a launch were chosen; the others are told apart as well."""
FACTS = ("known", "history", "agreement", "own", "words", "elsewhere", "source_rows")
"""Single numbers that are compared with the model."""
SPAN = {
    "user_overlap": (0.0, 0.3, 0.6, 1.0),
    "distance": (0.0, 0.3, 0.6, 1.0),
    "shared": (0.25, 0.5, 1.0),
    "conflict": (0.0, 0.5, 1.0),
    "strength": (2.0, 4.0),
}
"""What they are drawn from."""


@dataclass(frozen=True)
class Pair:
    """One source at one target, launched once or at several times: facts beforehand, and what came of it."""

    set: str
    world: str
    target: str
    source: str
    cases: tuple[cases.Case, ...]

    @property
    def gain(self) -> float:
        """Logarithm, against the target alone; mean over launches."""
        return float(np.mean([gain_of(c.value, c.launch.control) for c in self.cases]))

    def fact(self, name: str) -> float:
        """Mean over launches."""
        return float(np.mean([getattr(c.launch.facts, name) for c in self.cases]))


def real() -> tuple[Question, ...]:
    """The sets; `target` of each study is replaced."""
    demo = supermarket("NUTRITION")
    shots = Study("t1", split="k_shot", shots=(2,))
    return (
        replace(demo, study=replace(demo.study, weeks=(4.0,)), name="demo"),
        Question("xmrec", "xmrec-t1", shots, one_in=4),
        Question("amazon-overlap", "amazon-overlap", replace(shots, target="toys", shots=(1,)), one_in=8),
    )


def made_up(number: int) -> tuple[str, World, Study]:
    """A World of four domains and its launch."""
    draw = generator(number, "pairs")
    options = {name: values[int(draw.integers(len(values)))] for name, values in SPAN.items()}
    world, _ = World.synthetic(n_domains=4, users=1600, seed=number, conflict_domains=(1, 2), **options)
    study = Study("d0", cut=datetime(2024, 5, 6), test_weeks=8.0, weeks=(4.0,))
    return f"synthetic {number}", world, study


def pairs(sets: list[str] | None, out: Path) -> Iterator[Pair]:
    """Every pair of the sets that are asked."""
    for question in real():
        if sets is None or question.name in sets:
            cuts = CUTS if question.path == "demo" else (None,)
            studies = [question.study if c is None else replace(question.study, cut=c) for c in cuts]
            yield from pairs_of(question.name, question.name, world_of(question), studies, out)
    if sets is None or "synthetic" in sets:
        for number in range(WORLDS):
            name, world, study = made_up(number)
            yield from pairs_of("synthetic", name, world, [study], out)


def pairs_of(name: str, world_name: str, world: World, studies: list[Study], out: Path) -> Iterator[Pair]:
    """Every target of a World with every source."""
    people = {row["name"]: row["users"] for row in world.summary().iter_rows(named=True)}
    able = [d for d, users in people.items() if users >= SOURCE_USERS]
    targets = [d for d in able if len(world.catalogue(d)) <= MOST_ITEMS]
    for target in ticking(f"pairs: {world_name}", targets, len(targets)):
        for source in able:
            found = (
                () if source == target else launched(world, studies, target, source, out / world_name.replace(" ", "-"))
            )
            if found:
                yield Pair(name, world_name, target, source, tuple(found))


def launched(world: World, studies: list[Study], target: str, source: str, out: Path) -> list[cases.Case]:
    """The case of each launch that has people enough to ask."""
    made = []
    for study in studies:
        asked = replace(study, target=target, sources=(source,), seeds=(0,), ship="user_kernel")
        report = evaluate(world, asked, (ALONE, METHOD), out)
        users = max((r.users for r in report.rows if r.slice == "new"), default=0)
        made += [c for c in cases.cases_of(report) if not c.control] if users >= LEAST_USERS else []
    return made


def foretold(found: list[Pair]) -> np.ndarray:
    """(n,) expected gain of each pair, learned from other targets, or other made-up Worlds, alone."""
    predicted = np.empty(len(found))
    groups = [(p.world, "" if p.set == "synthetic" else p.target) for p in found]
    synthetic = np.array([p.set == "synthetic" for p in found])
    for group in dict.fromkeys(groups):
        mine = np.array([g == group for g in groups])
        seen = ~mine & (synthetic == synthetic[mine][0])
        look = Outlook.of([c for p, use in zip(found, seen, strict=True) if use for c in p.cases])
        for place in np.flatnonzero(mine):
            asked = [look.points(c.launch.facts, [c.recipe]) for c in found[place].cases]
            predicted[place] = np.mean([look.gain.expect(points).mean[0] for points in asked])
    return predicted


def correlations(found: list[Pair], predicted: np.ndarray) -> list[dict[str, object]]:
    """Spearman over all pairs of a set, and the mean over targets of that within a target, for each predictor."""
    rows = []
    gains = np.array([p.gain for p in found])
    facts = {n: np.array([p.fact(n) for p in found]) for n in FACTS}
    for name, here in parts_of(found).items():
        groups = np.array([f"{p.world} {p.target}" for p in found])
        for predictor, values in {"advisor": predicted, **facts}.items():
            rho = spearman(values[here], gains[here])
            low, high = resampled(values[here], gains[here], groups[here])
            within = [spearman(values[groups == g], gains[groups == g]) for g in np.unique(groups[here])]
            rows.append({"set": name, "pairs": int(here.sum()), "targets": len(within), "predictor": predictor,
                         "spearman": rho, "low": low, "high": high, "within": float(np.nanmean(within))})  # fmt: skip
    return rows


def parts_of(found: list[Pair]) -> dict[str, np.ndarray]:
    """Name → (n,) which pairs are of each set, of all real sets, and of made-up Worlds that nobody had looked at."""
    sets, synthetic = np.array([p.set for p in found]), np.array([p.set == "synthetic" for p in found])
    made = {name: sets == name for name in dict.fromkeys(sets.tolist())}
    if len(made) > 2:
        made["all real sets"] = ~synthetic
    fresh = np.array([p.set == "synthetic" and int(p.world.split()[-1]) >= LOOKED_AT for p in found])
    return made | ({"synthetic, not looked at": fresh} if fresh.any() else {})


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """NaN where one of them is constant."""
    return float(scipy.stats.spearmanr(a, b)[0]) if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0 else float("nan")


def resampled(a: np.ndarray, b: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """95 % interval over targets, drawn with replacement."""
    draw, names, found = generator(0, "pairs"), np.unique(groups), []
    for _ in range(500):
        rows = np.concatenate([np.flatnonzero(groups == g) for g in draw.choice(names, len(names))])
        found.append(spearman(a[rows], b[rows]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def write(found: list[Pair], folder: Path) -> None:
    """pairs.json and pairs.md, whose reading stays."""
    predicted = foretold(found)
    rows = correlations(found, predicted)
    page = folder / "pairs.md"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    reading = old[old.index(READING) :] if READING in old else READING
    lines = [
        __doc__ or "",
        "",
        "| set | pairs | targets | predictor | Spearman | 95 % over targets | within a target |",
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for r in rows:
        rho, low, high, within = (shown(r[n]) for n in ("spearman", "low", "high", "within"))
        lines.append(f"| {r['set']} | {r['pairs']} | {r['targets']} | {r['predictor']} | {rho} "
                     f"| {low} to {high} | {within} |")  # fmt: skip
    page.write_text("# What a source is worth, foretold\n\n" + "\n".join([*lines, "", reading]), encoding="utf-8")
    each = [
        {"set": p.set, "world": p.world, "target": p.target, "source": p.source, "gain": p.gain, "predicted": float(e),
         "facts": [asdict(c.launch.facts) for c in p.cases]}
        for p, e in zip(found, predicted, strict=True)
    ]  # fmt: skip
    rows = [{k: None if v != v else v for k, v in r.items()} for r in rows]  # NaN is no JSON
    text = json.dumps({"correlations": rows, "pairs": each}, indent=1)
    (folder / "pairs.json").write_text(text + "\n", encoding="utf-8")


def shown(value: object) -> str:
    """A number as the page has it."""
    return f"{value:.2f}" if isinstance(value, float) and np.isfinite(value) else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/pairs"), help="folder of cells")
    parser.add_argument("--sets", nargs="+", help="demo, xmrec, amazon-overlap, synthetic; all when absent")
    parser.add_argument("--write", type=Path, help="folder for pairs.md and pairs.json")
    asked = parser.parse_args()
    found = list(pairs(asked.sets, asked.out))
    if asked.write is not None:
        write(found, asked.write)
    for row in correlations(found, foretold(found)):
        print(row)


if __name__ == "__main__":
    main()
