"""Snapshot: one version of a recommender with the items of today, never changed; a change makes another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..recommender import Recommender
from ..screen import ScreenedIndex
from ..stores.kinds import Item, Version
from ..types import Basis, Codes, History, Vectors, session_of
from .shelf import Shelf

LAST_EVENT = "last_event"
"""Fact of a version or a recommender: arrival number of the last event of the store that it learned from."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What answers are made from.

    Attributes:
        version: name of the version.
        shop: its recommender, with the new items.
        shelf: prices, categories and who is there.
        last_event: arrival number of the last event that the version learned from.
        met: (catalogue,) how often people met each item in the artifact, and were shown it; the one thing that grows.
    """

    version: str
    shop: Recommender
    shelf: Shelf
    last_event: int
    met: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls,
        version: str,
        last_event: int,
        shop: Recommender,
        sent: Mapping[str, Item],
        shown: Mapping[str, int],
    ) -> Snapshot:
        """The snapshot of `version`, whose recommender `shop` has learned of the items that were `sent`.

        Args:
            version: its name.
            last_event: arrival number of the last event that it learned from.
            shop: its recommender.
            sent: item → what was sent of it.
            shown: item → how often it was shown.
        """
        met = np.asarray(shop.history.counts.sum(axis=0), dtype=np.float64).ravel()
        codes = shop.item_ids.encode(list(shown))
        met[codes[codes >= 0]] += np.array(list(shown.values()), dtype=np.float64)[codes >= 0]
        shop = screened(shop)
        return cls(version, shop, Shelf.of(shop, sent), last_event, met[shop.catalogue])

    @property
    def basis(self) -> Basis:
        """What personal answers rest on."""
        word: Basis = getattr(self.shop.scorer, "basis", "history")
        return word

    def session(self, items: Sequence[str]) -> History:
        """Of somebody of whom only these items are known; unknown ids are passed over."""
        return session_of(self.shop.item_ids.encode(list(items)), len(self.shop.item_ids))

    def places(self, items: Sequence[str]) -> Codes:
        """Places in the catalogue of item ids; −1 outside it."""
        found: Codes = np.append(self.shop.ranker.places, -1)[self.shop.item_ids.encode(list(items))]
        return found


def learned_until(version: Version, shop: Recommender) -> int:
    """Arrival number of the last event that was learned from; 0 for an artifact that was fitted from files."""
    return int(version.facts.get(LAST_EVENT, shop.facts.get(LAST_EVENT, 0)))


def screened(shop: Recommender) -> Recommender:
    """`shop`, whose lists for one person at a time come from a `ScreenedIndex` where its scorer has vectors."""
    if shop.index is not None or not isinstance(shop.scorer, Vectors):
        return shop
    return replace(shop, index=ScreenedIndex(shop.scorer.item_vectors))
