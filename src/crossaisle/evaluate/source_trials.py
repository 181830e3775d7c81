"""Trials of sources: a method fitted on sets of sources and judged on the same held-out purchases."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import MethodError, TrainingError
from ..metrics import Bools, Doubles
from ..progress import tick
from ..transfer.method import check_needs
from ..transfer.weights import beats
from .bases import Bases
from .cells import UNREADABLE, digest_of, read_arrays, source_of, world_mark, write_arrays
from .source_choice import Added, Compared, SetName, Sources
from .spec import Entry
from .stats import paired
from .validation import Validation


@dataclass(frozen=True)
class SourceTrials:
    """One method fitted on sets of sources, each once.

    Attributes:
        asked: on what it is judged; its problem has all sources, so that every set is judged on the same purchases.
        entry: the method with its options.
        seconds: time for all fits together; None: no limit.
        folder: keeps what was fitted.
        found: set → what `quality` gives.
        failed: set → why the method could not be fitted.
        took: seconds of each fit.
    """

    asked: Validation
    entry: Entry
    seconds: float | None
    folder: Path | None
    found: dict[Sources, Doubles] = field(default_factory=dict)
    failed: dict[Sources, str] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def quality(self, sources: Sources) -> Doubles:
        """(p,) nDCG@10 of the people asked when only `sources` are known; 0 where the method cannot be fitted."""
        names = tuple(name for name in self.asked.problem.sources if name in sources)
        if names not in self.found:
            values, seconds, failed = self._kept(names) or self._fitted(names)
            self.found[names] = values
            self.took.append(seconds)
            if failed:
                self.failed[names] = failed
            tick(f"sources: {len(names)} of {len(self.asked.problem.sources)}", len(self.found), 0)
        return self.found[names]

    def affords(self, sources: Sources) -> bool:
        """Whether one more fit, as long as the mean of those before, is within the time; one that is done always is."""
        known = any(set(names) == set(sources) for names in self.found)
        return known or self.seconds is None or sum(self.took) * (1 + 1 / len(self.took)) <= self.seconds

    def _kept(self, names: Sources) -> tuple[Doubles, float, str] | None:
        if self.folder is None:
            return None
        try:
            arrays, about = read_arrays(self.folder, self._key(names))
            return arrays["quality"], float(about["seconds"]), str(about["failed"])
        except UNREADABLE:
            return None

    def _fitted(self, names: Sources) -> tuple[Doubles, float, str]:
        start, failed = time.perf_counter(), ""
        asked = replace(self.asked, problem=replace(self.asked.problem, sources=names))
        try:
            values = self._scored(asked)
        except (MethodError, TrainingError) as error:
            values, failed = np.zeros(len(self.asked.people)), str(error)
        seconds = time.perf_counter() - start
        if self.folder is not None:
            about = {"sources": names, "seconds": seconds, "failed": failed}
            write_arrays(self.folder, self._key(names), {"quality": values}, about)
        return values, seconds, failed

    def _scored(self, asked: Validation) -> Doubles:
        entry, problem = self.entry, asked.problem
        bases = Bases(None if self.folder is None else self.folder / "bases")
        base, _ = bases.get(entry, problem, problem.seed)
        check_needs(entry.method, base, problem)
        return asked.quality(entry.method.fit(base, problem, entry.options).scorer.score)

    def _key(self, names: Sources) -> str:
        """File name of a set: equal names, equal numbers."""
        problem, entry = self.asked.problem, self.entry
        code = [source_of(entry.method.fit), source_of(entry.fusion.fit) if entry.fusion else ""]
        question = [world_mark(problem.world), problem.target, problem.seed, self.asked.mark, names]
        return f"{entry.method.name}-{digest_of([question, entry.described(), code, __version__])}"


Pair = tuple[Sources, Sources]
"""What the first half of the people judges, and the second: the set that the other half chose."""


@dataclass(frozen=True)
class Judged:
    """Sets of sources as people see them who did not choose them.

    Attributes:
        trials: what was fitted.
        first: (p,) the first half of the people.
    """

    trials: SourceTrials
    first: Bools

    def quality(self, pair: Pair) -> Doubles:
        """(p,) nDCG@10, for each half under its own set."""
        return np.where(self.first, *(self.trials.quality(sources) for sources in pair))

    @property
    def everything(self) -> Doubles:
        """(p,) under all sources."""
        return self.trials.quality(self.trials.asked.problem.sources)

    def compared(self, name: SetName, pair: Pair, sources: Sources) -> Compared:
        """`pair` beside all sources; `sources` is what everybody chose."""
        mine = self.quality(pair)
        return Compared(name, sources, float(mine.mean()), *paired(mine, self.everything))

    def best(self, pairs: Mapping[SetName, Pair]) -> tuple[SetName, str]:
        """``all``, or the best of those that beat it; and why."""
        values = {name: self.quality(pair) for name, pair in pairs.items() if name != "all"}
        tried = len({pairs[name] for name in values})
        good = {name: float(v.mean()) for name, v in values.items() if beats(v, self.everything, tried)}
        if not good:
            return "all", "no other set was better than all sources beyond noise"
        return max(good, key=good.__getitem__), "better than all sources beyond noise, to people who did not choose it"

    def adds(self, pair: Pair, chosen: Sources) -> tuple[Added, ...]:
        """What each source adds to `pair`, the best first; without those that the time left does not allow."""
        rows = []
        for source in self.trials.asked.problem.sources:
            others = (_toggled(pair[0], source), _toggled(pair[1], source))
            if all(self.trials.affords(other) for other in others):
                now, then = self.quality(pair), self.quality(others)
                there = np.where(self.first, *(source in sources for sources in pair))
                found = paired(np.where(there, now, then), np.where(there, then, now))
                rows.append(Added(source, source in chosen, *found))
        return tuple(sorted(rows, key=lambda row: -row.difference))


def _toggled(sources: Sources, source: str) -> Sources:
    """Without `source` where it is there, else with it."""
    return tuple(n for n in sources if n != source) if source in sources else (*sources, source)
