"""What all parts of the store in a database do: insert, replace, and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Integer, Select, Table, Text, cast, select, tuple_

from .database import Database
from .migrations import migrate
from .rows import row_of
from .tables import EVENTS, EXPOSURES, ITEMS, KEYS, META, VERSIONS
from .together import Rows, Together

PUT = "items_put"
"""Row of `META`: how often items were put."""
AT_ONCE = 1_000
"""Ids in one statement, and rows in one page."""


class SqlBase:
    """A database with the tables of a store; opening it makes them or brings them up to date."""

    def __init__(self, database: Database) -> None:
        self.database = database
        try:
            migrate(database)
            (salt,) = self.rows(select(META.c.value).where(META.c.name == "salt"))
        except BaseException:
            database.close()
            raise
        self.salt = bytes.fromhex(salt["value"])
        tables = (EVENTS, EXPOSURES, VERSIONS, KEYS)
        self._adding = {table: Together(partial(self._insert, table)) for table in tables}

    def add(self, table: Table, things: Sequence[object]) -> int:
        """Insert those that are not known; how many were new."""
        rows = [row_of(table, thing) for thing in things]
        return self._adding[table](rows) if rows else 0

    def put(self, table: Table, things: Sequence[object]) -> None:
        """Insert, and replace what has the same key."""
        put, key = self.database.insert(table), list(table.primary_key)
        new = {c.name: put.excluded[c.name] for c in table.c if not c.primary_key}
        if rows := [row_of(table, thing) for thing in things]:
            with self.database.writing(table.name) as connection:
                connection.execute(put.on_conflict_do_update(index_elements=key, set_=new), rows)
                if table is ITEMS:
                    self._count_up(connection, PUT)

    def _count_up(self, connection: Connection, name: str) -> None:
        once = self.database.insert(META).values(name=name, value="1")
        more = cast(cast(META.c.value, Integer) + 1, Text)
        connection.execute(once.on_conflict_do_update(index_elements=[META.c.name], set_={"value": more}))

    def paged(self, table: Table, wanted: Select[Any]) -> Iterator[dict[str, Any]]:
        """Rows by key, read in pages, so that nobody waits for a slow reader."""
        key = list(table.primary_key)
        wanted = wanted.order_by(*key).limit(AT_ONCE)
        page = self.rows(wanted)
        while page:
            yield from page
            page = self.rows(wanted.where(tuple_(*key) > tuple(page[-1][c.name] for c in key)))

    def _insert(self, table: Table, batches: list[Rows]) -> list[int]:
        new = self.database.insert(table).inline().on_conflict_do_nothing()
        counted = {"preserve_rowcount": True}
        with self.database.writing(table.name) as connection:
            return [connection.execute(new, rows, execution_options=counted).rowcount for rows in batches]

    def rows(self, question: Select[Any]) -> list[dict[str, Any]]:
        """What the database answers."""
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(question).mappings()]
