"""ALS mix: factorisations of several sizes together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..models.base import Base
from ..recommender import Recommender
from . import als
from .blend import BlendScorer
from .common import Scope, Weight
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space

SIZE = 16
"""Factors that `regularization` is meant for."""
EXPONENT = 2 / 3
"""Of a member's length, in its penalty: short vectors need little, as they cannot say much."""


@dataclass(frozen=True)
class AlsMixOptions:
    """Options of `als_mix`."""

    scope: Scope = "target"
    """``target``: read the target's items only (a control); ``all``: read items of all visible domains."""
    factors: tuple[int, ...] = (8, 16, 32, 64, 128)
    """Lengths of the vectors, one factorisation for each: coarse tastes and fine ones."""
    draws: int = 2
    """Factorisations of each length, from different starts."""
    alpha: float = 100.0
    """Confidence of an event is alpha × its weight, of a non-event 1."""
    penalty: float = 1.0
    """L2 penalty of the longest vectors, in the unit of `als`; with f factors it is times (f / longest)^⅔."""
    regularization: float | None = None
    """L2 penalty with 16 factors, times (f / 16)^⅔ with f, instead of `penalty`."""
    iterations: int = 15
    """Sweeps over users and items."""
    max_items: int = 100_000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""
    item_exponent: float = 0.0
    """Weights are divided by the item's number of people to this power (their mean stays); more favours rare items."""

    search: ClassVar[Space] = {
        "alpha": Range(1.0, 300.0, log=True),
        "penalty": Range(0.2, 3.0, log=True),
        "weight": ("log", "binary", "count"),
    }

    def __post_init__(self) -> None:
        if not self.factors or min(self.factors) < 1 or self.draws < 1:
            raise ValueError("factors must name at least one length of 1 or more, and draws be at least 1.")
        numbers = (self.alpha, self.penalty, 1.0 if self.regularization is None else self.regularization)
        if self.iterations < 1 or min(numbers) <= 0:
            raise ValueError("iterations must be at least 1, alpha, penalty and regularization above 0.")


@transfer(
    "als_mix",
    options=AlsMixOptions,
    paper="mean of standardised scores of Hu, Koren & Volinsky 2008; bagging: Breiman 1996",
    when="wherever als would do",
    cost="medium",
    needs=("target_interactions",),
    control=True,
    random=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: AlsMixOptions) -> Recommender:
    """Matrix factorisations of several sizes and starts, their standardised scores averaged."""
    parts = {}
    for size in options.factors:
        for draw in range(options.draws):
            seeded = dataclasses.replace(problem, seed=options.draws * problem.seed + draw)
            made = als.fit(base, seeded, member(options, size))
            parts[f"als_{size}_{draw}"] = made.scorer
    weights = np.full(len(parts), 1.0 / len(parts), dtype=np.float32)
    return recommender_for(problem, "als_mix", BlendScorer(parts, weights), members=len(parts))


def member(options: AlsMixOptions, size: int) -> als.AlsOptions:
    """Options of the factorisations with vectors of length `size`."""
    shared = {f.name: getattr(options, f.name) for f in dataclasses.fields(als.AlsOptions) if f.name != "factors"}
    shared["penalty"] = options.penalty * (size / max(options.factors)) ** EXPONENT
    if options.regularization is not None:
        shared["regularization"] = options.regularization * (size / SIZE) ** EXPONENT
    return als.AlsOptions(**shared | {"factors": size})
