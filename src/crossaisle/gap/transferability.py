"""What the heads of a Base already tell about the target: LogME, H-score and LEEP of each source's head.

The rows are pairs of a user and an item of the target: half of them visible purchases, half drawn from what the same
user does not have. Features are the product user ∘ item of the source's head, with the user as seen from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from ..data.split import Split
from ..models.base import SHARED, Base
from ..models.network import Network
from ..transfer.network import Shop, Target
from ..transfer.problem import Problem
from ..types import Codes, Floats
from .scores import h_score, leep, log_me
from .sides import LEAST, Ground, Side
from .words import NONE, Doubles, Found, affinity, spread, upper

PAIRS, DRAWS, BINS = 1000, 20, 10
NAMES = ("log_me", "h_score", "leep")


@dataclass(frozen=True, eq=False)
class Asked:
    """Pairs of one target.

    Attributes:
        shop: the base's network over the target.
        network: its weights.
        people: (n,) user codes.
        places: (n,) places in the catalogue.
        bought: (n,) 1 where the pair is a purchase, else 0.
    """

    shop: Shop
    network: Network
    people: Codes
    places: Codes
    bought: Codes

    @classmethod
    def of(cls, ground: Ground, base: Base, target: Side) -> Asked | None:
        """Draw them; None where the target has fewer than 30 visible pairs."""
        pairs = target.rows.select("user", "item").unique().sort("user", "item").to_numpy().astype(np.int64)
        if len(pairs) < LEAST or len(target.catalogue) < 2:
            return None
        draw = ground.draw("pairs", target.name)
        kept = pairs[np.sort(draw.choice(len(pairs), min(PAIRS, len(pairs)), replace=False))]
        others = draw.choice(target.catalogue, len(kept))
        held = np.isin(kept[:, 0] << 32 | others, pairs[:, 0] << 32 | pairs[:, 1])
        people = np.concatenate([kept[:, 0], kept[~held, 0]])
        places = np.searchsorted(target.catalogue, np.concatenate([kept[:, 1], others[~held]]))
        bought = np.r_[np.ones(len(kept), np.int64), np.zeros(int((~held).sum()), np.int64)]
        elsewhere = ground.rows.filter(~pl.col("domain").is_in(target.codes))
        none = elsewhere.clear()
        split = Split(elsewhere, none, none, none, "all")
        sources = tuple(d for d in ground.world.domains.ids.to_list() if d != target.name)
        shop = Shop.open(base, Problem(ground.world, target.name, sources, split, target.catalogue, ground.seed))
        return cls(shop, base.network(), people, places, bought)

    def features(self, task: int) -> Floats:
        """(n, d + 1) user ∘ item by the head `task`, bias last; rows add up to the head's scores."""
        scorer = self.shop.scorer(Target(self.network, len(self.shop.problem.catalogue), task), "content")
        users, place = np.unique(self.people, return_inverse=True)
        vectors = scorer.user_vectors(self.shop.problem.history_for(users))
        made: Floats = vectors[place] * scorer.item_vectors[self.places]
        return made


def transferability(ground: Ground, base: Base, source: Side, target: Side, sources: Sequence[str]) -> list[Found]:
    """``log_me``, ``h_score`` and ``leep`` of the source's head; of the shared head for all sources together.

    Close: at least what the shared head gives. Unrelated: no more than labels at random give. Empty where the base has
    no head for the source.
    """
    task = task_of(base, source, sources)
    if task is None:
        return []
    asked = ground.once(("asked", target.name), lambda: Asked.of(ground, base, target))
    if asked is None:
        return [affinity(Found(n), NONE, NONE, False) for n in NAMES]
    found, all_of = (
        ground.once(("head", target.name, t), partial(_scores, ground, asked, t, target.name)) for t in (task, 0)
    )
    return [affinity(f, a.value, f.null or 0.0) for f, a in zip(found, all_of, strict=True)]


def task_of(base: Base, source: Side, sources: Sequence[str]) -> int | None:
    """Number of the base's head for a domain (its first event), or of the shared head for several."""
    if source.name not in sources:
        return base.tasks.index(SHARED)
    return next((n for n, t in enumerate(base.tasks) if t.rpartition("/")[0] == source.name), None)


def _scores(ground: Ground, asked: Asked, task: int, name: str) -> list[Found]:
    features, labels = asked.features(task).astype(np.float64), asked.bought
    draw, n = ground.draw("scores", name, str(task)), len(labels)
    again = np.array([_of(features[rows], labels[rows]) for rows in draw.integers(0, n, (DRAWS, n))])
    mixed = np.array([_of(features, draw.permutation(labels)) for _ in range(DRAWS)])
    values = _of(features, labels)
    made = [spread(name, v, a) for name, v, a in zip(NAMES, values, again.T, strict=True)]
    return [Found(f.name, f.value, f.low, f.high, upper(m)) for f, m in zip(made, mixed.T, strict=True)]


def _of(features: Doubles, labels: Codes) -> tuple[float, float, float]:
    """The three scores; the classes of LEEP are tenths of the pairs by the head's score."""
    scores = features.sum(axis=1)
    tenth = np.searchsorted(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]), scores)
    spread_out = features.std(axis=0)
    even = (features - features.mean(axis=0)) / np.where(spread_out > 1e-9, spread_out, 1.0)
    return log_me(even, labels - labels.mean()), h_score(even, labels), leep(np.eye(BINS)[tenth], labels)
