"""Experiment: which version a user gets, the same at every visit, and by which rule it ends."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import ConfigError, unknown

MetricName = Literal["ctr", "cvr", "revenue"]
METRICS: Mapping[MetricName, tuple[str, str]] = {
    "ctr": ("clicks", "exposures"),
    "cvr": ("bought", "users"),
    "revenue": ("revenue", "users"),
}
"""Metric → columns of the outcomes whose sums are divided; ``users`` counts a user once."""


@dataclass(frozen=True)
class Rule:
    """When an experiment ends. The intervals hold at every look, so it may be asked as often as one likes.

    Attributes:
        alpha: chance of any false win or harm, over all looks, variants and metrics together.
        users: of both compared variants together, where the intervals are to be narrowest.
        least: smallest gain worth having, as a share of the control's metric: where no such gain is left within the
            interval, the variant is futile. 0 never says so.
        max_users: of all variants together, at which the experiment ends without a winner.
    """

    alpha: float = 0.05
    users: int = 10_000
    least: float = 0.0
    max_users: int = 100_000

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ConfigError(f"alpha is {self.alpha:g}; a chance between 0 and 1 is needed, for example 0.05.")
        if self.users < 1 or self.max_users < 1:
            raise ConfigError(f"users is {self.users} and max_users {self.max_users}; both must be at least 1.")
        if not 0 <= self.least < math.inf:
            raise ConfigError(f"least is {self.least:g}; a share of at least 0 is needed, for example 0.02.")


@dataclass(frozen=True)
class Experiment:
    """One question put to users.

    Attributes:
        name: unique; it is part of every assignment, so that experiments are independent of each other.
        variants: version → share of the users, the control first; shares add up to 1 and stay as they are while the
            experiment runs.
        metric: what decides.
        guards: metrics that a variant must not harm.
        rule: when it ends.
        window_days: days from a user's first exposure whose events count. A user enters the intervals when they are
            over, so that no number of a user changes afterwards.
        salt: secret of the assignment; the same in every process that serves the experiment.
    """

    name: str
    variants: Mapping[str, float]
    metric: MetricName = "ctr"
    guards: tuple[MetricName, ...] = ()
    rule: Rule = field(default_factory=Rule)
    window_days: float = 7.0
    salt: str = ""

    def __post_init__(self) -> None:
        shares = list(self.variants.values())
        if not self.name:
            raise ConfigError("the experiment has no name; give it one that no other experiment has.")
        if len(shares) < 2 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
            raise ConfigError(
                f"experiment {self.name!r} has the shares {dict(self.variants)}; at least two above 0 that add up "
                "to 1 are needed, the control first."
            )
        for metric in (self.metric, *self.guards):
            if metric not in METRICS:
                raise ConfigError(unknown("metric", metric, METRICS))
        if not self.window_days > 0:
            raise ConfigError(f"window_days is {self.window_days:g}; more than 0 is needed, for example 7.")

    @property
    def control(self) -> str:
        """The version that the others are compared with."""
        return next(iter(self.variants))

    @property
    def metrics(self) -> tuple[MetricName, ...]:
        """The metric that decides, then the guards, each once."""
        return tuple(dict.fromkeys((self.metric, *self.guards)))

    def variant_of(self, user_id: str) -> str:
        """The version of a user: the same in every process and on every machine, and nothing has to be stored."""
        place, above = fraction_of(self.name, self.salt, user_id), 0.0
        for name, share in self.variants.items():
            above += share
            if place < above:
                return name
        return name


def fraction_of(name: str, salt: str, user_id: str) -> float:
    """A number in [0, 1) that a user has in an experiment: 53 bits of BLAKE2b, keyed by experiment and salt.

    Kohavi, Tang & Xu 2020, Trustworthy Online Controlled Experiments, ch. 14: uniform, and independent between
    experiments because the key differs.
    """
    key = hashlib.blake2b(f"{len(name)}:{name}{salt}".encode(), digest_size=32).digest()
    digest = hashlib.blake2b(user_id.encode(), key=key, digest_size=8).digest()
    return float((int.from_bytes(digest, "big") >> 11) / 2**53)
