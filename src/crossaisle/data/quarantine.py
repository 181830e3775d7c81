"""Quarantine: bad rows written to a file with the reason, so that nothing is dropped unseen."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ..files import write_whole
from .check import Checked
from .table import Table


def set_aside(tables: Mapping[str, Table], checked: Mapping[str, Checked], path: Path) -> int:
    """Write the faulty rows of all tables to `path` as JSON lines: table, row (from 1), reasons, values as read.

    Returns:
        How many rows were set aside.

    Raises:
        StorageError: the file cannot be written; nothing is left half-written.
    """
    buffer = io.BytesIO()
    count = 0
    for name, result in checked.items():
        bad = result.findings.bad
        if bad is None or not bad.any():
            continue
        rows = bad.arg_true()
        values = tables[name].frame.with_row_index("__row").filter(pl.col("__row").is_in(rows.implode())).collect()
        reasons = _reasons(result, rows)
        lines = pl.DataFrame({"table": [name] * len(rows), "row": rows + 1, "reasons": reasons})
        lines.with_columns(values=values.drop("__row").to_struct("values")).write_ndjson(buffer)
        count += len(rows)
    write_whole(path, buffer.getvalue())
    return count


def _reasons(result: Checked, rows: pl.Series) -> pl.Series:
    named = [pl.when(mask.gather(rows)).then(pl.lit(reason)) for reason, mask in result.findings.reasons]
    return pl.select(pl.concat_list(named).list.drop_nulls().alias("reasons")).to_series()
