"""Source selection: which domains to learn from, chosen on purchases of the target that were held out.

Forward selection from the target alone: each step tries the nearest sources that are left and adds the best of them
while that gains more than one standard error. Half of the held-out people choose in this way and the other half judge,
because the best of many looks better than it is to the people who chose it. All sources are the default: another set is
taken only where the judges say that it is better beyond noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import ConfigError, unknown
from ..metrics import Bools, Doubles
from ..rng import generator
from ..transfer.problem import Problem
from ..transfer.weights import beats
from .source_choice import Added, Compared, ForwardStep, SourceChoice, Sources
from .source_trials import SourceTrials
from .spec import Entry
from .stats import paired
from .validation import LEAST, Validation, validation_of

TRIES = 6
"""Sources that one step tries, at most."""


def select_sources(
    problem: Problem,
    entry: Entry,
    *,
    order: Mapping[str, float] | None = None,
    tries: int = TRIES,
    seconds: float | None = None,
    folder: Path | None = None,
) -> SourceChoice:
    """Choose among the sources of `problem` by held-out purchases of its target.

    A step of the forward selection adds the best source tried while its mean gain to the people who choose is greater
    than the standard error of that gain (as in the rule of Breiman et al. 1984, §3.4.3). A test beyond noise would stop
    it too early, before many small gains, and is not needed there: the other people, who did not choose, compare what
    was found, the target alone and all sources. All stay unless another set beats them in a one-sided paired t test at
    the level 2.5 %, which the sets compared share.

    Args:
        problem: what is visible; test rows are not read.
        entry: the method with its options; where it reads a base, one is fused from each set, which takes long.
        order: source → how near it is; nearer ones (greater numbers) are tried first, those not named last;
            `nearness` where none is given.
        tries: sources that a step tries, at most.
        seconds: no fit begins that would pass this time altogether; none and all sources are always fitted.
        folder: keeps what was fitted, so that the same call goes on after an interruption.

    Raises:
        ConfigError: no source, an unknown one in `order`, or no tries.
        StorageError: the disk refused a write.
    """
    _check(problem, order, tries)
    asked, everything = validation_of(problem), problem.sources
    people = len(asked.people)
    if not asked.enough:
        why = f"too few people to choose: {people} could be asked and {LEAST} are needed, so all sources stay"
        return SourceChoice(problem.target, entry.label, everything, why, people // 2)
    near = nearness(problem) if order is None else order
    ranked = sorted(everything, key=lambda name: -near.get(name, -math.inf))
    trials = SourceTrials(asked, entry, seconds, folder)
    judges = _judges(asked)
    trials.quality(()), trials.quality(everything)
    forward, steps = _forward(trials, ~judges, ranked, tries)
    compared = _compared(trials, judges, {"none": (), "forward": forward, "all": everything})
    chosen, why = _best(trials, judges, compared)
    return SourceChoice(
        target=problem.target,
        method=entry.label,
        sources=chosen,
        why=why,
        people=int(judges.sum()),
        adds=_adds(trials, judges, chosen),
        fits=len(trials.found),
        compared=compared,
        steps=steps,
        failed={"+".join(names): why for names, why in trials.failed.items()},
    )


def nearness(problem: Problem) -> dict[str, float]:
    """Source → a guess of how much it tells, from what is visible: (people + items) · log(1 + rows).

    People: share of the target's visible people who are known in the source. Items: share of the target's catalogue
    that was sold there.
    """
    people = problem.target_rows["user"].unique()
    items = pl.Series(problem.catalogue, dtype=pl.UInt32)
    found = {}
    for name, code in zip(problem.sources, problem.domain_codes, strict=False):
        rows = problem.visible.filter(pl.col("domain") == code)
        shares = (_share(people, rows["user"]), _share(items, rows["item"]))
        found[name] = sum(shares) * math.log1p(len(rows))
    return found


def _share(of: pl.Series, known: pl.Series) -> float:
    return float(of.is_in(known.unique().implode()).sum()) / max(1, len(of))


def _check(problem: Problem, order: Mapping[str, float] | None, tries: int) -> None:
    if not problem.sources:
        raise ConfigError(f"there is no source domain beside {problem.target!r}; name one in sources.")
    if tries < 1:
        raise ConfigError(f"tries is {tries}; a whole number of at least 1 is needed.")
    strange = [name for name in order or {} if name not in problem.sources]
    if strange:
        raise ConfigError("order: " + unknown("source", strange[0], problem.sources))


def _judges(asked: Validation) -> Bools:
    """(p,) half of the people, drawn by the problem's seed."""
    n = len(asked.people)
    return generator(asked.problem.seed, "judges", asked.problem.target).permutation(n) < (n + 1) // 2


def _forward(
    trials: SourceTrials, choosers: Bools, ranked: Sequence[str], tries: int
) -> tuple[Sources, tuple[ForwardStep, ...]]:
    """The set that the people who choose arrive at, and each step."""
    current: Sources = ()
    steps: list[ForwardStep] = []
    while len(current) < len(ranked):
        now = trials.quality(current)[choosers]
        left = [name for name in ranked if name not in current][:tries]
        values = {n: trials.quality((*current, n))[choosers] for n in left if trials.affords((*current, n))}
        best = max(values, key=lambda n: float(values[n].mean()), default=None)
        added = best if best is not None and _gains(values[best] - now) else None
        steps.append(ForwardStep({n: float((v - now).mean()) for n, v in values.items()}, added))
        if added is None:
            break
        current = (*current, added)
    return tuple(n for n in trials.asked.problem.sources if n in current), tuple(steps)


def _gains(differences: Doubles) -> bool:
    """Whether the mean is above one standard error."""
    return bool(differences.mean() > differences.std(ddof=1) / math.sqrt(len(differences)))


def _compared(trials: SourceTrials, judges: Bools, sets: Mapping[Any, Sources]) -> tuple[Compared, ...]:
    everything = trials.quality(trials.asked.problem.sources)[judges]
    rows = []
    for name, sources in sets.items():
        mine = trials.quality(sources)[judges]
        rows.append(Compared(name, sources, float(mine.mean()), *paired(mine, everything)))
    return tuple(rows)


def _best(trials: SourceTrials, judges: Bools, compared: Sequence[Compared]) -> tuple[Sources, str]:
    """All sources, or the best of the sets that beat them; and why."""
    everything = trials.asked.problem.sources
    rivals = {row.sources: row for row in compared if row.sources != everything}
    good = [
        row
        for row in rivals.values()
        if beats(trials.quality(row.sources)[judges], trials.quality(everything)[judges], len(rivals))
    ]
    best = max(good, key=lambda row: row.quality, default=None)
    if best is None:
        return everything, "no other set was better than all sources beyond noise"
    return best.sources, f"better than all sources beyond noise, to {int(judges.sum())} people who did not choose"


def _adds(trials: SourceTrials, judges: Bools, chosen: Sources) -> tuple[Added, ...]:
    """What each source adds to `chosen`, the best first; without those that the time left does not allow."""
    rows = []
    for source in trials.asked.problem.sources:
        other = tuple(n for n in chosen if n != source) if source in chosen else (*chosen, source)
        if trials.affords(other):
            with_it, without = (chosen, other) if source in chosen else (other, chosen)
            found = paired(trials.quality(with_it)[judges], trials.quality(without)[judges])
            rows.append(Added(source, source in chosen, *found))
    return tuple(sorted(rows, key=lambda row: -row.difference))
