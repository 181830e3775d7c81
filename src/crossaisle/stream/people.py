"""People: what each person did since the artifact was fitted, and with it their whole history."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..stores.kinds import Event
from ..stores.reading import each
from ..stores.store import Store
from ..types import History
from .diary import Diary, grown, now_utc
from .snapshot import Snapshot


class People:
    """Readers need no lock; what is written is on disk first and in memory then.

    Args:
        store: where events are kept.
        after: number of the last event that the served version learned from.
    """

    def __init__(self, store: Store, after: int) -> None:
        self._store, self._lock = store, threading.Lock()
        self._diary = Diary(after)
        self.catch_up()

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
            self._diary.add(each(self._store.events, self._diary.last))

    def remember(self, after: int) -> None:
        """Know all events after number `after`."""
        if after < self._diary.after:
            self._renew(after)

    def forget(self, user: str) -> None:
        """Nothing that `user` did is known."""
        with self._lock:
            self._diary.forget(user)

    def forget_erased(self) -> None:
        """What the store has erased is not known any more."""
        self._renew(self._diary.after)

    def _renew(self, after: int) -> None:
        fresh = Diary(after)
        fresh.add(each(self._store.events, after))  # which may take long; what is sent meanwhile is taken in meanwhile
        with self._lock:
            fresh.add(each(self._store.events, fresh.last))
            self._diary = fresh
