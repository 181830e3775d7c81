"""The schema of a store and its version: what is older is brought up to date, what is newer is refused.

To change a table: change `tables.py`, append a step that brings the last schema there, and never edit an older step.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, insert, inspect, select, update

from ..errors import StorageError
from .database import Database
from .tables import EXPERIMENTS, META, METADATA, USERS

Step = tuple[str | Callable[[Connection], object], ...]
"""SQL that both databases understand, and tables to make; should such a table change, its step becomes SQL."""
STEPS: tuple[Step, ...] = ((USERS.create, EXPERIMENTS.create),)
"""The first leads from schema version 1 to 2, and so on."""


def migrate(database: Database) -> None:
    """Make the tables of a new store, or bring those of an older one up to date, in one transaction.

    Raises:
        StorageError: a newer crossaisle made the store, or somebody else its tables.
    """
    newest = 1 + len(STEPS)
    with database.writing("schema") as connection:
        found = _version(connection)
        if found == 0:
            METADATA.create_all(connection)
            salt = {"name": "salt", "value": secrets.token_hex(32)}
            connection.execute(insert(META), [{"name": "schema_version", "value": str(newest)}, salt])
        elif found > newest:
            raise StorageError(
                f"this store has schema version {found}, and this crossaisle knows up to {newest}; install a newer one."
            )
        elif found < newest:
            for change in (s for step in STEPS[found - 1 :] for s in step):
                connection.exec_driver_sql(change) if isinstance(change, str) else change(connection)
            connection.execute(update(META).where(META.c.name == "schema_version").values(value=str(newest)))


def _version(connection: Connection) -> int:
    """Schema version of the store, 0 if there is none yet."""
    look = inspect(connection)
    there = [name for name in METADATA.tables if look.has_table(name)]
    if not there:
        return 0
    if META.name in there and {c["name"] for c in look.get_columns(META.name)} == {"name", "value"}:
        value = connection.execute(select(META.c.value).where(META.c.name == "schema_version")).scalar()
        if value is not None:
            return int(value)
    raise StorageError(
        f"this database has a table {there[0]!r} that is not of a crossaisle store; name a database, or a schema "
        "(postgresql://…?options=-csearch_path%3Dname), for the store alone."
    )
