"""Calibration: what advice would have said of past launches without having seen them, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

from .cases import Case
from .model import stretch_of
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
    """Leave-one-target-out: model and stretch of intervals come from the other targets alone.

    Centre and scale of the facts are those of all launches; they hold no outcome.

    Raises:
        ValueError: fewer than two targets.
    """
    groups = np.array([c.launch.group for c in cases])
    if len(np.unique(groups)) < 2:
        raise ValueError("calibration needs cases of at least two targets.")
    model = Outlook.of(cases).gain
    gains = np.array([gain_of(c.value, c.launch.control) for c in cases])
    means, spread = gains - model.misses, np.empty(len(cases))
    for name in np.unique(groups):
        mine = groups == name
        spread[mine] = model.deviations[mine] * stretch_of((model.misses / model.deviations)[~mine])
    rows = tuple(
        Foretold(c, float(g), float(m), float(m - s), float(m + s))
        for c, g, m, s in zip(cases, gains, means, spread, strict=True)
    )
    inside = np.array([r.inside for r in rows])
    by_target = {str(name): float(inside[groups == name].mean()) for name in np.unique(groups)}
    return Calibration(rows, float(inside.mean()), by_target, float(scipy.stats.spearmanr(means, gains)[0]))
