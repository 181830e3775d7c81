"""Logs of exposures and candidates' probabilities, read and checked; the columns are in `crossaisle.data.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ..data.load import as_table
from ..data.problems import Findings, refuse
from ..data.schema import LOGGED, POLICY, Column
from ..data.table import Table
from ..data.validate import Clock, convert
from ..errors import DataError, unknown

Source = str | Path | Any
"""A file (Parquet, CSV, JSON lines), or a data frame."""
SUM = 1e-3
"""How far probabilities may be from adding up to 1."""


def read_log(source: Source, rename: Mapping[str, str] | None = None) -> pl.DataFrame:
    """A log with the columns of `schema.LOGGED`; others are passed over, and a missing position is 1.

    Args:
        source: file or data frame, one row per item shown.
        rename: the user's column names → names of the format, for example ``{"click": "reward"}``.

    Raises:
        DataError: listing every problem at once.
    """
    return _read(as_table("log", source), LOGGED, rename or {})


def read_policy(source: Source, rename: Mapping[str, str] | None = None) -> pl.DataFrame:
    """A candidate with the columns of `schema.POLICY`.

    Raises:
        DataError: a problem of the columns, an item twice, or probabilities of a place that do not add up to 1.
    """
    frame = _read(as_table("candidate", source), POLICY, rename or {})
    keys = [c for c in ("position", "user_id") if c in frame.columns]
    if frame.select("item_id", *keys).is_duplicated().any():
        raise DataError(f"the candidate lists an item twice for the same {' and '.join(keys)}; add its rows up.")
    sums = frame.group_by(keys, maintain_order=True).agg(pl.col("probability").sum())
    wrong = sums.filter((pl.col("probability") - 1).abs() > SUM)
    if wrong.height:
        first = wrong.row(0, named=True)
        where = " and ".join(f"{key} {first[key]}" for key in keys)
        raise DataError(
            f"the candidate's probabilities for {where} add up to {first['probability']:.4g}, and 1 is needed "
            f"({wrong.height} such in all); list every item that it may show there."
        )
    return frame


def _read(table: Table, specs: Mapping[str, Column], rename: Mapping[str, str]) -> pl.DataFrame:
    names = table.frame.collect_schema().names()
    for old in rename:
        if old not in names:
            raise DataError(unknown("column", old, names, hint="It is named in rename."))
    called = {rename.get(n, n): n for n in names}
    findings, clock = Findings(table.name), Clock.ticking(None)
    columns: dict[str, pl.Series] = {}
    for name, spec in specs.items():
        if name in called:
            raw = table.column(called[name])
            found = convert(spec, raw, findings, clock)
            if found is not None:
                columns[name] = found
                if spec.kind != "id":
                    findings.rows(name, raw.is_null(), None, "empty", spec.allowed)
        elif spec.required:
            there = ", ".join(names)
            findings.whole(name, f"this column is missing; there are: {there}. It is needed: {spec.about}.")
    if findings.problems:
        raise refuse(table.source, findings.problems)
    frame = pl.DataFrame(columns)
    if frame.is_empty():
        raise DataError(f"{table.source} has no rows; at least one is needed.")
    frame = frame if "position" in frame.columns else frame.with_columns(position=pl.lit(1, pl.Int32))
    return frame.with_columns(pl.col(pl.Float32).cast(pl.Float64))
