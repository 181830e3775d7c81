"""The off-policy estimate of a candidate: every estimator, beside what the log itself earned, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .. import off_policy
from ..errors import DataError
from ..off_policy import Support, Terms, Value
from ..types import Codes, Doubles
from .candidate import Placed, placed

HEAVY = 0.05
"""Share of one row in all weights from which on it is said."""


@dataclass(frozen=True)
class Estimated:
    """What a candidate would earn for each item shown.

    Attributes:
        values: estimator → value with its interval; ``logged`` is the mean reward of the log itself, and ``gain`` the
            headline estimate less that, from the same draws.
        places: place → estimate of the headline estimator; empty for one place.
        support: how much the log has to say.
        unit: what was drawn again for the intervals: ``user``, ``list`` or ``row``.
        refused: why none of `values` may be read; None where they may.
        warnings: what to know.
    """

    values: Mapping[str, Value]
    places: Mapping[int, Value]
    support: Support
    unit: str
    refused: str | None
    warnings: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The estimator to read: ``dr`` where there is one, else ``snips``."""
        return "dr" if "dr" in self.values else "snips"

    def to_document(self) -> dict[str, Any]:
        """As plain values; estimates of the candidate are left out where they are refused."""
        kept = {n: v._asdict() for n, v in self.values.items() if self.refused is None or n == "logged"}
        support = self.support._asdict() | {"mean_weight": self.support.mean_weight._asdict()}
        return {
            "values": kept,
            "headline": self.headline if self.refused is None else None,
            "places": {str(p): v._asdict() for p, v in self.places.items()} if self.refused is None else {},
            "support": support,
            "unit": self.unit,
            "refused": self.refused,
            "warnings": list(self.warnings),
            "assumption": "a reward depends on the item and its place alone (item-position model)",
        }


def estimate(log: pl.DataFrame, policy: pl.DataFrame | None = None, seed: int = 0) -> Estimated:
    """The value of a candidate for each item shown, with 95 % bootstrap intervals.

    Args:
        log: as `read_log` gives it; its column ``candidate`` is used where there is no `policy`.
        policy: as `read_policy` or `policy_of` give it.
        seed: of folds and bootstrap.

    Raises:
        DataError: no candidate is given, or it does not say what the log needs.
    """
    if policy is None and "candidate" not in log.columns:
        raise DataError(
            "there is no candidate: add a column candidate with its probability of each shown item, or give a table of "
            "its probabilities, or a recommender."
        )
    whole = None if policy is None else placed(log, policy)
    probability = log["candidate"].to_numpy() if whole is None else whole.probability
    rewards, weights = log["reward"].to_numpy(), probability / log["propensity"].to_numpy()
    unit, units = units_of(log)
    if int(units.max()) == 0:
        raise DataError(f"the log has one {unit} alone, and intervals need several; log more.")
    terms = _terms(rewards, weights, units, whole, seed)
    drawn = off_policy.draws(terms, units, seed)
    values = {name: off_policy.value_of(pair) for name, pair in terms.items()}
    moved = {name: off_policy.influence(pair, units) for name, pair in terms.items()}
    best = "dr" if "dr" in terms else "snips"
    values["gain"] = values[best] - values["logged"]
    drawn["gain"], moved["gain"] = drawn[best] - drawn["logged"], moved[best] - moved["logged"]
    found = {name: off_policy.with_interval(value, drawn[name], moved[name]) for name, value in values.items()}
    uncovered = float("nan") if whole is None else whole.uncovered
    support = off_policy.support_of(rewards, weights, units, found.pop("mean weight"), uncovered)
    refused, positions = off_policy.refusal(support), log["position"].to_numpy()
    several = len(np.unique(positions)) > 1 and refused is None
    places = _by_place(terms[best], positions, units, seed) if several else {}
    return Estimated(found, places, support, unit, refused, _warnings(support))


def units_of(log: pl.DataFrame) -> tuple[str, Codes]:
    """What is independent in a log, and its (n,) codes."""
    for name, unit in (("user_id", "user"), ("request_id", "list")):
        if name in log.columns:
            return unit, np.unique(log[name].to_numpy(), return_inverse=True)[1].astype(np.int64)
    return "row", np.arange(log.height)


def _terms(rewards: Doubles, weights: Doubles, units: Codes, whole: Placed | None, seed: int) -> dict[str, Terms]:
    one = np.ones(len(rewards))
    terms = {
        "logged": Terms(rewards, one),
        "ips": off_policy.ips(rewards, weights),
        "clipped": off_policy.clipped(rewards, weights),
        "snips": off_policy.snips(rewards, weights),
        "mean weight": Terms(weights, one),
    }
    if whole is not None:
        model = off_policy.cross_fitted(rewards, whole.cells, whole.places, units, whole.matrix, whole.contexts, seed)
        terms["dr"] = off_policy.doubly_robust(rewards, weights, *model)
    return terms


def _by_place(terms: Terms, positions: Codes, units: Codes, seed: int) -> dict[int, Value]:
    found = {}
    for place in np.unique(positions):
        here = positions == place
        inside = np.unique(units[here], return_inverse=True)[1].astype(np.int64)
        part = Terms(terms.above[here], terms.below[here])
        found[int(place)] = off_policy.interval(part, inside, seed)
    return found


def _warnings(support: Support) -> tuple[str, ...]:
    found, mean = [], support.mean_weight
    if mean.low > 1 or mean.high < 1:
        found.append(
            f"the weights have a mean of {mean.value:.2f}, and 1 is not in its 95 % interval: are the propensities "
            "those of this log?"
        )
    if support.largest_share > HEAVY:
        found.append(f"one row has {support.largest_share:.0%} of all weight.")
    return tuple(found)
