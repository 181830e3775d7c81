"""Tryout: one person of the playground, known or invented, and what they did there. Nothing of it is ever kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.shelf import titled
from ..explain import Explanation
from ..explain.domains import labels_of
from ..serve.recommend import Made, explained, listed
from ..serve.schemas import FilterFields
from ..serve.service import Service
from ..stores.kinds import Item
from ..stream.diary import Met, grown, now_utc
from ..stream.snapshot import Snapshot
from ..types import Basis, History

LIST = 10
_LONG = 1_000
"""Places that are remembered, to say how far an item moved."""
NEW = "playground: the new product"
"""Id of the product that does not exist yet."""


@dataclass(frozen=True)
class Found:
    """One answer to a search.

    Attributes:
        id: of a user or an item.
        words: what people call it.
        more: what tells it from others.
    """

    id: str
    words: str
    more: str = ""


@dataclass(frozen=True)
class Row:
    """One place of the list.

    Attributes:
        place: from 1.
        item: id and title.
        category: None where unknown.
        price: None where unknown.
        score: of the method.
        moved: places won since the list before; None where there was none, or the item was not in it.
        fresh: the item was not in the list before.
        why: all that speaks for it.
    """

    place: int
    item: Found
    category: str | None
    price: float | None
    score: float
    moved: int | None
    fresh: bool
    why: Explanation


@dataclass(frozen=True)
class Shown:
    """The list of a person, and what is known of them.

    Attributes:
        basis: what the list rests on.
        known: whether anything is known of the person.
        rows: the list.
        had: domain → items of the history.
        places: item → its place, as far as places are remembered.
        new: where the product that does not exist yet would come; None without one, or where the method cannot say.
        refusal: why it cannot, in one sentence.
    """

    basis: Basis
    known: bool
    rows: tuple[Row, ...]
    had: Mapping[str, int]
    places: Mapping[str, int]
    new: Explanation | None = None
    refusal: str | None = None


@dataclass
class Tryout:
    """What is tried; a page has one, in memory alone.

    Attributes:
        user: id; None for an invented person.
        met: items that the person met here, in order.
        new: a product that does not exist yet.
    """

    user: str | None = None
    met: list[str] = field(default_factory=list)
    new: Item | None = None
    _before: Mapping[str, int] = field(default_factory=dict)

    def begin(self, user: str | None, met: Sequence[str] = ()) -> None:
        """Try somebody else."""
        self.user, self.met, self._before = user, list(met), {}

    async def answer(self, service: Service) -> Shown:
        """The list now, by the service's own functions, and what moved since the one that was `seen` last."""
        live, new, refusal = service.live, self.new, None
        snapshot = live.now if self.user is None else live.of(self.user)
        if new is not None:
            snapshot, refusal = await asyncio.to_thread(live.goods.with_items, snapshot, [new])
        history = self._history(service, snapshot)
        known = bool(history.counts.nnz) or (self.user is not None and live.people.knows(self.user, snapshot))
        made = await listed(service, snapshot, history, FilterFields.model_validate({"k": _LONG}))
        names = snapshot.shop.item_ids.decode(snapshot.shop.catalogue[made.places])
        asked = names[:LIST] + ([NEW] if new is not None and refusal is None else [])
        whys = await explained(snapshot, history, self.user or "", known, asked)
        rows = tuple(self._row(snapshot, made, n, why) for n, why in enumerate(whys[: len(names[:LIST])]))
        had = Counter(labels_of(snapshot.shop, history.counts.indices.astype(np.int64)))
        placed = whys[-1] if len(asked) > len(rows) else None
        places = {name: n for n, name in enumerate(names, 1)}
        return Shown(made.basis, known, rows, dict(had.most_common()), places, placed, refusal)

    def seen(self, shown: Shown) -> None:
        """Compare the next answer with this one."""
        self._before = shown.places

    def _row(self, snapshot: Snapshot, made: Made, n: int, why: Explanation) -> Row:
        place = int(made.places[n])
        (about,), category = snapshot.shelf.about(snapshot.shop, made.places[n : n + 1]), snapshot.shelf.category(place)
        name, before = about["item_id"], self._before.get(about["item_id"])
        return Row(
            place=n + 1,
            item=Found(name, about["title"] or name, name),
            category=category,
            price=about["price"],
            score=float(made.scores[n]),
            moved=None if before is None else before - n - 1,
            fresh=bool(self._before) and before is None,
            why=why,
        )

    def _history(self, service: Service, snapshot: Snapshot) -> History:
        """As the service would know it, had the events of this page been sent to it."""
        row = service.live.people.history(self.user, snapshot) if self.user is not None else snapshot.session([])
        now = now_utc().timestamp()
        return grown(row, [Met(0, item, now) for item in self.met], snapshot.shop.item_ids, now)


def people(service: Service, text: str, most: int = 8) -> list[Found]:
    """Users of the artifact whose id begins with `text`."""
    ids = service.live.now.shop.user_ids.ids
    return [Found(u, u) for u in ids.filter(ids.str.starts_with(text)).head(most).to_list()]


def suggested(service: Service) -> list[Found]:
    """A few users: those who have most, a usual and a small number of items."""
    shop = service.live.now.shop
    sizes = np.diff(shop.history.counts.indptr)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    if not len(order):
        return []
    picked = dict.fromkeys(int(order[int(share * (len(order) - 1))]) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    return [Found(shop.user_ids.ids[u], shop.user_ids.ids[u], _count(int(sizes[u]))) for u in picked]


def _count(items: int) -> str:
    return f"{items:,} item" + ("" if items == 1 else "s")


def products(service: Service, text: str, most: int = 8) -> list[Found]:
    """Items of all domains whose title has `text` in it, whatever the case, or whose id begins with it."""
    shop = service.live.now.shop
    ids = shop.item_ids.ids
    hit = ids.str.starts_with(text)
    if "title" in shop.items.columns:
        hit |= shop.items["title"].str.to_lowercase().str.contains(text.lower(), literal=True).fill_null(False)
    return named(service, ids.filter(hit).head(most).to_list())


def named(service: Service, items: Sequence[str]) -> list[Found]:
    """Titles and domains of `items`; unknown ids are passed over."""
    shop = service.live.now.shop
    codes = shop.item_ids.encode(list(items))
    codes = codes[codes >= 0]
    rows = titled(shop.item_ids, shop.items, codes).rows()
    return [
        Found(item, title or item, f"{domain} · {item}")
        for (item, title), domain in zip(rows, labels_of(shop, codes), strict=True)
    ]


def categories(service: Service, most: int = 300) -> list[str]:
    """Categories of the shelf, by name."""
    return sorted(service.live.now.shelf.names)[:most]
