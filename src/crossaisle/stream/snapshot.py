"""Snapshot: one version of a recommender with the items of today, never changed; a change makes another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..recommender import Recommender
from ..stores.kinds import Item, Version
from ..types import Basis, Codes, Floats, History, Vectors, session_of
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
        return cls(version, shop, Shelf.of(shop, sent), last_event, met[shop.catalogue])

    @property
    def basis(self) -> Basis:
        """What personal answers rest on."""
        word: Basis = getattr(self.shop.scorer, "basis", "history")
        return word

    @cached_property
    def nobody(self) -> Floats:
        """The user vector (d,) of somebody unknown, or their scores where the scorer has no vectors."""
        history = session_of([], len(self.shop.item_ids))
        scorer = self.shop.scorer
        found: Floats = (scorer.user_vectors(history) if isinstance(scorer, Vectors) else scorer.score(history))[0]
        return found

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


def scored(snapshot: Snapshot, history: History) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(n, catalogue) scores that may be written to, and (n,) whether they differ from those of somebody unknown.

    Scorers with vectors are multiplied by torch, which is up to five times faster than NumPy for 2 to 16 users.
    """
    scorer, some = snapshot.shop.scorer, np.diff(history.counts.indptr) > 0
    if not isinstance(scorer, Vectors):
        scores = np.array(scorer.score(history), dtype=np.float32)
        return scores, some & (scores != snapshot.nobody).any(axis=1)
    users = np.ascontiguousarray(scorer.user_vectors(history), dtype=np.float32)
    return product(users, scorer.item_vectors), some & (users != snapshot.nobody).any(axis=1)


def product(users: Floats, items: Floats) -> Floats:
    """(n, d) · (m, d)ᵀ → (n, m)."""
    import torch

    if len(users) == 1:
        return users @ items.T
    made: Floats = (torch.from_numpy(users) @ torch.from_numpy(items).T).numpy()
    return made
