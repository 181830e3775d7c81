"""Files: Parquet, CSV and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from ...errors import DataError
from ..table import Reader, Table


def read_parquet(location: str) -> Iterator[Table]:
    """A Parquet file, read column by column when asked for."""
    path = _filled(location)
    try:
        frame = pl.scan_parquet(path, hive_partitioning=False)
        frame.collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _broken(path, "Parquet", error) from error
    yield Table(path.stem, frame, path.name)


def read_csv(location: str) -> Iterator[Table]:
    """A CSV file with a header; every cell is text here and checked later, so that bad cells can be named."""
    path = _filled(location)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        _check_header(path, header)
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, UnicodeDecodeError, csv.Error, pl.exceptions.PolarsError) as error:
        raise _broken(path, "CSV (UTF-8, commas)", error) from error
    yield Table(path.stem, frame.lazy(), path.name, typed=False)


def read_jsonl(location: str) -> Iterator[Table]:
    """A file with one JSON object per line."""
    path = _filled(location)
    try:
        # Types from all lines, not the first hundred: a column that mixes numbers and text is text to the checks.
        frame = pl.read_ndjson(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _bad_line(path) or _broken(path, "JSON lines", error) from error
    yield Table(path.stem, frame.lazy(), path.name)


READERS: Mapping[str, Reader] = {
    "parquet": read_parquet,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "ndjson": read_jsonl,
}


def _filled(location: str) -> Path:
    path = Path(location)
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; it needs a header and at least one row.")
    return path


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        names = ", ".join(repr(n) for n in twice)
        raise DataError(f"{path} names a column twice in its header: {names}; each name is allowed once: rename one.")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise DataError(f"{path} seems to be separated by semicolons or tabs ({header[0]!r}); commas are needed.")


def _bad_line(path: Path) -> DataError | None:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return DataError(f"{path}, line {number} is not a JSON object: one {{…}} per line is needed.")
            except ValueError as error:
                return DataError(f"{path}, line {number} is not JSON ({error}); mend that line.")
    return None


def _broken(path: Path, kind: str, error: Exception) -> DataError:
    reason = str(error).split("\n")[0]
    return DataError(f"{path} cannot be read as {kind}: {reason}; write it anew or correct its ending.")
