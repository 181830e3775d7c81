"""Checked tables → World: one vocabulary for all tables, codes in place of ids, nothing else changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from . import fingerprint
from .check import Checked, Coded
from .problems import Problem
from .schema import ALWAYS, DEFAULT_EVENT, PART, TABLES
from .vocab import Vocab
from .world import World

_DTYPES: Mapping[str, type[pl.DataType]] = {"number": pl.Float32, "whole": pl.Int32, "text": pl.String}
_CODES: Mapping[str, tuple[str, type[pl.DataType]]] = {
    "user_id": ("user", pl.UInt32),
    "item_id": ("item", pl.UInt32),
    "domain": ("domain", pl.UInt16),
    "event": ("event", pl.UInt8),
}
_MOST = {"domain": 65_535, "event": 255}
_FEW_WORDS = ("currency", PART)


def build_world(checked: Mapping[str, Checked], name: str, facts: Mapping[str, Any]) -> World:
    """Assemble a World from tables that hold good rows only.

    Args:
        checked: by table name; ``interactions`` is there.
        name: of the World.
        facts: numbers about the reading.
    """
    tables = list(checked.values())
    vocabularies = {column: _union(tables, column) for column in ("user_id", "item_id", "domain", "event")}
    if not len(vocabularies["event"]):
        vocabularies["event"] = Vocab([DEFAULT_EVENT])
    frames = {t: _frame(t, checked.get(t), vocabularies) for t in TABLES}
    ordered = [vocabularies[c] for c in ("user_id", "item_id", "domain", "event")]
    return World(
        interactions=frames["interactions"],
        items=frames["items"],
        users=frames["users"],
        user_ids=vocabularies["user_id"],
        item_ids=vocabularies["item_id"],
        domains=vocabularies["domain"],
        events=vocabularies["event"],
        name=name,
        fingerprint=fingerprint.of_tables(frames.values(), ordered),
        facts=dict(facts),
    )


def too_many(checked: Mapping[str, Checked]) -> list[Problem]:
    """Problems of domains and events that outnumber their codes (a sign of a mistaken column)."""
    found = []
    for column, most in _MOST.items():
        count = len(_union(list(checked.values()), column))
        if count > most:
            sentence = f"{count:,} different values; at most {most:,} are allowed. Is it the right column?"
            found.append(Problem("interactions", column, sentence))
    return found


def _union(tables: list[Checked], column: str) -> Vocab:
    parts = [t.coded[column].ids for t in tables if column in t.coded]
    if len(parts) == 1:
        return Vocab(parts[0])
    return Vocab(pl.concat(parts).unique().sort() if parts else pl.Series("id", [], dtype=pl.String))


def _frame(table: str, checked: Checked | None, vocabularies: Mapping[str, Vocab]) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    rows = 0
    for column, spec in TABLES[table].items():
        if spec.kind == "id":
            short, dtype = _CODES[column]
            if checked is not None and column in checked.coded:
                columns[short] = _recode(checked.coded[column], vocabularies[column], dtype)
                rows = len(columns[short])
            else:
                columns[short] = pl.Series(short, np.zeros(rows), dtype=dtype)
        elif checked is not None and column in checked.plain:
            columns[column] = checked.plain[column]
        elif column in ALWAYS[table]:
            kind = pl.Datetime("us") if spec.kind == "time" else _DTYPES[spec.kind]
            columns[column] = pl.repeat(None, rows, dtype=kind, eager=True)
    for column, values in (checked.plain if checked is not None else {}).items():
        columns.setdefault(column, values)
    if table == "interactions":
        columns |= {c: _packed(columns[c]) for c in _FEW_WORDS if c in columns}
    return pl.DataFrame([s.alias(n) for n, s in columns.items()])


def _recode(coded: Coded, vocabulary: Vocab, dtype: type[pl.DataType]) -> pl.Series:
    if len(coded.ids) == len(vocabulary):  # its ids are all there are, and both are sorted
        return coded.codes.cast(dtype)
    return pl.Series(vocabulary.encode(coded.ids)).cast(dtype).gather(coded.codes)


def _packed(values: pl.Series) -> pl.Series:
    # Repeated words of ten million rows take one byte each as codes, sixteen as text.
    text = values.cast(pl.String)
    return text.cast(pl.Enum(text.drop_nulls().unique().sort()))
