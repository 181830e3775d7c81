"""Attention: what comes of the lists, for those who watch: which of the items that were shown are clicked or bought."""

from __future__ import annotations

import threading
from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence

from ..stores.kinds import Event
from ..stores.reading import erased_among
from ..stores.store import Store

MOST = 10_000
"""People whose last list is remembered."""
KINDS = {"click": "clicked", "purchase": "bought"}
"""Kind of event → what an item of a list is by it."""


class Attention:
    """The last list of each of the last people, in memory alone; may be written to by several threads.

    Of a list the hashes of its items are kept, those that were clicked and bought after them: some hundred bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: OrderedDict[str, array[int]] = OrderedDict()

    def show(self, user: str, items: Sequence[str]) -> None:
        """`user` sees `items` from now on."""
        with self._lock:
            self._last[user] = array("q", map(hash, items))
            self._last.move_to_end(user)
            if len(self._last) > MOST:
                self._last.popitem(last=False)

    def meet(self, events: Iterable[Event]) -> Counter[str]:
        """How many items of their last lists people ``clicked`` and ``bought``, each item of a list once."""
        found: Counter[str] = Counter()
        with self._lock:
            for event in events:
                done, seen = KINDS.get(event.event), self._last.get(event.user_id)
                if done is None or seen is None or hash(event.item_id) not in seen:
                    continue
                mark = hash((done, event.item_id))
                if mark not in seen:
                    seen.append(mark)
                    found[done] += 1
        return found

    def forget(self, user: str) -> None:
        """Nothing is remembered of `user`."""
        with self._lock:
            self._last.pop(user, None)

    def forget_erased(self, store: Store) -> None:
        """Nothing is remembered of whoever `store` has erased."""
        with self._lock:
            users = list(self._last)
        for user in erased_among(store, users):
            self.forget(user)
