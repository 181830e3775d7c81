"""Events, items, users and what was shown, in a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, Table, select

from .kinds import Event, Exposure, Item, User
from .rows import check_ids
from .sql_base import SqlBase
from .tables import EVENTS, EXPOSURES, ITEMS, USERS


class SqlRows(SqlBase):
    """`KeepsRows`."""

    def add_events(self, events: Sequence[Event]) -> int:
        """See `Store`."""
        return self.add(EVENTS, events)

    def events(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Event]]:
        """See `Store`."""
        return [(row.pop("number"), Event(**row)) for row in self.rows(_page(EVENTS, after, limit))]

    def events_of(self, user_id: str, *, limit: int | None = None) -> list[Event]:
        """See `Store`."""
        check_ids([user_id])
        columns = (c for c in EVENTS.c if c.name != "number")
        last = select(*columns).where(EVENTS.c.user_id == user_id).order_by(EVENTS.c.number.desc()).limit(limit)
        return [Event(**row) for row in reversed(self.rows(last))]

    def put_items(self, items: Sequence[Item]) -> None:
        """See `Store`."""
        self.put(ITEMS, items)

    def items(self, domain: str | None = None) -> Iterator[Item]:
        """See `Store`."""
        wanted = select(ITEMS) if domain is None else select(ITEMS).where(ITEMS.c.domain == domain)
        return (Item(**row) for row in self.paged(ITEMS, wanted))

    def put_users(self, users: Sequence[User]) -> None:
        """See `Store`."""
        self.put(USERS, users)

    def users(self) -> Iterator[User]:
        """See `Store`."""
        return (User(**row) for row in self.paged(USERS, select(USERS)))

    def add_exposures(self, exposures: Sequence[Exposure]) -> int:
        """See `Store`."""
        return self.add(EXPOSURES, exposures)

    def exposures(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Exposure]]:
        """See `Store`."""
        return [(row.pop("number"), Exposure(**row)) for row in self.rows(_page(EXPOSURES, after, limit))]


def _page(table: Table, after: int, limit: int) -> Select[Any]:
    return select(table).where(table.c.number > after).order_by(table.c.number).limit(limit)
