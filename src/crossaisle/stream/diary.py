"""Diary: what each person did since the artifact was fitted, in memory, in the order it came."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..data.vocab import Vocab
from ..stores.kinds import Event
from ..types import History

_DAY = 86_400.0


class Met(NamedTuple):
    """One event of a person.

    Attributes:
        number: place in the store's order of arrival.
        item_id: what was met.
        seconds: when, since 1970 UTC.
    """

    number: int
    item_id: str
    seconds: float


class Diary:
    """User → their events. A user's list only ever grows at its end, and readers take a copy, so they need no lock.

    Args:
        after: arrival number before the first event that is kept.
    """

    def __init__(self, after: int = 0) -> None:
        self.after = after
        self.last = after
        self._of: dict[str, list[Met]] = {}

    def add(self, numbered: Iterable[tuple[int, Event]]) -> None:
        """Take in `numbered` events, in the order they came; those that are in already are passed over."""
        for number, event in numbered:
            if number > self.last:
                met = Met(number, event.item_id, event.timestamp.replace(tzinfo=UTC).timestamp())
                self._of.setdefault(event.user_id, []).append(met)
                self.last = number

    def of(self, user_id: str, after: int = 0) -> list[Met]:
        """Events of a user that came after number `after`."""
        found = self._of.get(user_id, [])
        return found[bisect_right(found, after, key=attrgetter("number")) :]

    def people(self) -> list[str]:
        """Who did anything."""
        return list(self._of)

    def forget(self, user_id: str) -> None:
        """Nothing is kept of this user."""
        self._of.pop(user_id, None)


def now_utc() -> datetime:
    """The time, naive UTC, as stores keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def grown(row: History, fresh: Sequence[Met], ids: Vocab, now: float) -> History:
    """The history of one user with what they did since.

    Args:
        row: of one user, over the item codes of `ids`.
        fresh: their new events; items that are not in `ids` are passed over.
        ids: vocabulary of item codes.
        now: seconds since 1970; a new event's age is counted from here, an old one's stays as the artifact has it.
    """
    if not fresh:
        return row
    codes = ids.encode([m.item_id for m in fresh])
    ages = np.maximum(0.0, (now - np.array([m.seconds for m in fresh])) / _DAY).astype(np.float32)
    known = codes >= 0
    met, place = np.unique(np.concatenate([row.counts.indices, codes[known]]), return_inverse=True)
    times = np.concatenate([row.counts.data, np.ones(np.count_nonzero(known))])
    youngest = np.full(len(met), np.inf, dtype=np.float32)
    np.minimum.at(youngest, place, np.concatenate([row.ages, ages[known]]))
    counts = np.bincount(place, weights=times, minlength=len(met)).astype(np.float32)
    return History(sp.csr_matrix((counts, met, [0, len(met)]), shape=(1, len(ids))), youngest, row.users)


def stacked(rows: Sequence[History]) -> History:
    """At least one history of one user each, as one."""
    if len(rows) == 1:
        return rows[0]
    counts = sp.vstack([r.counts for r in rows], format="csr")
    return History(counts, np.concatenate([r.ages for r in rows]), np.concatenate([r.users for r in rows]))
