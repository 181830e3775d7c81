"""Popularity: the same answer for everybody, and the floor of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Basis, Contributions, Floats, History, Tensors
from .common import Scope, popularity_of
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Space


@dataclass(frozen=True)
class PopularityOptions:
    """Options of `popularity`."""

    scope: Scope = "target"
    """``target``: events of the target; ``all``: of the same items in all domains (markets, channels)."""
    unit: Literal["users", "events"] = "users"
    """Count distinct users, or events."""
    half_life_weeks: float | None = None
    """Weeks after which an event counts half; none: all events count alike. Needs timestamps to matter."""

    search: ClassVar[Space] = {
        "unit": ("users", "events"),
        "half_life_weeks": (None, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    }

    def __post_init__(self) -> None:
        if self.half_life_weeks is not None and self.half_life_weeks <= 0:
            raise ValueError(f"half_life_weeks is {self.half_life_weeks}; a number above 0 is needed.")


@scorer("popularity")
@dataclass(frozen=True)
class PopularityScorer:
    """One score per item, whoever asks.

    Attributes:
        popularity: (catalogue,) float32.
    """

    kind: ClassVar[str] = "popularity"
    basis: ClassVar[Basis] = "popularity"
    popularity: Floats

    def score(self, history: History) -> Floats:
        """(n, catalogue) the same row for all."""
        return np.tile(self.popularity, (len(history), 1))

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: no event counts."""
        return Contributions(asked @ self.popularity, np.zeros((len(asked), history.counts.nnz)))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        return {"popularity": self.popularity}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(tensors["popularity"])


@transfer(
    "popularity",
    options=PopularityOptions,
    paper="counts, with exponential time decay",
    when="as the floor of every report",
    cost="low",
    control=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: PopularityOptions) -> Recommender:
    """What sells in the target, for everybody alike; with nothing sold yet all items are equal."""
    values = popularity_of(problem, options.scope, options.unit, options.half_life_weeks)
    return recommender_for(problem, "popularity", PopularityScorer(values))
