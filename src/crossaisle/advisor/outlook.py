"""Outlook: models of gain, seconds and memory, fitted on cases, that answer for any recipe at any launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..gap.launch import LaunchFacts
from ..metrics import Doubles
from .cases import Case, Recipe
from .model import Expected, Model, Points, Prior

FLOOR = 0.001
"""nDCG@10 added to both sides of a gain, so that it stays finite where a control has nothing."""
MOST = 3.0
"""Gains are cut at ± this much in the logarithm."""
GAIN = Prior(shared=0.02, kin=0.05, same=0.05, constant=0.5, reach=0.5, noise=0.02)
COST = Prior(shared=0.3, kin=0.1, same=0.5, constant=4.0, reach=0.5, noise=0.1)
LEAST_SPREAD = 0.1
"""Of a fact that hardly differs among past launches: a new one that is a little off is not far for it."""
FAR = 3.0
"""Facts further from the mean than so many deviations count as this far: no launch is stranger than strange."""
_LOGS = ("rows", "people", "items", "sources", "source_rows", "history", "agreement", "own")


@dataclass(frozen=True, eq=False)
class Outlook:
    """What past cases say of a launch.

    Attributes:
        cases: (n) that were learned from.
        centre: (d,) mean of the facts of their launches.
        scale: (d,) their standard deviation.
        gain: of log((nDCG + .001) / (best control's nDCG + .001)).
        seconds: of its logarithm.
        memory: of the logarithm of megabytes.
    """

    cases: tuple[Case, ...]
    centre: Doubles
    scale: Doubles
    gain: Model
    seconds: Model
    memory: Model

    @classmethod
    def of(cls, cases: Sequence[Case], prior: Prior = GAIN) -> Self:
        """Learn from `cases`.

        Raises:
            ValueError: there is none.
        """
        if not cases:
            raise ValueError("no past case is there to learn from.")
        rows = np.stack([numbers(launch.facts) for launch in dict.fromkeys(c.launch for c in cases)])
        centre, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), LEAST_SPREAD)
        points = _points([c.launch.facts for c in cases], [c.recipe for c in cases], centre, scale)
        groups = [c.launch.group for c in cases]
        gains = np.array([gain_of(c.value, c.launch.control) for c in cases])
        errors = np.array([min(c.error / (c.value + FLOOR), 1.0) for c in cases])

        def cost(read: Callable[[Case], float]) -> Model:
            outcomes = np.log([max(read(c), 1e-2) for c in cases])
            return Model.fit(COST, points, outcomes, np.zeros(len(cases)), groups)

        gain = Model.fit(prior, points, gains, errors, groups)
        return cls(tuple(cases), centre, scale, gain, cost(lambda c: c.seconds), cost(lambda c: c.peak_mb))

    def points(self, facts: LaunchFacts, recipes: Sequence[Recipe]) -> Points:
        """The questions how `recipes` will do at a launch."""
        return _points([facts] * len(recipes), recipes, self.centre, self.scale)

    def evidence(self, expected: Expected, row: int, recipe: Recipe, most: int = 3) -> list[Case]:
        """Past cases of `recipe` that say most of question `row`, one a target, the weightiest first."""
        weights = np.abs(expected.weights[row])
        order = (self.cases[int(i)] for i in np.argsort(-weights, kind="stable"))
        mine = {c.launch.group: c for c in reversed([c for c in order if c.recipe.name == recipe.name])}
        return list(reversed(mine.values()))[:most]


def gain_of(value: float, control: float) -> float:
    """log((value + .001) / (control + .001)), cut at ± 3."""
    return float(np.clip(np.log((value + FLOOR) / (control + FLOOR)), -MOST, MOST))


def kind_of(recipe: Recipe) -> str:
    """How it carries knowledge: recipes of one kind tend to gain and lose together."""
    entry = recipe.entry
    if entry.kind == "control":
        return "control"
    if "base" in entry.method.needs:
        return "from a base"
    if "overlapping_users" in entry.method.needs:
        return "maps people"
    if "item_content" in entry.method.needs:
        return "reads content"
    return "all domains together"


def numbers(facts: LaunchFacts) -> Doubles:
    """(d,) facts with sizes as logarithms."""
    values = facts.as_dict()
    return np.array([np.log1p(v) if name in _LOGS else v for name, v in values.items()])


def _points(facts: Sequence[LaunchFacts], recipes: Sequence[Recipe], centre: Doubles, scale: Doubles) -> Points:
    known: dict[str, str] = {}
    for recipe in recipes:
        known.setdefault(recipe.name, kind_of(recipe))
    rows = {f: np.clip((numbers(f) - centre) / scale, -FAR, FAR) for f in dict.fromkeys(facts)}
    names = [r.name for r in recipes]
    return Points(np.stack([rows[f] for f in facts]), names, [known[n] for n in names])
