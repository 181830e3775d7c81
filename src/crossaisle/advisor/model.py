"""What to expect of a recipe at a launch: Gaussian process regression on past cases, with intervals that held there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy.spatial.distance import cdist

from ..metrics import Doubles

Words = Sequence[str]
LEVEL = 0.8
"""Share of realised numbers that an interval should hold."""
JITTER = 1e-8


@dataclass(frozen=True)
class Prior:
    """How cases are related: variances of what is alike, and how far likeness in facts reaches.

    k = (shared + kin · [same kind] + same · [same recipe]) · (constant + exp(−‖x − x'‖² / (2 · reach² · d)))

    Attributes:
        shared: variance of what all recipes gain or lose together at a launch.
        kin: variance of what recipes of one kind do beyond it.
        same: variance of what the recipe itself does beyond it.
        constant: share of each that does not depend on facts.
        reach: distance at which launches say little of each other; 1: that of two drawn at random.
        noise: variance of a single case beyond its own error over users.
    """

    shared: float
    kin: float
    same: float
    constant: float
    reach: float
    noise: float


@dataclass(frozen=True)
class Points:
    """n cases, or questions about cases.

    Attributes:
        facts: (n, d) on a common scale.
        recipes: n names.
        kinds: n kinds of recipes.
    """

    facts: Doubles
    recipes: Words
    kinds: Words

    def __len__(self) -> int:
        return len(self.facts)


@dataclass(frozen=True)
class Expected:
    """What is expected of m questions.

    Attributes:
        mean: (m,).
        low: (m,) lower end of the 80 % interval of what will be measured.
        high: (m,) upper end.
        weights: (m, n) what each past case adds to a mean is its weight times its outcome less the mean of all.
    """

    mean: Doubles
    low: Doubles
    high: Doubles
    weights: Doubles


@dataclass(frozen=True, eq=False)
class Model:
    """Kriging of past outcomes (Rasmussen & Williams 2006, ch. 2), whose intervals are stretched to hold (conformal).

    The stretch is the 80 % quantile of |outcome − mean| / deviation over past cases, each foretold from the cases of
    other groups alone (leave-one-group-out; in closed form, R & W eq. 5.12 by blocks). What will be measured has an
    error over users as well; it is expected to be as large as those of past cases.

    Attributes:
        prior: kernel.
        points: (n) past cases.
        centre: mean outcome.
        inverse: (n, n) of the kernel with noise.
        residual: (n,) outcomes less their mean.
        error: mean variance of past outcomes over users.
        stretch: of intervals.
    """

    prior: Prior
    points: Points
    centre: float
    inverse: Doubles
    residual: Doubles
    error: float
    stretch: float

    @classmethod
    def fit(cls, prior: Prior, points: Points, outcomes: Doubles, errors: Doubles, groups: Words) -> Model:
        """From past cases.

        Args:
            prior: kernel.
            points: (n).
            outcomes: (n,).
            errors: (n,) standard errors of the outcomes.
            groups: (n) which cases are left out at once for intervals.

        Raises:
            ValueError: there is no case.
        """
        if not len(points):
            raise ValueError("a model needs at least one case.")
        centre = float(outcomes.mean())
        kernel = covariance(prior, points, points)
        kernel[np.diag_indices_from(kernel)] += prior.noise + errors**2 + JITTER
        inverse = scipy.linalg.inv(kernel, check_finite=False)
        misses, deviations = left_out(inverse, outcomes, groups)
        error, stretch = float((errors**2).mean()), stretch_of(misses / deviations)
        return cls(prior, points, centre, inverse, outcomes - centre, error, stretch)

    def expect(self, asked: Points) -> Expected:
        """Mean and interval of what would be measured."""
        across = covariance(self.prior, asked, self.points)
        weights = across @ self.inverse
        own = _diagonal(self.prior, len(asked)) + self.prior.noise + self.error
        deviation = np.sqrt(np.maximum(own - (weights * across).sum(axis=1), JITTER))
        mean = self.centre + weights @ self.residual
        return Expected(mean, mean - self.stretch * deviation, mean + self.stretch * deviation, weights)


def covariance(prior: Prior, a: Points, b: Points) -> Doubles:
    """(n, m) kernel of `Prior`."""
    squared = cdist(a.facts, b.facts, "sqeuclidean") / a.facts.shape[1]
    near = prior.constant + np.exp(-squared / (2.0 * prior.reach**2))
    alike = prior.shared + prior.kin * _equal(a.kinds, b.kinds) + prior.same * _equal(a.recipes, b.recipes)
    found: Doubles = alike * near
    return found


def left_out(inverse: Doubles, outcomes: Doubles, groups: Words) -> tuple[Doubles, Doubles]:
    """What each case misses when its whole group is left out, and the deviation expected of it: (n,) each.

    With B the block of `inverse` for a group and c the mean outcome of the others (of all, where there are no others):
    misses B⁻¹ (inverse · (outcomes − c))_group, covariance B⁻¹.
    """
    misses, deviations = np.empty(len(outcomes)), np.empty(len(outcomes))
    pulled, ones, names = inverse @ outcomes, inverse.sum(axis=1), np.asarray(groups)
    for name in np.unique(names):
        mine = np.flatnonzero(names == name)
        block = scipy.linalg.inv(inverse[np.ix_(mine, mine)], check_finite=False)
        others = np.delete(outcomes, mine) if len(mine) < len(outcomes) else outcomes
        misses[mine] = block @ (pulled[mine] - others.mean() * ones[mine])
        deviations[mine] = np.sqrt(np.maximum(np.diag(block), JITTER))
    return misses, deviations


def stretch_of(standardised: Doubles) -> float:
    """The quantile of |misses| that `LEVEL` of them do not exceed (with the correction of Vovk et al. for few)."""
    n = len(standardised)
    level = min(1.0, np.ceil(LEVEL * (n + 1)) / n)
    return float(np.quantile(np.abs(standardised), level))


def _diagonal(prior: Prior, n: int) -> Doubles:
    return np.full(n, (prior.shared + prior.kin + prior.same) * (prior.constant + 1.0))


def _equal(a: Words, b: Words) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.asarray(a)[:, None] == np.asarray(b)[None, :]
    return found
