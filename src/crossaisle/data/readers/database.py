"""Databases: SQLite and PostgreSQL through ADBC, the Arrow project's own drivers, one for each, same interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import DataError
from ..schema import TABLES
from ..table import Table

SCHEMES = ("sqlite", "postgresql", "postgres")
_LIST = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "postgresql": "SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND "
    "pg_table_is_visible(c.oid)",
}


def read(location: str) -> Iterator[Table]:
    """Tables ``interactions`` (or ``train``), ``items`` and ``users`` of the database at a URL.

    PostgreSQL finds them by its search path; another schema is named with ``?options=-csearch_path%3Dmyschema``.

    Raises:
        DataError: no driver, no connection or no interactions; passwords are never shown.
    """
    scheme = "sqlite" if location.lower().startswith("sqlite") else "postgresql"
    try:
        with _connect(scheme, location) as connection:
            return iter(list(_tables(connection, scheme, hide_password(location))))
    except DataError:
        raise
    except Exception as error:  # drivers raise a dozen kinds; users need the sentence of any
        reason = str(error).strip().split("\n")[0]
        shown = hide_password(location)
        raise DataError(f"cannot read {shown}: {hide_password(reason)}; check address, name and password.") from None


def hide_password(text: str) -> str:
    """`text` with the password of any URL in it replaced by ``***``."""
    without = re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", text)
    return re.sub(r"([?&]password=)[^&\s]*", r"\1***", without)


def _connect(scheme: str, location: str) -> Any:
    package = f"adbc_driver_{scheme}"
    if find_spec(package) is None:
        name = package.replace("_", "-")
        raise DataError(f"reading {scheme} needs the package {name}: pip install {name} pyarrow")
    if scheme == "sqlite":
        import adbc_driver_sqlite.dbapi as sqlite

        path = re.sub(r"(?i)^sqlite:(///|//)", "", location.split("?")[0])
        if not Path(path).is_file():
            raise DataError(f"no such SQLite file: {path}; write sqlite:///relative.db or sqlite:////absolute.db.")
        return sqlite.connect(path)
    import adbc_driver_postgresql.dbapi as postgresql

    return postgresql.connect(location)


def _tables(connection: Any, scheme: str, shown: str) -> Iterator[Table]:
    there = _frame(connection, _LIST[scheme]).to_series().to_list()
    wanted = {n: n for n in TABLES if n in there}
    if "interactions" not in there:
        if "train" not in there:
            names = ", ".join(sorted(there)[:12]) or "no tables"
            raise DataError(f"{shown} has no table or view named interactions; there are: {names}. Make a view of it.")
        wanted["interactions"] = "train"
    for name, table in wanted.items():
        frame = _frame(connection, f"SELECT {_columns(connection, scheme, name, table)} FROM {_quoted(table)}")
        yield Table(name, frame.lazy(), f"{shown} table {table}")


def _columns(connection: Any, scheme: str, name: str, table: str) -> str:
    """Columns of the format as text: SQLite columns may mix types, and a bad cell must reach the checks to be named."""
    names = _frame(connection, f"SELECT * FROM {_quoted(table)} LIMIT 0").columns
    specs = TABLES[name]
    parts = []
    for column in names:
        as_text = column in specs and (scheme == "sqlite" or specs[column].kind in ("id", "text"))
        quoted = _quoted(column)
        parts.append(f"CAST({quoted} AS TEXT) AS {quoted}" if as_text else quoted)
    return ", ".join(parts)


def _frame(connection: Any, query: str) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query)
        frame = pl.DataFrame(pl.from_arrow(cursor.fetch_arrow_table()))
    return frame.with_columns(_unwrapped(s) for s in frame if isinstance(s.dtype, pl.BaseExtension))


def _unwrapped(column: pl.Series) -> pl.Series:
    # PostgreSQL's numbers of any length arrive as texts in an envelope, like all types that Arrow does not have.
    storage = column.ext.storage()
    return storage.cast(pl.Float64) if '"type_name":"numeric"' in str(column.dtype) else storage


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
