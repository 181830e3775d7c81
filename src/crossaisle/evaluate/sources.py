"""Source selection: which domains to learn from, chosen on purchases of the target that were held out.

Forward selection from the target alone: each step tries the nearest sources that are left and adds the best of them
while that gains more than one standard error. The best of many looks better than it is to the people who chose it.
Therefore each half of the held-out people judges what the other half chose, and only where the two together say that it
is better than all sources beyond noise, what everybody chose is taken. All sources are the default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from ..errors import ConfigError, unknown
from ..metrics import Bools, Doubles
from ..rng import generator
from ..transfer.problem import Problem
from .source_choice import ForwardStep, SetName, SourceChoice, Sources
from .source_trials import Judged, Pair, SourceTrials
from .spec import Entry
from .validation import LEAST, Protocol, Validation, validation_of

TRIES = 6
"""Sources that one step tries, at most."""


def select_sources(
    problem: Problem,
    entry: Entry,
    *,
    order: Mapping[str, float] | None = None,
    tries: int = TRIES,
    protocol: Protocol | None = None,
    seconds: float | None = None,
    folder: Path | None = None,
) -> SourceChoice:
    """Choose among the sources of `problem` by held-out purchases of its target.

    A step of the forward selection adds the best source tried while its mean gain is greater than the standard error of
    that gain (as in the rule of Breiman et al. 1984, §3.4.3). A test beyond noise would stop it too early, before many
    small gains, and is not needed there, because other people judge: each half of the people judges what the other half
    chose. All sources stay unless the target alone, or the selection, beats them in a one-sided paired t test over all
    people at the level 2.5 %, which these two share. Then what the selection finds on all people is taken.

    Args:
        problem: what is visible; test rows are not read.
        entry: the method with its options; where it reads a base, one is fused from each set, which takes long.
        order: source → how near it is; nearer ones (greater numbers) are tried first, those not named last;
            `nearness` where none is given.
        tries: sources that a step tries, at most.
        protocol: what is held out, as for `validation_of`.
        seconds: no fit begins that would pass this time altogether; none and all sources are always fitted.
        folder: keeps what was fitted, so that the same call goes on after an interruption.

    Raises:
        ConfigError: no source, an unknown one in `order`, a method that reads the target alone, or no tries.
        StorageError: the disk refused a write.
    """
    _check(problem, entry, order, tries)
    asked, everything = validation_of(problem, protocol), problem.sources
    people = len(asked.people)
    if not asked.enough:
        why = f"too few people to choose: {people} could be asked and {LEAST} are needed, so all sources stay"
        return SourceChoice(problem.target, entry.label, everything, why, people)
    near = nearness(problem) if order is None else order
    ranked = sorted(everything, key=lambda name: -near.get(name, -math.inf))
    trials = SourceTrials(asked, entry, seconds, folder)
    trials.quality(everything)  # as it is asked for whatever the time, it counts before any other
    first = _half(asked)
    forward, steps = _forward(trials, np.ones_like(first), ranked, tries)
    halves = (_forward(trials, ~first, ranked, tries)[0], _forward(trials, first, ranked, tries)[0])
    judged = Judged(trials, first)
    sets: dict[SetName, Sources] = {"none": (), "forward": forward, "all": everything}
    pairs: dict[SetName, Pair] = {"none": ((), ()), "forward": halves, "all": (everything, everything)}
    compared = tuple(judged.compared(name, pairs[name], sets[name]) for name in sets)
    name, why = judged.best(pairs)
    return SourceChoice(
        target=problem.target,
        method=entry.label,
        sources=sets[name],
        why=why,
        people=people,
        adds=judged.adds(pairs[name], sets[name]),
        fits=len(trials.found),
        compared=compared,
        steps=steps,
        failed={"+".join(names): reason for names, reason in trials.failed.items()},
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


def _check(problem: Problem, entry: Entry, order: Mapping[str, float] | None, tries: int) -> None:
    if not problem.sources:
        raise ConfigError(f"there is no source domain beside {problem.target!r}; name one in sources.")
    if entry.kind == "control":
        raise ConfigError(
            f"{entry.label} reads {problem.target!r} alone, so that no source adds anything to it; choose with another "
            "method, such as user_kernel, or set its scope to all where it has one."
        )
    if tries < 1:
        raise ConfigError(f"tries is {tries}; a whole number of at least 1 is needed.")
    strange = [name for name in order or {} if name not in problem.sources]
    if strange:
        raise ConfigError("order: " + unknown("source", strange[0], problem.sources))


def _half(asked: Validation) -> Bools:
    """(p,) half of the people, drawn by the problem's seed."""
    n = len(asked.people)
    return generator(asked.problem.seed, "halves", asked.problem.target).permutation(n) < (n + 1) // 2


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
