"""Live: the version that is served and what happened since it was fitted, so that it counts in the next answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..recommender import Recommender
from ..stores.kinds import Exposure, Item, Version
from ..stores.reading import erased_among
from ..stores.store import Store
from .forget import without_users
from .goods import Goods, Placed, placed
from .people import People
from .snapshot import Snapshot


class Live:
    """One recommender in service.

    Readers take `now`, or `of` a user while an experiment runs, which never change; writers replace them under a lock.
    What is written is on disk first and in memory then.

    Args:
        store: where events, items and exposures are kept.
        version: what is served.
        shop: its recommender.

    Attributes:
        people: their histories and what they do.
        goods: items that came since.
    """

    def __init__(self, store: Store, version: Version, shop: Recommender) -> None:
        self._store, self._lock = store, threading.RLock()
        self.goods = Goods(store, shop.domain)
        self._now = self._prepared(version, shop)
        self._beside: Mapping[str, Snapshot] = {}
        self._variant: Callable[[str], str] = lambda _user: self._now.version
        # Whoever was erased and came back is in no version, so that the store alone has what they did since.
        self.people = People(store, 0 if store.marks().erased else self._now.last_event)

    @property
    def now(self) -> Snapshot:
        """The snapshot that answers are made from; take it once for each answer."""
        return self._now

    def of(self, user: str) -> Snapshot:
        """The snapshot that `user` is answered from: `now`, or that of their variant while an experiment runs."""
        beside, variant = self._beside, self._variant
        return beside.get(variant(user), self._now) if beside else self._now

    def put_items(self, items: Sequence[Item]) -> list[Placed]:
        """Keep `items`; those of the served domain that are new are recommended from their content from now on."""
        self._store.put_items(items)
        refusal = self.take_in(items)
        now = self._now
        return [placed(now, item, refusal) for item in items]

    def take_in(self, items: Sequence[Item]) -> str | None:
        """Have `items`, which are in the store, in all snapshots; one sentence where new ones cannot be taken."""
        with self._lock:
            self.goods.add(items)
            now, refusal = self.goods.with_items(self._now, items)
            beside = {name: self.goods.with_items(made, items)[0] for name, made in self._beside.items()}
            self._now, self._beside = warmed(now), {name: warmed(made) for name, made in beside.items()}
        return refusal

    def expose(self, exposures: Sequence[Exposure]) -> None:
        """Keep what was shown."""
        self._store.add_exposures(exposures)
        with self._lock:
            self.goods.expose(exposures, [self._now, *self._beside.values()])

    def serve(self, version: Version, shop: Recommender, commit: Callable[[], object]) -> None:
        """Answer from `version` from now on; events and items are kept.

        Args:
            version: what is served.
            shop: its recommender.
            commit: makes the change last, called when all is ready; where it raises, nothing changes.

        Raises:
            ConfigError: it recommends in another domain.
        """
        with self._lock:
            now = self._prepared(version, shop)
            self.people.remember(now.last_event)
            commit()
            self._now = now

    def try_out(
        self,
        shops: Sequence[tuple[Version, Recommender]] = (),
        variant: Callable[[str], str] = str,
        commit: Callable[[], object] = lambda: None,
    ) -> None:
        """Answer each user from the version that `variant` says from now on; one that is not in `shops` is `now`.

        Args:
            shops: versions and their recommenders; without any, everybody is answered from `now` again.
            variant: user → name of a version.
            commit: as in `serve`.

        Raises:
            ConfigError: one recommends in another domain.
        """
        with self._lock:
            made = {version.name: self._prepared(version, shop) for version, shop in shops}
            for snapshot in made.values():
                self.people.remember(snapshot.last_event)
            commit()
            self._variant, self._beside = variant, made

    def forget(self, user: str) -> None:
        """Nothing of `user` is known from now on; the store is asked elsewhere."""
        self.people.forget(user)
        with self._lock:
            self._change(lambda made: _without(made, [user]))

    def forget_erased(self) -> None:
        """Nothing is known from now on of whoever the store has erased, but for what came since."""
        with self._lock:
            self._change(lambda made: _without(made, erased_among(self._store, made.shop.user_ids.ids)))
        self.people.forget_erased()

    def _change(self, change: Callable[[Snapshot], Snapshot]) -> None:
        self._now = change(self._now)
        self._beside = {name: change(made) for name, made in self._beside.items()}

    def _prepared(self, version: Version, shop: Recommender) -> Snapshot:
        return warmed(self.goods.snapshot(version, shop))


def warmed(made: Snapshot) -> Snapshot:
    """`made`, in which what is built at the first look is built now, and not while a request waits."""
    made.shop.user_ids.code("")
    made.places([""])
    made.shop.ranker.tastes(made.session([]))
    return made


def _without(made: Snapshot, users: Sequence[str]) -> Snapshot:
    return warmed(replace(made, shop=without_users(made.shop, users)))
