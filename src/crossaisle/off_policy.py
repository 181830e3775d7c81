"""Off-policy estimates: what a candidate would have earned, from the log of the policy that was shown.

All functions take rows of a log: one shown item each, at one place of one list. ``weights`` (n,) are the candidate's
probability of the item at that place divided by the propensity, the logged policy's probability of the same.

For lists this is the item-position model (Li et al. 2018, Offline evaluation of ranking policies with click models): a
reward depends on the item and its place, and not on what else the list shows. The value is the mean reward of a shown
item; times the places of a list it is the reward of a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtr, ndtri

from .resampling import LEVEL, RESAMPLES, resampled
from .rng import generator
from .types import Codes, Doubles

MIN_UNITS = 100.0
"""Least effective sample size: below, one unit moves the weighted mean by more than a hundredth of its range."""
MIN_REWARDS = 15.0
"""Least effective number of rewarded units m. The relative standard error of a rate is about 1 / √m, so at fifteen the
interval is ± half of the value; docs/results/off-policy.md has how often intervals cover the truth above and below."""
MAX_UNCOVERED = 0.05
"""Most of the candidate's probability on items that the log never shows at their place. What they earn is missing from
the value: about this share of it, a tenth of the half width of the widest interval that is let through."""
FOLDS = 5
PENALTY = 100.0


class Terms(NamedTuple):
    """An estimate as a ratio of two means over rows: mean(above) / mean(below), (n,) each."""

    above: Doubles
    below: Doubles


class Value(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class Support(NamedTuple):
    """How much the log has to say about a candidate.

    Attributes:
        rows: of the log.
        units: users, else lists, else rows: what is independent.
        effective_units: Kish's effective sample size of the units' weights.
        effective_rewards: the same of their weights times rewards.
        largest_weight: of all rows.
        largest_share: of one row in the sum of the weights.
        uncovered: share of the candidate's probability on items that the log never shows at their place; NaN where
            the whole of the candidate is not known.
        mean_weight: 1 but for chance where the propensities are right and everything is covered.
    """

    rows: int
    units: int
    effective_units: float
    effective_rewards: float
    largest_weight: float
    largest_share: float
    uncovered: float
    mean_weight: Value


def ips(rewards: Doubles, weights: Doubles) -> Terms:
    """Inverse propensity scoring, mean of w r: unbiased with full support (Horvitz & Thompson 1952)."""
    return Terms(weights * rewards, np.ones(len(rewards)))


def clipped(rewards: Doubles, weights: Doubles, cap: float | None = None) -> Terms:
    """IPS with weights of at most `cap`, √n by default (Ionides 2008): less variance, and too low where it cuts."""
    most = np.sqrt(len(weights)) if cap is None else cap
    return ips(rewards, np.minimum(weights, most))


def snips(rewards: Doubles, weights: Doubles) -> Terms:
    """Self-normalised IPS, Σ w r / Σ w: stays within the range of the rewards (Swaminathan & Joachims 2015)."""
    return Terms(weights * rewards, weights)


def doubly_robust(rewards: Doubles, weights: Doubles, predicted: Doubles, expected: Doubles) -> Terms:
    """Doubly robust, mean of E_π q̂ + w (r − q̂) (Dudík et al. 2011).

    Unbiased where the propensities are right, or where the reward model is.

    Args:
        rewards: (n,).
        weights: (n,).
        predicted: (n,) reward that a model gives to the shown item; fitted without the row, see `cross_fitted`.
        expected: (n,) mean of the model's rewards over the candidate's items at the row's place.
    """
    return Terms(expected + weights * (rewards - predicted), np.ones(len(rewards)))


def value_of(terms: Terms) -> float:
    """The estimate; NaN where nothing of the candidate was shown."""
    below = float(terms.below.sum())
    return float(terms.above.sum()) / below if below else float("nan")


def effective_size(weights: Doubles) -> float:
    """Kish's effective sample size, (Σ w)² / Σ w²: the equally weighted rows that would be as sure (Kish 1965)."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def draws(terms: Mapping[str, Terms], units: Codes, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Doubles]:
    """Estimates from samples of units with replacement; the same samples serve all, so differences are paired.

    Args:
        terms: name → terms of n rows.
        units: (n,) codes 0 … u − 1 of what is independent: users, else lists, else rows.
        seed: of the draws.
        resamples: bootstrap samples.

    Returns:
        name → (resamples,) estimates, NaN where a sample shows nothing of the candidate.
    """
    sums = np.stack([_by_unit(part, units) for pair in terms.values() for part in pair])
    above, below = resampled(sums, seed, resamples).reshape(len(terms), 2, -1).swapaxes(0, 1)
    found = np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
    return dict(zip(terms, found, strict=True))


def influence(terms: Terms, units: Codes) -> Doubles:
    """(u,) what each unit moves the estimate by, but for the factor 1 / u: residuals over the mean of `below`."""
    above, below = _by_unit(terms.above, units), _by_unit(terms.below, units)
    mean = below.mean()
    return (above - value_of(terms) * below) / mean if mean else np.zeros_like(below)


