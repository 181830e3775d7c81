"""Readers: path or URL → tables. A third party adds one by the entry-point group ``crossaisle.readers``.

A reader claims a location by its ending (``.csv``) or scheme (``postgresql``): its name in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...registry import Registry
from ..schema import TABLES
from ..table import Reader, Table
from . import database, files

READERS: Registry[Reader] = Registry("reader", "crossaisle.readers")
"""Name → reader; a name is a file ending without its dot, or the scheme of a URL, in lower case."""

STEMS = (*TABLES, "train", "valid", "test")
"""File names (without ending) that a folder is searched for."""

for _name, _reader in files.READERS.items():
    READERS.add(_name, _reader)
for _name in database.SCHEMES:
    READERS.add(_name, database.read)

__all__ = ["READERS", "STEMS", "existing", "in_folder", "open_tables"]


def open_tables(location: str) -> Iterator[Table]:
    """The tables of the file or database at `location`.

    Raises:
        DataError: nothing is there, or no reader claims it.
    """
    if "://" in location:
        scheme = location.split("://", 1)[0].lower().split("+")[0]
        return _reader_for(scheme, "URL scheme")(location)
    existing(location)
    return _reader_for(_ending(Path(location)), "file ending")(location)


def existing(location: str | Path) -> Path:
    """`location` as the path of a file.

    Raises:
        DataError: there is no such file.
    """
    path = Path(location)
    if path.is_dir():
        raise DataError(f"{path} is a folder and a file is needed; name the file, or read the folder as a whole.")
    if not path.is_file():
        raise DataError(f"no such file: {path}; check the path.")
    return path


def in_folder(folder: Path) -> dict[str, Path]:
    """Stem → file of the tables in `folder`.

    Raises:
        DataError: no such folder, two files for one table, or neither interactions nor train.
    """
    if not folder.is_dir():
        raise DataError(f"no such folder: {folder}; give a folder with interactions.parquet, .csv or .jsonl.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.stem in STEMS and _ending(path) in READERS.names():
            twin = found.get({"train": "interactions"}.get(path.stem, path.stem)) or found.get(path.stem)
            if twin is not None:
                raise DataError(f"{folder} has both {twin.name} and {path.name}; keep one of them.")
            found[path.stem] = path
    if not {"interactions", "train"} & set(found):
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:12]) or "nothing"
        raise DataError(
            f"{folder} has no interactions.parquet, .csv or .jsonl (nor train.*); there is: {there}. Add or rename one."
        )
    return {stem: found[stem] for stem in STEMS if stem in found}


def _ending(path: Path) -> str:
    return path.suffix.lower().lstrip(".")


def _reader_for(name: str, what: str) -> Reader:
    if name not in READERS.names():
        raise DataError(f"{what} {name!r} cannot be read; allowed: {', '.join(READERS.names())}.")
    return READERS.get(name)
