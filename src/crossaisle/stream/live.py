"""Live: the version that is served and what happened since it was fitted, so that it counts in the next answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ..errors import ConfigError, CrossaisleError
from ..recommender import Recommender
from ..stores.kinds import Event, Exposure, Item, Version
from ..stores.reading import each
from ..stores.store import Store
from ..types import History
from .diary import Diary, grown, now_utc
from .forget import without_users
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


class Live:
    """One recommender in service.

    Readers take `now`, or `of` a user while an experiment runs, which never change, and `history`; writers replace them
    under a lock. What is written is on disk first and in memory then.

    Args:
        store: where events, items and exposures are kept.
        version: what is served.
        shop: its recommender.
    """

    def __init__(self, store: Store, version: Version, shop: Recommender) -> None:
        self._store, self._lock = store, threading.RLock()
        self._sent: Mapping[str, Item] = {i.item_id: i for i in store.items(shop.domain)}
        self._shown = shown_in(store)
        self._now = self._prepared(version, shop)
        self._beside: Mapping[str, Snapshot] = {}
        self._variant: Callable[[str], str] = lambda _user: self._now.version
        self._diary = Diary(self._now.last_event)
        self.catch_up()

    @property
    def now(self) -> Snapshot:
        """The snapshot that answers are made from; take it once for each answer."""
        return self._now

    def of(self, user: str) -> Snapshot:
        """The snapshot that `user` is answered from: `now`, or that of their variant while an experiment runs."""
        beside, variant = self._beside, self._variant
        return beside.get(variant(user), self._now) if beside else self._now

    def history(self, user: str, snapshot: Snapshot) -> History:
        """Everything that is known of `user`: what `snapshot` knows and what they did since."""
        shop = snapshot.shop
        code = shop.user_ids.code(user)
        row = shop.history.of(code)
        # Whoever the artifact does not know has no event in it, whenever it came.
        fresh = self._diary.of(user, snapshot.last_event if code >= 0 else 0)
        return grown(row, fresh, shop.item_ids, now_utc().timestamp())

    def knows(self, user: str, snapshot: Snapshot) -> bool:
        """Whether anything is known of `user`."""
        return snapshot.shop.user_ids.code(user) >= 0 or bool(self._diary.of(user))

    def newcomers(self, snapshot: Snapshot) -> int:
        """How many people did something of whom the version knows nothing."""
        return int((snapshot.shop.user_ids.encode(self._diary.people()) < 0).sum())

    def record(self, events: Sequence[Event]) -> int:
        """Keep `events`; they count in the next answer. Returns how many were new."""
        new = self._store.add_events(events)
        self.catch_up()
        return new

    def catch_up(self) -> None:
        """Take in the events that the store has and this does not."""
        with self._lock:
            self._read(self._diary)

    def catch_up_items(self) -> None:
        """Take in the items that the store has and this does not, or has otherwise."""
        with self._lock:
            there = {i.item_id: i for i in self._store.items(self._now.shop.domain)}
            self._take_in({name: item for name, item in there.items() if self._sent.get(name) != item})

    def put_items(self, items: Sequence[Item]) -> list[Placed]:
        """Keep `items`; those of the served domain that are new are recommended from their content from now on."""
        self._store.put_items(items)
        with self._lock:
            refusal = self._take_in(self._own(items))
            return [placed(self._now, item, refusal) for item in items]

    def with_items(self, made: Snapshot, items: Sequence[Item]) -> tuple[Snapshot, str | None]:
        """`made` as it would be if `items` had been put, and one sentence where new ones cannot be taken.

        Nothing is kept.
        """
        return self._with_items(made, self._own(items))

    def _take_in(self, own: Mapping[str, Item]) -> str | None:
        """Have `own` items in all snapshots, and one sentence where new ones cannot be taken."""
        self._sent = {**self._sent, **own}
        self._now, refusal = self._with_items(self._now, own)
        self._beside = {name: self._with_items(made, own)[0] for name, made in self._beside.items()}
        return refusal

    def _own(self, items: Sequence[Item]) -> dict[str, Item]:
        return {i.item_id: i for i in items if i.domain == self._now.shop.domain}

    def expose(self, exposures: Sequence[Exposure]) -> None:
        """Keep what was shown."""
        self._store.add_exposures(exposures)
        with self._lock:
            items = [e.item_id for e in exposures]
            self._shown.update(items)
            for made in (self._now, *self._beside.values()):
                places = made.places(items)
                np.add.at(made.met, places[places >= 0], 1.0)

    def serve(self, version: Version, shop: Recommender, commit: Callable[[], object]) -> None:
        """Answer from `version` from now on; events and items are kept.

        Args:
            version: what is served.
            shop: its recommender.
            commit: makes the change last, called when all is ready; where it raises, nothing changes.

        Raises:
            ConfigError: it recommends in another domain.
        """
        self._check_domain(version, shop)
        with self._lock:
            now = self._prepared(version, shop)
            commit()
            self._remember(now.last_event)
            self._now = now

    def try_out(
        self,
        shops: Sequence[tuple[Version, Recommender]],
        variant: Callable[[str], str],
        commit: Callable[[], object] = lambda: None,
    ) -> None:
        """Answer each user from the version that `variant` says from now on; one that is not in `shops` is `now`.

        Args:
            shops: versions and their recommenders.
            variant: user → name of a version.
            commit: as in `serve`.

        Raises:
            ConfigError: one recommends in another domain.
        """
        for version, shop in shops:
            self._check_domain(version, shop)
        with self._lock:
            made = {version.name: self._prepared(version, shop) for version, shop in shops}
            commit()
            for snapshot in made.values():
                self._remember(snapshot.last_event)
            self._variant, self._beside = variant, made

    def try_no_more(self) -> None:
        """Answer everybody from `now` again."""
        with self._lock:
            self._beside = {}

    def forget(self, user: str) -> None:
        """Nothing of `user` is known from now on; the store is asked elsewhere."""
        with self._lock:
            self._diary.forget(user)
            self._now = _without(self._now, [user])
            self._beside = {name: _without(made, [user]) for name, made in self._beside.items()}

    def forget_erased(self) -> None:
        """Nothing is known from now on of whoever the store has erased, but for what came since."""
        with self._lock:
            for made in (self._now, *self._beside.values()):
                users = made.shop.user_ids.ids.to_list()
                gone = [u for u, erased in zip(users, self._store.is_erased(users), strict=True) if erased]
                self._now = _without(self._now, gone)
                self._beside = {name: _without(one, gone) for name, one in self._beside.items()}
            fresh = Diary(self._diary.after)
            self._read(fresh)
            self._diary = fresh

    def _check_domain(self, version: Version, shop: Recommender) -> None:
        domain = self._now.shop.domain
        if shop.domain != domain:
            raise ConfigError(f"version {version.name!r} is for {shop.domain!r}, this service for {domain!r}.")

    def _with_items(self, made: Snapshot, items: Mapping[str, Item]) -> tuple[Snapshot, str | None]:
        shop, refusal = with_new(made.shop, list(items.values()))
        sent = {**self._sent, **items}
        return Snapshot.of(made.version, made.last_event, shop, sent, self._shown), refusal

    def _prepared(self, version: Version, shop: Recommender) -> Snapshot:
        extended, _ = with_new(shop, list(self._sent.values()))
        made = Snapshot.of(version.name, learned_until(version, shop), extended, self._sent, self._shown)
        made.shop.user_ids.code("")  # what is built at the first look is built now, not for the first request
        made.shop.ranker.tastes(made.session([]))
        return made

    def _remember(self, last_event: int) -> None:
        """Have the events after number `last_event` in the diary."""
        if last_event < self._diary.after:
            earlier = Diary(last_event)
            self._read(earlier)
            self._diary = earlier

    def _read(self, diary: Diary) -> None:
        diary.add(each(self._store.events, diary.last))


def _without(made: Snapshot, users: Sequence[str]) -> Snapshot:
    return replace(made, shop=without_users(made.shop, users))


def shown_in(store: Store) -> Counter[str]:
    """Item → how often it was shown."""
    return Counter(exposure.item_id for _, exposure in each(store.exposures))


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
