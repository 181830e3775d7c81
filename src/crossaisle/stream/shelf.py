"""Shelf: what is known of the items of a catalogue now: whether they are there, their price and their category."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ..index import Mask
from ..recommender import Recommender
from ..stores.kinds import Item
from ..types import Codes

_PART = 10_000
"""Values that are Python objects at once."""


@dataclass(frozen=True)
class Filters:
    """What a list may hold; everything where nothing is said.

    Attributes:
        available: only these item ids.
        min_price: only items whose price is known and at least this.
        max_price: only items whose price is known and at most this.
        categories: only items of one of these categories.
    """

    available: Sequence[str] | None = None
    min_price: float | None = None
    max_price: float | None = None
    categories: Collection[str] | None = None


@dataclass(frozen=True, eq=False)
class Shelf:
    """Columns over the n places of a catalogue.

    Attributes:
        present: (n,) may be recommended; None where all may.
        prices: (n,) NaN where unknown.
        categories: (n,) number of the category, −1 where unknown.
        names: category → number.
        said: content of the items that were sent since the fit.
    """

    present: Mask | None
    prices: npt.NDArray[np.float64]
    categories: Codes
    names: Mapping[str, int]
    said: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: Recommender, sent: Mapping[str, Item]) -> Shelf:
        """The shelf of `shop`, with what was `sent` of its items since it was fitted."""
        n = len(shop.catalogue)
        prices = np.fromiter(column(shop, "price", pl.Float64, float("nan")), dtype=np.float64, count=n)
        names: dict[str, int] = {}
        found = column(shop, "category", pl.String, None)
        numbers = (-1 if name is None else names.setdefault(name, len(names)) for name in found)
        categories = np.fromiter(numbers, dtype=np.int64, count=n)
        present = np.ones(n, dtype=np.bool_)
        places = shop.ranker.places
        for item in sent.values():
            code = shop.item_ids.code(item.item_id)
            place = -1 if code < 0 else int(places[code])
            if place < 0:
                continue
            present[place] = item.available
            price, category = item.content.get("price"), item.content.get("category")
            if price is not None:
                prices[place] = price
            if category is not None:
                categories[place] = names.setdefault(category, len(names))
        said = {name: item.content for name, item in sent.items()}
        return cls(None if present.all() else present, prices, categories, names, said)

    def allowed(self, shop: Recommender, filters: Filters) -> Mask | None:
        """(n,) which places `filters` leave; None where they leave all."""
        masks = [] if self.present is None else [self.present]
        if filters.available is not None:
            masks.append(np.zeros(len(self.prices), dtype=np.bool_))
            codes = shop.item_ids.encode(filters.available)
            places = shop.ranker.places[codes[codes >= 0]]
            masks[-1][places[places >= 0]] = True
        with np.errstate(invalid="ignore"):  # NaN, an unknown price, is within no bounds
            if filters.min_price is not None:
                masks.append(self.prices >= filters.min_price)
            if filters.max_price is not None:
                masks.append(self.prices <= filters.max_price)
        if filters.categories is not None:
            masks.append(np.isin(self.categories, [self.names[c] for c in filters.categories if c in self.names]))
        return np.logical_and.reduce(masks) if masks else None

    def about(self, shop: Recommender, places: Codes) -> list[dict[str, Any]]:
        """``item_id``, ``title`` and ``price`` of each of `places`."""
        codes = shop.catalogue[places].tolist()
        ids, titled = shop.item_ids.ids, shop.items.get_column("title", default=None)
        names = [ids[code] for code in codes]  # one by one: `gather` of ten takes ten times as long
        titles = [None if titled is None else titled[code] for code in codes]
        told = zip(names, titles, self.prices[places].tolist(), strict=True)
        return [
            {
                "item_id": name,
                "title": self.said.get(name, {}).get("title", title),
                "price": None if isnan(price) else price,
            }
            for name, title, price in told
        ]

    def category(self, place: int) -> str | None:
        """The category of one place."""
        number = int(self.categories[place])
        return None if number < 0 else list(self.names)[number]


def column(shop: Recommender, name: str, kind: type[pl.DataType], unknown: Any) -> Iterator[Any]:
    """Column `name` of the shelf of `shop` over its catalogue, value by value; `unknown` where it is not known."""
    if name not in shop.items.columns:
        yield from [unknown] * len(shop.catalogue)
        return
    for start in range(0, len(shop.catalogue), _PART):
        part = shop.items[name].gather(shop.catalogue[start : start + _PART]).cast(kind)
        yield from (unknown if value is None else value for value in part.to_list())
