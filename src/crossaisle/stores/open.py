"""From a path or an address to a store."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from .store import Store

FILE = "store.sqlite"
"""Name of the database in a folder."""


def open_store(place: str | Path) -> Store:
    """Open the store at `place`, and make it if it is not there.

    Args:
        place: a folder or a file with a suffix (or ``sqlite:///file.db``) for SQLite, or
            ``postgresql://user:password@host:5432/database`` for PostgreSQL.

    Raises:
        ConfigError: `place` is neither, or a package is missing.
        StorageError: it cannot be opened, belongs to somebody else or to a newer crossaisle.
    """
    if missing := [name for name in ("sqlalchemy", "psycopg") if find_spec(name) is None]:
        raise ConfigError(f"a store needs the package {missing[0]}: pip install 'crossaisle[serve]'.")
    from .database import Database, Postgresql, Sqlite  # needs the extra `serve`
    from .sql import SqlStore

    scheme = re.match(r"(\w+)(\+\w+)?://", str(place))
    database: Database
    if scheme is None:
        database = Sqlite(_file(Path(place)))
    elif scheme[1] == "sqlite":
        database = Sqlite(_file(Path(re.sub(r"^sqlite:///?", "", str(place)))))
    elif scheme[1] in ("postgresql", "postgres"):
        database = Postgresql(str(place))
    else:
        raise ConfigError(f"{scheme[0]} is no kind of store; give a folder, a file or postgresql://….")
    return SqlStore(database)


def _file(path: Path) -> Path:
    return path / FILE if path.is_dir() or not path.suffix else path
