"""The person whose recommendations are explained: history, scores, and what they would be without a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..attribution import keeping
from ..recommender import Recommender
from ..types import Codes, Floats, History
from .domains import labels_of
from .explanation import Named


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

    def named(self, places: Codes) -> tuple[Named, ...]:
        """Ids and titles of the items at `places` of the catalogue."""
        return self.items(self.shop.catalogue[places])

    def items(self, codes: Codes) -> tuple[Named, ...]:
        """Ids and titles of the items `codes`; one by one, which is quicker than a query for a handful."""
        ids, shelf = self.shop.item_ids.ids, self.shop.items
        titles = shelf["title"] if "title" in shelf.columns else None
        return tuple(Named(ids[code], None if titles is None else titles[code]) for code in codes.tolist())

    def best(self, scores: Floats, k: int) -> Codes:
        """Places of the k best of `scores` (catalogue,) that the person does not have."""
        left = scores.copy()
        left[self.had] = -np.inf
        order = np.argsort(-left, kind="stable")[:k]
        kept: Codes = order[np.isfinite(left[order])]
        return kept

    def place(self, scores: Floats, item: int) -> int | None:
        """Rank from 1 of the item at place `item` among those that the person does not have; None for one they have."""
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