def with_interval(value: float, drawn: Doubles, moved: Doubles) -> Value:
    """`value` with the BCa interval of its draws, which follows their bias and skew (Efron 1987).

    Rewards are rare and weights uneven, so that estimates are skewed; plain percentiles miss the truth more often.

    Args:
        value: the estimate.
        drawn: (resamples,) of `draws`.
        moved: (u,) of `influence`.
    """
    kept = drawn[~np.isnan(drawn)]
    squares = float((moved**2).sum())
    if not len(kept) or squares == 0:
        return Value(value, value, value) if len(kept) else Value(value, float("nan"), float("nan"))
    share = np.clip(((kept < value).mean() + (kept <= value).mean()) / 2, 1 / len(kept), 1 - 1 / len(kept))
    bias, skew = ndtri(share), float((moved**3).sum()) / (6 * squares**1.5)
    ends = bias + ndtri([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = np.quantile(kept, ndtr(bias + ends / (1 - skew * ends)))
    return Value(value, float(low), float(high))


def interval(terms: Terms, units: Codes, seed: int = 0) -> Value:
    """One estimate with its interval."""
    return with_interval(value_of(terms), draws({"": terms}, units, seed)[""], influence(terms, units))


def support_of(
    rewards: Doubles, weights: Doubles, units: Codes, mean_weight: Value, uncovered: float = float("nan")
) -> Support:
    """How much a log has to say, from its rewards (n,), weights (n,) and codes of units (n,)."""
    by_unit, rewarded = _by_unit(weights, units), _by_unit(weights * rewards, units)
    total = float(weights.sum())
    largest = float(weights.max())
    return Support(
        rows=len(weights),
        units=len(by_unit),
        effective_units=effective_size(by_unit),
        effective_rewards=effective_size(rewarded),
        largest_weight=largest,
        largest_share=largest / total if total else 1.0,
        uncovered=uncovered,
        mean_weight=mean_weight,
    )


def refusal(support: Support) -> str | None:
    """Why there is too little to say, in one sentence; None where the estimates may be read."""
    if support.uncovered > MAX_UNCOVERED:
        return (
            f"{support.uncovered:.0%} of what the candidate shows was never shown at its place in this log, and at "
            f"most {MAX_UNCOVERED:.0%} is allowed; log with more exploration, or let the candidate show less."
        )
    if support.effective_units < MIN_UNITS:
        return (
            f"the {support.rows:,} rows are worth {support.effective_units:,.0f} independent ones of the candidate's "
            f"own, and {MIN_UNITS:.0f} are needed; log longer, or choose a candidate closer to what was shown."
        )
    if support.effective_rewards < MIN_REWARDS:
        return (
            f"the rewards are worth {support.effective_rewards:.1f} independent ones of the candidate's own, and "
            f"{MIN_REWARDS:.0f} are needed; log longer, or count a more frequent reward."
        )
    if support.mean_weight.high < 1 - MAX_UNCOVERED:
        return (
            f"the weights have a mean of {support.mean_weight.value:.2f} where 1 is due, so the log misses a part of "
            "what the candidate shows, or the propensities are too large; check both."
        )
    return None


def cross_fitted(
    rewards: Doubles,
    cells: Codes,
    places: Codes,
    units: Codes,
    candidate: sp.csr_matrix,
    contexts: Codes,
    seed: int = 0,
) -> tuple[Doubles, Doubles]:
    """A reward model fitted without the rows that it judges: what `doubly_robust` needs.

    Ridge regression on the one-hot (item, place) around the mean of the place, which is a mean drawn towards it:
    q̂ = (Σ r + λ m) / (n + λ), λ = 100 rows. Each of five folds of units is predicted from the other four (Chernozhukov
    et al. 2018).

    Args:
        rewards: (n,).
        cells: (n,) column of the shown item at its place.
        places: (cells,) code of the place of each column.
        units: (n,) codes; a unit is in one fold.
        candidate: (contexts, cells) probabilities; a context is a place, or a user at a place.
        contexts: (n,) row of `candidate` that stands for each row.
        seed: of the folds.

    Returns:
        predicted (n,) and expected (n,).
    """
    fold = generator(seed, "folds").permutation(int(units.max()) + 1)[units] % FOLDS
    predicted, expected = np.zeros(len(rewards)), np.zeros(len(rewards))
    for one in range(FOLDS):
        inside = fold == one
        model = _shrunk(rewards[~inside], cells[~inside], places)
        predicted[inside] = model[cells[inside]]
        expected[inside] = (candidate @ model)[contexts[inside]]
    return predicted, expected


def _by_unit(rows: Doubles, units: Codes) -> Doubles:
    return np.bincount(units, rows).astype(np.float64)


def _shrunk(rewards: Doubles, cells: Codes, places: Codes) -> Doubles:
    count = np.bincount(cells, minlength=len(places)).astype(np.float64)
    total = np.bincount(cells, rewards, minlength=len(places))
    rows, earned = np.bincount(places, count), np.bincount(places, total)
    mean = earned.sum() / max(rows.sum(), 1.0)
    by_place = np.divide(earned, rows, out=np.full(len(rows), mean), where=rows > 0)
    return np.asarray((total + PENALTY * by_place[places]) / (count + PENALTY))
