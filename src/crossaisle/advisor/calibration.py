"""Calibration: what advice would have said of past launches without having seen them, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .cases import Case
from .outlook import Outlook, gain_of


@dataclass(frozen=True)
class Foretold:
    """One past case, foretold from the cases of other targets alone.

    Attributes:
        case: what it was.
        gain: measured, as a logarithm.
        mean: expected.
        low: lower end of its 80 % interval.
        high: upper end.
    """

    case: Case
    gain: float
    mean: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the interval holds what was measured."""
        return self.low <= self.gain <= self.high


@dataclass(frozen=True)
class Calibration:
    """All past cases, each foretold without its target.

    Attributes:
        rows: the cases.
        covered: share of cases inside their interval; 0.8 is promised.
        covered_by_target: World and target → that share.
        correlation: Spearman of expected and measured gains.
    """

    rows: tuple[Foretold, ...]
    covered: float
    covered_by_target: dict[str, float]
    correlation: float


def calibration(cases: Sequence[Case]) -> Calibration:
    """Leave-one-target-out: what `advise` would expect and how wide it would say, from the other targets alone.

    Raises:
        ValueError: fewer than two targets.
    """
    groups = {
        name: [c for c in cases if c.launch.group == name] for name in dict.fromkeys(c.launch.group for c in cases)
    }
    if len(groups) < 2:
        raise ValueError("calibration needs cases of at least two targets.")
    rows = tuple(
        row for name, mine in groups.items() for row in _foretold(mine, [c for c in cases if c.launch.group != name])
    )
    by_target = {name: float(np.mean([r.inside for r in rows if r.case.launch.group == name])) for name in groups}
    covered = float(np.mean([r.inside for r in rows]))
    from scipy.stats import spearmanr  # a service does without it, and starts sooner

    correlation = float(spearmanr([r.mean for r in rows], [r.gain for r in rows])[0])
    return Calibration(rows, covered, by_target, correlation)


def _foretold(cases: Sequence[Case], others: Sequence[Case]) -> Iterator[Foretold]:
    """`cases` of one target, from `others`."""
    look = Outlook.of(others)
    for launch in dict.fromkeys(c.launch for c in cases):
        mine = [c for c in cases if c.launch == launch]
        said = look.gain.expect(look.points(launch.facts, [c.recipe for c in mine]))
        for case, mean, low, high in zip(mine, said.mean, said.low, said.high, strict=True):
            yield Foretold(case, gain_of(case.value, launch.control), float(mean), float(low), float(high))
