"""The store in a database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Integer, Select, Table, Text, cast, delete, func, insert, select, tuple_, update

from ..errors import ConfigError, unknown
from .database import Database
from .migrations import migrate
from .rows import check_ids, row_of
from .store import Event, Exposure, Item, Key, Marks, Trial, User, Version
from .tables import ERASED, EVENTS, EXPERIMENTS, EXPOSURES, ITEMS, KEYS, META, OF_USERS, USERS, VERSIONS
from .together import Rows, Together

_PUT = "items_put"
"""Row of `META`: how often items were put."""
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
        self._put(ITEMS, items)

    def items(self, domain: str | None = None) -> Iterator[Item]:
        """See `Store`."""
        wanted = select(ITEMS) if domain is None else select(ITEMS).where(ITEMS.c.domain == domain)
        return (Item(**row) for row in self._paged(ITEMS, wanted))

    def put_users(self, users: Sequence[User]) -> None:
        """See `Store`."""
        self._put(USERS, users)

    def users(self) -> Iterator[User]:
        """See `Store`."""
        return (User(**row) for row in self._paged(USERS, select(USERS)))

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

    def begin_trial(self, trial: Trial) -> None:
        """See `Store`."""
        row = row_of(EXPERIMENTS, trial)
        with self._database.writing(EXPERIMENTS.name) as connection:
            for other in connection.execute(select(EXPERIMENTS.c.name, EXPERIMENTS.c.ended)):
                if other.name == trial.name:
                    raise ConfigError(f"there is an experiment {trial.name!r} already; choose another name.")
                if other.ended is None:
                    raise ConfigError(f"experiment {other.name!r} is running; end it first.")
            connection.execute(insert(EXPERIMENTS), [row])

    def end_trial(self, name: str, ended: datetime, result: dict[str, Any]) -> None:
        """See `Store`."""
        row = row_of(EXPERIMENTS, Trial(name, {}, ended, 0, ended, result))
        new = {"ended": row["ended"], "result": row["result"]}
        with self._database.writing(EXPERIMENTS.name) as connection:
            names = [r.name for r in connection.execute(select(EXPERIMENTS.c.name))]
            if name not in names:
                raise ConfigError(unknown("experiment", name, names))
            running = (EXPERIMENTS.c.name == name) & EXPERIMENTS.c.ended.is_(None)
            connection.execute(update(EXPERIMENTS).where(running).values(**new))

    def trials(self) -> list[Trial]:
        """See `Store`."""
        newest = select(EXPERIMENTS).order_by(EXPERIMENTS.c.begun.desc(), EXPERIMENTS.c.name)
        return [Trial(**row) for row in self._rows(newest)]

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

    def marks(self) -> Marks:
        """See `Store`."""
        served = select(VERSIONS.c.name).where(VERSIONS.c.state == "current").scalar_subquery()
        running = select(EXPERIMENTS.c.name).where(EXPERIMENTS.c.ended.is_(None)).scalar_subquery()
        put = select(META.c.value).where(META.c.name == _PUT).scalar_subquery()
        last = select(func.max(EVENTS.c.number)).scalar_subquery()
        gone = select(func.count()).select_from(ERASED).scalar_subquery()
        (row,) = self._rows(
            select(
                last.label("events"),
                put.label("items"),
                gone.label("erased"),
                served.label("current"),
                running.label("trial"),
            )
        )
        return Marks(row["events"] or 0, int(row["items"] or 0), row["erased"], row["current"], row["trial"])

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _add(self, table: Table, things: Sequence[object]) -> int:
        """Insert those that are not known; how many were new."""
        rows = [row_of(table, thing) for thing in things]
        return self._adding[table](rows) if rows else 0

    def _put(self, table: Table, things: Sequence[object]) -> None:
        """Insert, and replace what has the same key."""
        put, key = self._database.insert(table), list(table.primary_key)
        new = {c.name: put.excluded[c.name] for c in table.c if not c.primary_key}
        if rows := [row_of(table, thing) for thing in things]:
            with self._database.writing(table.name) as connection:
                connection.execute(put.on_conflict_do_update(index_elements=key, set_=new), rows)
                if table is ITEMS:
                    self._count_up(connection, _PUT)

    def _count_up(self, connection: Connection, name: str) -> None:
        once = self._database.insert(META).values(name=name, value="1")
        more = cast(cast(META.c.value, Integer) + 1, Text)
        connection.execute(once.on_conflict_do_update(index_elements=[META.c.name], set_={"value": more}))

    def _paged(self, table: Table, wanted: Select[Any]) -> Iterator[dict[str, Any]]:
        """Rows by key, read in pages, so that nobody waits for a slow reader."""
        key = list(table.primary_key)
        wanted = wanted.order_by(*key).limit(AT_ONCE)
        page = self._rows(wanted)
        while page:
            yield from page
            page = self._rows(wanted.where(tuple_(*key) > tuple(page[-1][c.name] for c in key)))

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
