"""The store in a database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, select, tuple_, update

from ..errors import ConfigError, unknown
from .database import Database
from .migrations import migrate
from .rows import check_ids, row_of
from .store import Event, Exposure, Item, Key, Version
from .tables import ERASED, EVENTS, EXPOSURES, ITEMS, KEYS, META, OF_USERS, VERSIONS
from .together import Rows, Together

AT_ONCE = 1_000
"""Ids in one statement, and items in one page."""


class SqlStore:
    """`Store` in a database; opening it makes the tables or brings them up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        try:
            migrate(database)
            (salt,) = self._rows(select(META.c.value).where(META.c.name == "salt"))
        except BaseException:
            database.close()
            raise
        self._salt = bytes.fromhex(salt["value"])
        tables = (EVENTS, EXPOSURES, VERSIONS, KEYS)
        self._adding = {table: Together(partial(self._insert, table)) for table in tables}

    def add_events(self, events: Sequence[Event]) -> int:
        """See `Store`."""
        return self._add(EVENTS, events)

    def events(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Event]]:
        """See `Store`."""
        return [(row.pop("number"), Event(**row)) for row in self._rows(_page(EVENTS, after, limit))]

    def events_of(self, user_id: str, *, limit: int | None = None) -> list[Event]:
        """See `Store`."""
        check_ids([user_id])
        columns = (c for c in EVENTS.c if c.name != "number")
        last = select(*columns).where(EVENTS.c.user_id == user_id).order_by(EVENTS.c.number.desc()).limit(limit)
        return [Event(**row) for row in reversed(self._rows(last))]

    def put_items(self, items: Sequence[Item]) -> None:
        """See `Store`."""
        put = self._database.insert(ITEMS)
        new = {"content": put.excluded.content, "available": put.excluded.available}
        put = put.on_conflict_do_update(index_elements=[ITEMS.c.domain, ITEMS.c.item_id], set_=new)
        if rows := [row_of(ITEMS, item) for item in items]:
            with self._database.writing(ITEMS.name) as connection:
                connection.execute(put, rows)

    def items(self, domain: str | None = None) -> Iterator[Item]:
        """See `Store`; read in pages, so that nobody waits for a slow reader."""
        wanted = select(ITEMS).order_by(ITEMS.c.domain, ITEMS.c.item_id).limit(AT_ONCE)
        if domain is not None:
            wanted = wanted.where(ITEMS.c.domain == domain)
        page = self._rows(wanted)
        while page:
            yield from (Item(**row) for row in page)
            last = page[-1]["domain"], page[-1]["item_id"]
            page = self._rows(wanted.where(tuple_(ITEMS.c.domain, ITEMS.c.item_id) > last))

    def add_exposures(self, exposures: Sequence[Exposure]) -> int:
        """See `Store`."""
        return self._add(EXPOSURES, exposures)

    def exposures(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, Exposure]]:
        """See `Store`."""
        return [(row.pop("number"), Exposure(**row)) for row in self._rows(_page(EXPOSURES, after, limit))]

    def erase_users(self, user_ids: Sequence[str]) -> int:
        """See `Store`."""
        check_ids(user_ids)
        if not user_ids:
            return 0
        remember = self._database.insert(ERASED).on_conflict_do_nothing()
        gone = 0
        with self._database.writing(ERASED.name) as connection:
            connection.execute(remember, [{"digest": _digest(user, self._salt)} for user in user_ids])
            for ids in _some(user_ids):
                for table in OF_USERS:
                    gone += connection.execute(delete(table).where(table.c.user_id.in_(ids))).rowcount
        self._database.wipe()  # even if no row went: the last attempt may have ended before this
        return gone

    def is_erased(self, user_ids: Sequence[str]) -> list[bool]:
        """See `Store`."""
        check_ids(user_ids)
        digests = [_digest(user, self._salt) for user in user_ids]
        erased: set[str] = set()
        for some in _some(digests):
            erased.update(row["digest"] for row in self._rows(select(ERASED).where(ERASED.c.digest.in_(some))))
        return [digest in erased for digest in digests]

    def add_version(self, version: Version) -> None:
        """See `Store`."""
        if version.state != "candidate":
            raise ConfigError(f"version {version.name!r} is {version.state!r}; add it as 'candidate' and promote it.")
        if not self._add(VERSIONS, [version]):
            raise ConfigError(f"there is a version {version.name!r} already; choose another name.")

    def versions(self) -> list[Version]:
        """See `Store`."""
        found = self._rows(select(VERSIONS).order_by(VERSIONS.c.number.desc()))
        return [Version(**{name: value for name, value in row.items() if name != "number"}) for row in found]

    def promote(self, name: str) -> None:
        """See `Store`."""
        with self._database.writing(VERSIONS.name) as connection:
            states = _states(connection)
            if name not in states:
                raise ConfigError(unknown("version", name, states))
            if states[name] == "current":
                return
            _move(connection, "previous", "retired")
            _move(connection, "current", "previous")
            connection.execute(update(VERSIONS).where(VERSIONS.c.name == name).values(state="current"))

    def roll_back(self) -> Version:
        """See `Store`."""
        with self._database.writing(VERSIONS.name) as connection:
            if "previous" not in _states(connection).values():
                raise ConfigError("there is no previous version to go back to; promote one of `versions()`.")
            _move(connection, "current", "retired")
            _move(connection, "previous", "current")
        return next(version for version in self.versions() if version.state == "current")

    def add_key(self, key: Key) -> None:
        """See `Store`."""
        if not self._add(KEYS, [key]):
            raise ConfigError(f"there is a key {key.name!r} already, or one with the same secret; choose another.")

    def keys(self) -> list[Key]:
        """See `Store`."""
        return [Key(**row) for row in self._rows(select(KEYS).order_by(KEYS.c.name))]

    def remove_key(self, name: str) -> bool:
        """See `Store`."""
        check_ids([name])
        with self._database.writing(KEYS.name) as connection:
            return bool(connection.execute(delete(KEYS).where(KEYS.c.name == name)).rowcount)

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _add(self, table: Table, things: Sequence[object]) -> int:
        """Insert those that are not known; how many were new."""
        rows = [row_of(table, thing) for thing in things]
        return self._adding[table](rows) if rows else 0

    def _insert(self, table: Table, batches: list[Rows]) -> list[int]:
        new = self._database.insert(table).inline().on_conflict_do_nothing()
        counted = {"preserve_rowcount": True}
        with self._database.writing(table.name) as connection:
            return [connection.execute(new, rows, execution_options=counted).rowcount for rows in batches]

    def _rows(self, question: Select[Any]) -> list[dict[str, Any]]:
        with self._database.reading() as connection:
            return [dict(row) for row in connection.execute(question).mappings()]


def _page(table: Table, after: int, limit: int) -> Select[Any]:
    return select(table).where(table.c.number > after).order_by(table.c.number).limit(limit)


def _some(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


def _states(connection: Connection) -> dict[str, str]:
    """State of each version by name."""
    found = connection.execute(select(VERSIONS.c.name, VERSIONS.c.state).order_by(VERSIONS.c.number))
    return {row.name: row.state for row in found}


def _move(connection: Connection, old: str, new: str) -> None:
    connection.execute(update(VERSIONS).where(VERSIONS.c.state == old).values(state=new))


def _digest(user_id: str, salt: bytes) -> str:
    return blake2b(user_id.encode(), key=salt, digest_size=32).hexdigest()
