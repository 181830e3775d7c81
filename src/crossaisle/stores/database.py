"""The two databases, and all in which they differ: settings of a connection, who writes when, how bytes are wiped."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from ..errors import ConfigError, StorageError
from .faults import told
from .tables import OF_USERS

WAIT = 10
"""Seconds that one waits for another process to let go."""


class Database(Protocol):
    """What a store needs of a database."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection whose reads see one state."""
        ...

    def writing(self, what: str) -> AbstractContextManager[Connection]:
        """A transaction, on disk when left without an error; among those of the same `what` one follows the other."""
        ...

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows what to do on conflict."""
        ...

    def wipe(self) -> None:
        """Rewrite the tables of users so that nothing of deleted rows stays in the files."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log; while another writes, SQLite refuses the change at once, whatever its timeout."""
    until = monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return


class Sqlite:
    """SQLite in a file, with a write-ahead log that is flushed at each commit (``synchronous=FULL``)."""

    def __init__(self, path: Path) -> None:
        self.shown = str(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # what people did is for the owner alone
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(
                f"cannot write {path}: {reason}; name a place that this program may write to."
            ) from error
        address = URL.create("sqlite", database=str(path))
        self._engine = create_engine(address, hide_parameters=True, connect_args={"timeout": WAIT})
        self._one_writes = Lock()  # fair and quick; SQLite's own lock polls
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "begin", self._begin)

    @staticmethod
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # `_begin` says when a transaction begins, not the driver
        _write_ahead(connection)
        for setting in ("synchronous=FULL", "fullfsync=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}").close()

    @staticmethod
    def _begin(connection: Connection) -> None:
        if words := connection.get_execution_options().get("begin", "BEGIN"):
            connection.exec_driver_sql(words)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Database`."""
        with told(self.shown), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """See `Database`; SQLite has one lock for all."""
        # BEGIN IMMEDIATE: a transaction that reads first and then wants to write is refused if another came in between.
        with (
            told(self.shown),
            self._one_writes,
            self._engine.connect() as connection,
            connection.execution_options(begin="BEGIN IMMEDIATE").begin(),
        ):
            yield connection

    def insert(self, table: Table) -> sqlite.Insert:
        """See `Database`."""
        return sqlite.insert(table)

    def wipe(self) -> None:
        """Zero freed pages (``secure_delete``), drop them (``VACUUM``), and empty the write-ahead log.

        Raises:
            StorageError: another process reads, so that the log cannot be emptied.
        """
        with told(self.shown), self._one_writes, self._engine.connect() as connection:
            connection.execution_options(begin="")
            connection.exec_driver_sql("VACUUM")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        if busy:
            raise StorageError(
                f"the rows are gone from {self.shown}, but another process reads it, so that its log still has them; "
                "erase again when that process is done."
            )

    def close(self) -> None:
        """See `Database`."""
        self._engine.dispose()


class Postgresql:
    """PostgreSQL through psycopg; connections that broke are made anew before they are used."""

    def __init__(self, url: str) -> None:
        try:
            address = make_url(url)
        except (ArgumentError, ValueError):
            raise ConfigError(
                "this address of a PostgreSQL database cannot be read; "
                "write postgresql://user:password@host:5432/name, with %40 for an @ in the password."
            ) from None
        self.shown = f"PostgreSQL database {address.database or 'postgres'} at {address.host or 'the local socket'}"
        self._engine = create_engine(
            address.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={} if "connect_timeout" in address.query else {"connect_timeout": WAIT},
        )
        event.listen(self._engine, "connect", self._prepare)

    @staticmethod
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.execute(f"SET lock_timeout = '{WAIT}s'")
        connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Database`; each statement sees one state."""
        with told(self.shown), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """See `Database`; without the lock a smaller number could become visible after a greater one."""
        with told(self.shown), self._engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"crossaisle {what}"})
            yield connection

    def insert(self, table: Table) -> postgresql.Insert:
        """See `Database`."""
        return postgresql.insert(table)

    def wipe(self) -> None:
        """Rewrite the tables with ``VACUUM FULL``. The server's own log keeps what it has until it is recycled.

        Raises:
            StorageError: the tables are somebody else's, or an older transaction could still ask for deleted rows:
                PostgreSQL then passes over the tables or carries the rows along, and tells so to who listens alone.
        """
        details: list[str] = []
        with told(self.shown), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            connection.execution_options(isolation_level="AUTOCOMMIT")

            def listen(notice: Any) -> None:
                details.append(notice.message_detail or "")

            driver.add_notice_handler(listen)
            try:
                connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {', '.join(table.name for table in OF_USERS)}")
            finally:
                driver.remove_notice_handler(listen)
        # Of each table: "0 dead row versions cannot be removed yet." and more, in the server's language.
        carried = [int(number[0]) for detail in details if (number := re.search(r"\d+", detail))]
        if len(carried) < len(OF_USERS) or any(carried):
            why = "a transaction that is open there could still read them; erase again when it is done"
            if len(carried) < len(OF_USERS):
                why = "this role may not rewrite the tables; erase again as their owner"
            raise StorageError(f"the rows are gone from {self.shown}, but its files still have them, since {why}.")

    def close(self) -> None:
        """See `Database`."""
        self._engine.dispose()
