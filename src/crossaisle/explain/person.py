"""The person whose recommendations are explained: history, scores, and what they would be without a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..attribution import keeping
from ..recommender import Recommender
from ..types import Codes, Floats, History
from .domains import labels_of


@dataclass(frozen=True, eq=False)
class Asking:
    """One person before a recommender.

    Attributes:
        shop: the recommender.
        history: of this person alone.
    """

    shop: Recommender
    history: History

    @cached_property
    def labels(self) -> list[str]:
        """Domain of each stored event, see `labels_of`."""
        return labels_of(self.shop, self.history.counts.indices.astype(np.int64))

    @cached_property
    def scores(self) -> Floats:
        """(catalogue,) scores."""
        return self._scores(self.history)

    @cached_property
    def had(self) -> Codes:
        """Places of the catalogue that the person has already."""
        places: Codes = self.shop.ranker.places[self.history.counts.indices]
        return places[places >= 0]

    def best(self, scores: Floats, k: int) -> Codes:
        """Places of the k best of `scores` (catalogue,) that the person does not have."""
        left = scores.copy()
        left[self.had] = -np.inf
        order = np.argsort(-left, kind="stable")[:k]
        kept: Codes = order[np.isfinite(left[order])]
        return kept

    def place(self, scores: Floats, item: int) -> int | None:
        """Rank of the item at place `item`, from 1, among those that the person does not have; None for one they have."""
        if item in self.had:
            return None
        return int((np.delete(scores, self.had) > scores[item]).sum()) + 1

    def without(self, label: str) -> Floats:
        """(catalogue,) scores without what the history holds of domain `label`."""
        kept = np.array([n for n, found in enumerate(self.labels) if found != label], dtype=np.int64)
        return self._scores(keeping(self.history, kept))

    def _scores(self, history: History) -> Floats:
        scores: Floats = self.shop.scorer.score(history)[0]
        return scores
