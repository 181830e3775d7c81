"""One table through all its checks: strings become local codes column by column, faults are collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import polars as pl

from .problems import Findings
from .schema import RESERVED, TABLES, Column
from .table import Table
from .validate import Clock, convert
from .vocab import encode_sorted


@dataclass(frozen=True)
class Coded:
    """A column of ids: codes (n,) UInt32 into the sorted, distinct `ids`."""

    codes: pl.Series
    ids: pl.Series

    def keep(self, mask: pl.Series) -> Coded:
        """The rows of `mask`; ids that no row has any more are forgotten."""
        codes = self.codes.filter(mask)
        used = codes.drop_nulls().unique().sort()
        place = np.zeros(len(self.ids) + 1, dtype=np.uint32)
        place[used.to_numpy()] = np.arange(len(used), dtype=np.uint32)
        return Coded(pl.Series("code", place).gather(codes), self.ids.gather(used))


@dataclass(frozen=True)
class Checked:
    """A table after its checks.

    Attributes:
        table: its name.
        source: where it came from.
        rows: rows read.
        coded: id columns.
        plain: converted columns of the format and the user's further columns.
        findings: all that is wrong.
    """

    table: str
    source: str
    rows: int
    coded: Mapping[str, Coded]
    plain: Mapping[str, pl.Series]
    findings: Findings = field(repr=False)

    def good_rows(self) -> Checked:
        """Without the rows that have a fault."""
        bad = self.findings.bad
        if bad is None:
            return self
        good = ~bad
        coded = {name: c.keep(good) for name, c in self.coded.items()}
        plain = {name: s.filter(good) for name, s in self.plain.items()}
        return Checked(self.table, self.source, self.rows, coded, plain, self.findings)


def check_table(table: Table, clock: Clock) -> Checked:
    """Read and check every column of `table`; nothing raises for what users wrote in it."""
    specs = TABLES[table.name]
    names = table.frame.collect_schema().names()
    findings = Findings(table.name)
    _check_names(table, specs, names, findings)
    rows = int(table.frame.select(pl.len()).collect().item())
    coded: dict[str, Coded] = {}
    plain: dict[str, pl.Series] = {}
    for name in names:
        raw = table.column(name)
        if name not in specs:
            plain[name] = _further(raw, table.typed)
            continue
        values = convert(specs[name], raw, findings, clock)
        del raw
        if values is None:
            continue
        if specs[name].kind == "id":
            coded[name] = Coded(*encode_sorted(values))
        else:
            plain[name] = values
    _check_rows(table, rows, coded, findings)
    return Checked(table.name, table.source, rows, coded, plain, findings)


def _check_names(table: Table, specs: Mapping[str, Column], names: list[str], findings: Findings) -> None:
    others, advised = [n for n in names if n not in specs], set()
    for spec in specs.values():
        if not spec.required or spec.name in names:
            continue
        near = get_close_matches(spec.name, others, n=1, cutoff=0.5)
        advised.update(near)
        advice = f"rename {near[0]!r}, or pass rename" if near else "add it"
        if spec.name == "domain":
            advice += ', or pass domain="…" when there is only one'
        there = ", ".join(names) or "none"
        findings.whole(spec.name, f"this column is missing in {table.source}; there are: {there}; {advice}.")
    for name in sorted((RESERVED & set(names)) - advised):
        findings.whole(name, "this name is kept for codes; give the column another name.")


def _check_rows(table: Table, rows: int, coded: Mapping[str, Coded], findings: Findings) -> None:
    if rows == 0 and table.name == "interactions":
        findings.whole("", f"{table.source} has no rows; at least one interaction is needed.")
    keys = {"items": ("item_id", "domain"), "users": ("user_id",)}.get(table.name, ())
    if not keys or not all(k in coded for k in keys):
        return
    codes = pl.DataFrame({k: coded[k].codes for k in keys})
    again = ~codes.select(pl.struct(pl.all()).is_first_distinct()).to_series() & codes[keys[0]].is_not_null()
    if again.any():
        words = coded[keys[0]].ids.gather(coded[keys[0]].codes)
        what = "listed before for the same " + " and ".join(keys)
        findings.rows(keys[0], again, words, what, "one row each is allowed")


def _further(raw: pl.Series, typed: bool) -> pl.Series:
    """A column of the user's own: one width per type, so that equal tables of different formats are equal here."""
    if raw.dtype.is_integer():
        return raw.cast(pl.Int64, strict=False)
    if raw.dtype.is_float() or raw.dtype.is_decimal():
        return raw.cast(pl.Float64)
    if isinstance(raw.dtype, (pl.Categorical, pl.Enum)) or raw.dtype == pl.Null:
        return raw.cast(pl.String)
    if isinstance(raw.dtype, pl.Datetime):
        return raw.cast(pl.Datetime("us", raw.dtype.time_zone))
    return raw if typed or raw.dtype != pl.String else _guess(raw)


def _guess(raw: pl.Series) -> pl.Series:
    given = raw.is_not_null()
    # "00501" is a name, not a number: only texts without leading zeros may become numbers.
    if not given.any() or raw.str.contains(r"^-?0\d").any():
        return raw
    for kind in (pl.Int64, pl.Float64):
        number = raw.cast(kind, strict=False)
        if bool((number.is_not_null() == given).all()):
            return number
    return raw
