"""The tables of a store, the same on both databases. A change here needs a step in `migrations.py`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
)

METADATA = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code point on both, whatever the server's language is."""


def _number() -> Column[int]:
    """Number of arrival: it rises by order of commits and is never given twice."""
    return Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)


EVENTS = Table(
    "events",
    METADATA,
    _number(),
    Column("event_id", TEXT, nullable=False, unique=True),
    Column("user_id", TEXT, nullable=False),
    Column("item_id", TEXT, nullable=False),
    Column("domain", TEXT, nullable=False),
    Column("event", TEXT, nullable=False),
    Column("timestamp", DateTime, nullable=False),
    Column("value", Double),
    Column("price", Double),
    Index("events_of_user", "user_id", "number"),
    sqlite_autoincrement=True,
)
ITEMS = Table(
    "items",
    METADATA,
    Column("domain", TEXT, primary_key=True),
    Column("item_id", TEXT, primary_key=True),
    Column("content", JSON, nullable=False),
    Column("available", Boolean, nullable=False),
)
EXPOSURES = Table(
    "exposures",
    METADATA,
    _number(),
    Column("request_id", TEXT, nullable=False),
    Column("user_id", TEXT, nullable=False),
    Column("item_id", TEXT, nullable=False),
    Column("position", Integer, nullable=False),
    Column("propensity", Double, nullable=False),
    Column("version", TEXT, nullable=False),
    Column("timestamp", DateTime, nullable=False),
    UniqueConstraint("request_id", "position"),
    Index("exposures_of_user", "user_id"),
    sqlite_autoincrement=True,
)
VERSIONS = Table(
    "versions",
    METADATA,
    _number(),
    Column("name", TEXT, nullable=False, unique=True),
    Column("path", TEXT, nullable=False),
    Column("made", DateTime, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("facts", JSON, nullable=False),
    sqlite_autoincrement=True,
)
_SERVED = VERSIONS.c.state.in_(("current", "previous"))
Index("one_current_one_previous", VERSIONS.c.state, unique=True, sqlite_where=_SERVED, postgresql_where=_SERVED)
KEYS = Table(
    "keys",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("role", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False, unique=True),
    Column("made", DateTime, nullable=False),
)
USERS = Table(
    "users",
    METADATA,
    Column("user_id", TEXT, primary_key=True),
    Column("attributes", JSON, nullable=False),
)
EXPERIMENTS = Table(
    "experiments",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("design", JSON, nullable=False),
    Column("begun", DateTime, nullable=False),
    Column("shown", BigInteger, nullable=False),
    Column("ended", DateTime),
    Column("result", JSON, nullable=False),
)
ERASED = Table("erased", METADATA, Column("digest", TEXT, primary_key=True))
META = Table("meta", METADATA, Column("name", TEXT, primary_key=True), Column("value", TEXT, nullable=False))

OF_USERS = (EVENTS, EXPOSURES, USERS)
"""Tables that erasing empties of a user."""


def _without_statistics(table: Table, connection: Connection, **_: object) -> None:
    """PostgreSQL copies frequent values into its statistics, where erasing would not find them."""
    if connection.dialect.name == "postgresql":
        changes = ", ".join(f"ALTER {column.name} SET STATISTICS 0" for column in table.c)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} {changes}")


for _table in OF_USERS:
    event.listen(_table, "after_create", _without_statistics)
