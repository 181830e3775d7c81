"""Forgetting: how well the network that serves the new domain still answers in the old ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from ..data.world import World
from ..errors import MethodError
from ..evaluate.stats import Interval, interval
from ..models.base import Base
from ..recommender import Recommender
from ..transfer.network import NetworkScorer, Shop
from ..transfer.result import recommender_for
from ..transfer.visible import problem_of
from .prequential import K, answered, exam_of


@dataclass(frozen=True)
class Forgotten:
    """One old domain, asked before and after.

    Attributes:
        domain: its name.
        users: people that were asked.
        before: mean nDCG@k of the base's own weights.
        after: of the weights that serve the new domain.
        change: after minus before, with its 95 % interval over people.
    """

    domain: str
    users: int
    before: float
    after: float
    change: Interval

    @property
    def share(self) -> float:
        """Share of the quality that was lost; below 0 where it rose."""
        return -self.change.mean / self.before if self.before else float("nan")


def forgotten(
    current: Recommender, base: Base, known: World, window: pl.DataFrame, domain: str, start: datetime, k: int = K
) -> Forgotten:
    """Ask the head of an old `domain` with the base's weights, and with those of `current`.

    Args:
        current: a network with the base's heads and one more.
        base: that it was adapted from.
        known: everything before the window.
        window: coded rows that are asked.
        domain: one that the base has a head for.
        start: when the window begins.
        k: places of the list.

    Raises:
        MethodError: `current` is no network, or the base has no head for `domain`.
    """
    scorer = current.scorer
    heads = [t for t, name in enumerate(base.tasks) if name.rpartition("/")[0] == domain]
    if not isinstance(scorer, NetworkScorer) or not heads:
        raise MethodError(f"{current.method} shares no head with {domain!r}; forgetting is measured of networks.")
    problem = problem_of(known, domain, (), None, None, 0)
    shop, exam = Shop.open(base, problem), exam_of(known, window, domain, start)
    quality = []
    for weights in (shop.newcomer().network.state_dict(), scorer.weights):
        target = shop.newcomer()
        target.network.load_state_dict(dict(weights))
        target.task = heads[0]
        made = recommender_for(problem, current.method, shop.scorer(target, "history"))
        quality.append(answered(made, exam, k))
    before, after = quality
    return Forgotten(domain, len(exam), float(np.mean(before)), float(np.mean(after)), interval(after - before))
