"""Readers: path or URL → tables. A third party adds one by the entry-point group ``crossaisle.readers``.

A reader claims a location by its ending (``.csv``) or scheme (``postgresql``): its name in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError, unknown
from ...registry import Registry
from ..table import Reader, Table
from . import database, files

READERS: Registry[Reader] = Registry("reader", "crossaisle.readers")
"""Name → reader; a name is a file ending without its dot, or the scheme of a URL, in lower case."""

for _ending, _reader in files.READERS.items():
    READERS.add(_ending, _reader)
for _scheme in database.SCHEMES:
    READERS.add(_scheme, database.read)

__all__ = ["READERS", "open_tables"]


def open_tables(location: str) -> Iterator[Table]:
    """The tables at `location`: a folder, a file or a URL.

    Raises:
        DataError: nothing is there, or no reader claims it.
    """
    if "://" in location:
        scheme = location.split("://", 1)[0].lower().split("+")[0]
        return _reader_for(scheme, "URL scheme")(location)
    path = Path(location)
    if path.is_dir():
        return (t for p in files.in_folder(path).values() for t in open_tables(str(p)))
    if not path.exists():
        raise DataError(f"no such file: {path}; check the path.")
    return _reader_for(path.suffix.lower().lstrip("."), "file ending")(location)


def _reader_for(name: str, what: str) -> Reader:
    if name not in READERS.names():
        raise DataError(unknown(what, name, READERS.names()))
    return READERS.get(name)
