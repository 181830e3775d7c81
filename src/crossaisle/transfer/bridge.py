"""What methods share that carry a person's vector over: both sides factorised, who is on both, scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from ..errors import MethodError
from ..rng import generator
from ..types import Codes, Floats, History, Tensors
from .als import AlsOptions, item_factors
from .common import Weight, popularity_of, weighted, with_popularity
from .folding import fold_in
from .problem import Problem

Bridge = Callable[[sp.csr_matrix, Floats], Floats]
"""(n, p) weighted events elsewhere and (n, f) vectors of the same people there → (n, f) vectors in the target."""
HELD = 10
"""One of so many people on both sides is held out, to see when training has learned enough."""


@dataclass(frozen=True)
class BridgeOptions:
    """Options with which both sides are factorised, the same for every bridge; see `AlsOptions`."""

    factors: int = 16
    """Length of the vectors on both sides."""
    alpha: float = 10.0
    """Confidence of an event is alpha × its weight, of a non-event 1."""
    regularization: float = 10.0
    """L2 penalty on the vectors of both sides."""
    iterations: int = 15
    """Sweeps over users and items of each factorisation."""
    max_items: int = 100_000
    """How many of the most common items outside the catalogue are read."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""
    prior: float = 1.0
    """What the mapped vector says beside a person's own events in the target; 1: as much as all that was not bought."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        least = min(self.factors, self.iterations, self.max_items)
        if least < 1 or min(self.alpha, self.regularization, self.prior) <= 0:
            raise ValueError(
                "factors, iterations and max_items must be at least 1, alpha, regularization and prior above 0."
            )


@dataclass(frozen=True, eq=False)
class Sides:
    """Item vectors of the target and of everywhere else, from two factorisations that know nothing of each other.

    An item is on the target's side where it is in the catalogue, whoever sold it.

    Attributes:
        inputs: (p,) sorted item codes elsewhere.
        there: (p, f) float32 their vectors.
        catalogue: (c,) sorted item codes of the target.
        here: (c, f) float32 their vectors.
        popularity: (c,) orders ties and people of whom nothing is known.
        alpha: see `AlsOptions`.
        regularization: see `AlsOptions`.
        prior: what the mapped vector says beside own events in the target, `strength` of `als.fold_in`.
        weight: see `common.weighted`.
    """

    inputs: Codes
    there: Floats
    catalogue: Codes
    here: Floats
    popularity: Floats
    alpha: float
    regularization: float
    prior: float
    weight: Weight

    def read(self, history: History) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """(n, p) and (n, c) weighted events, elsewhere and in the target."""
        events = weighted(history, self.weight)
        return events[:, self.inputs].tocsr(), events[:, self.catalogue].tocsr()

    def vectors_there(self, events: sp.csr_matrix) -> Floats:
        """(n, f) vectors of people with `events` (n, p) elsewhere."""
        return fold_in(events, self.there, self.alpha, self.regularization)

    def vectors_here(self, events: sp.csr_matrix) -> Floats:
        """(n, f) vectors of people with `events` (n, c) in the target, from these alone."""
        return fold_in(events, self.here, self.alpha, self.regularization)

    def scores(self, history: History, bridge: Bridge) -> Floats:
        """(n, catalogue): the mapped vector is expected, own events in the target correct it.

        People without events elsewhere have their own vector alone; without any, they get what is popular.
        """
        elsewhere, own = self.read(history)
        mapped = np.diff(elsewhere.indptr) > 0
        found = np.empty((len(history), self.here.shape[1]), dtype=np.float32)
        found[~mapped] = self.vectors_here(own[~mapped])
        events = elsewhere[mapped]
        expected = bridge(events, self.vectors_there(events))
        found[mapped] = fold_in(own[mapped], self.here, self.alpha, self.regularization, expected, self.prior)
        return with_popularity(found @ self.here.T, self.popularity)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore these sides."""
        arrays = ("inputs", "there", "catalogue", "here", "popularity")
        numbers = ("alpha", "regularization", "prior", "weight")
        return {n: getattr(self, n) for n in arrays}, {n: getattr(self, n) for n in numbers}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`; what else is in `tensors` is left alone."""
        names = ("inputs", "there", "catalogue", "here", "popularity")
        return cls(**({n: tensors[n] for n in names} | meta))


@dataclass(frozen=True, eq=False)
class Pairs:
    """People with events on both sides, from whom a map is learned: (n, p) events elsewhere, (n, c) in the target."""

    there: sp.csr_matrix
    here: sp.csr_matrix

    def __len__(self) -> int:
        return int(self.there.shape[0])

    def split(self, seed: int) -> tuple[Pairs, Pairs]:
        """Pairs to learn from, and one of ten (`HELD`) to look at; all of them are both, where there are too few."""
        if len(self) < 2 * HELD:
            return self, self
        order = generator(seed, "bridge", "held").permutation(len(self))
        kept, held = np.sort(order[len(self) // HELD :]), np.sort(order[: len(self) // HELD])
        return Pairs(self.there[kept], self.here[kept]), Pairs(self.there[held], self.here[held])


def factorised(problem: Problem, options: BridgeOptions) -> tuple[Sides, Pairs]:
    """Both sides, each factorised by itself, and the people who have events on both.

    Raises:
        MethodError: nobody has.
    """
    events = weighted(problem.history, options.weight)
    inputs = _elsewhere(events, problem.catalogue, options.max_items)
    there, here = events[:, inputs].tocsr(), events[:, problem.catalogue].tocsr()
    both = (np.diff(there.indptr) > 0) & (np.diff(here.indptr) > 0)
    if not both.any():
        raise MethodError(
            f"nobody has both an item of {problem.target!r} and one that only other domains sell; show some weeks of "
            "the target, or choose a method that needs no such people."
        )
    als = AlsOptions(
        factors=options.factors,
        alpha=options.alpha,
        regularization=options.regularization,
        iterations=options.iterations,
    )
    vectors = [item_factors(side[np.diff(side.indptr) > 0], als, problem.seed) for side in (there, here)]
    sides = Sides(
        inputs,
        vectors[0],
        problem.catalogue,
        vectors[1],
        popularity_of(problem),
        options.alpha,
        options.regularization,
        options.prior,
        options.weight,
    )
    return sides, Pairs(there[both], here[both])


def _elsewhere(events: sp.csr_matrix, catalogue: Codes, max_items: int) -> Codes:
    """Sorted codes of the `max_items` most common items outside the catalogue."""
    people = np.bincount(events.indices, minlength=events.shape[1])
    people[catalogue] = 0
    often = np.argsort(-people, kind="stable")[:max_items]
    return np.sort(often[people[often] > 0]).astype(np.int64)
