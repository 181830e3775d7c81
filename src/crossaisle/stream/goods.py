"""Goods: the items that were sent since the fit, and how often each was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..errors import ConfigError, CrossaisleError
from ..recommender import Recommender
from ..stores.kinds import Exposure, Item, Version
from ..stores.reading import each
from ..stores.store import Store
from .snapshot import Snapshot, learned_until


@dataclass(frozen=True)
class Placed:
    """What became of an item that was sent.

    Attributes:
        item_id: its id.
        recommendable: whether it can be in the next answer (if it is available).
        note: why not, in one sentence.
    """

    item_id: str
    recommendable: bool
    note: str | None = None


class Goods:
    """What snapshots are made with. Written to under the lock of `Live`.

    Args:
        store: where items and exposures are kept.
        domain: that is served.
    """

    def __init__(self, store: Store, domain: str) -> None:
        self._store, self._domain = store, domain
        self._sent: Mapping[str, Item] = self._there()
        self._shown = Counter(exposure.item_id for _, exposure in each(store.exposures))

    def snapshot(self, version: Version, shop: Recommender) -> Snapshot:
        """`version`, whose recommender is `shop`, with what was sent and shown.

        Raises:
            ConfigError: it recommends in another domain.
        """
        if shop.domain != self._domain:
            raise ConfigError(f"version {version.name!r} is for {shop.domain!r}, this service for {self._domain!r}.")
        extended, _ = with_new(shop, list(self._sent.values()))
        return Snapshot.of(version.name, learned_until(version, shop), extended, self._sent, self._shown)

    def changed(self) -> list[Item]:
        """Items that the store has and this does not, or has otherwise."""
        return [item for item in self._there().values() if self._sent.get(item.item_id) != item]

    def add(self, items: Sequence[Item]) -> None:
        """Know of `items`."""
        self._sent = {**self._sent, **self._own(items)}

    def with_items(self, made: Snapshot, items: Sequence[Item]) -> tuple[Snapshot, str | None]:
        """`made` as it is with `items`, and one sentence where new ones cannot be taken; nothing is kept."""
        own = self._own(items)
        shop, refusal = with_new(made.shop, list(own.values()))
        return Snapshot.of(made.version, made.last_event, shop, {**self._sent, **own}, self._shown), refusal

    def expose(self, exposures: Sequence[Exposure], snapshots: Sequence[Snapshot]) -> None:
        """Count what was shown, in `snapshots` too."""
        items = [e.item_id for e in exposures]
        self._shown.update(items)
        for made in snapshots:
            places = made.places(items)
            np.add.at(made.met, places[places >= 0], 1.0)

    def _own(self, items: Sequence[Item]) -> dict[str, Item]:
        return {i.item_id: i for i in items if i.domain == self._domain}

    def _there(self) -> dict[str, Item]:
        return {i.item_id: i for i in self._store.items(self._domain)}


def with_new(shop: Recommender, items: Sequence[Item]) -> tuple[Recommender, str | None]:
    """`shop` with those of `items` that it has no code of, and one sentence where it cannot take them."""
    new = [i for i in items if shop.item_ids.code(i.item_id) < 0]
    if not new:
        return shop, None
    try:
        return shop.with_items(frame_of(new)), None
    except CrossaisleError as error:
        return shop, str(error)


def frame_of(items: Sequence[Item]) -> pl.DataFrame:
    """Content as a table; a column whose values are of several kinds is text."""
    made = pl.DataFrame({"item_id": [i.item_id for i in items]})
    for name in dict.fromkeys(n for i in items for n in i.content if n != "item_id"):
        values = [i.content.get(name) for i in items]
        numbers = all(v is None or isinstance(v, (int, float)) for v in values)
        cells = [None if v is None else float(v) if numbers else str(v) for v in values]
        made = made.with_columns(pl.Series(name, cells, dtype=pl.Float64 if numbers else pl.String))
    return made


def placed(snapshot: Snapshot, item: Item, refusal: str | None) -> Placed:
    """What became of `item`."""
    shop = snapshot.shop
    if item.domain != shop.domain:
        return Placed(item.item_id, False, f"kept; this service recommends in {shop.domain!r}.")
    code = shop.item_ids.code(item.item_id)
    if code >= 0 and shop.ranker.places[code] >= 0:
        return Placed(item.item_id, True)
    return Placed(
        item.item_id, False, f"kept, and recommended after the next training: {refusal or 'known elsewhere.'}"
    )
