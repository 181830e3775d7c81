"""Given splits: the user says which rows train, select and are asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import DataError
from ..check import check_table
from ..domain import with_domain
from ..load import ReadOptions, as_table
from ..problems import Problem, refuse
from ..validate import Clock
from ..world import World
from .base import Split, need_test, rows_of

PART = "part"
"""Column of interactions that a folder with train, valid and test files gives to its World."""


def given(
    world: World,
    target: str,
    train: Path | str | Any | None = None,
    valid: Path | str | Any | None = None,
    test: Path | str | Any | None = None,
) -> Split:
    """The user's own split.

    Args:
        world: knows every id in the parts (`World.from_folder` reads train, valid and test files together).
        target: rows of other domains in `valid` and `test` are left out.
        train: file or frame with the columns of interactions; None for all three takes the parts of the folder.
        valid: rows that select; may be absent.
        test: rows that are asked.

    Raises:
        DataError: parts are missing, have wrong rows, or ids that the World does not know.
    """
    of_target = rows_of(world, target)
    if train is None and valid is None and test is None:
        parts = _of_folder(world)
    elif train is None or test is None:
        raise DataError("a given split needs train and test (valid may be absent); name both files.")
    else:
        named = {"train": train, "valid": valid, "test": test}
        parts = {n: world.interactions.clear() if p is None else _coded(world, n, p) for n, p in named.items()}
    asked = parts["test"].filter(of_target)
    need_test(asked, target, "in the given test rows")
    last, first = parts["train"]["timestamp"].max(), asked["timestamp"].min()
    timed = isinstance(last, datetime) and isinstance(first, datetime)
    leaks = isinstance(last, datetime) and isinstance(first, datetime) and last > first
    cut = first if timed and not leaks and isinstance(first, datetime) else None
    none = parts["train"].clear()
    return Split(parts["train"], parts["valid"].filter(of_target), asked, none, "given", cut, leaks)


def _of_folder(world: World) -> dict[str, pl.DataFrame]:
    rows = world.interactions
    if PART not in rows.columns:
        raise DataError(
            "this World was not read from a folder with train.* and test.*; pass the files of the given split: "
            "train, test and perhaps valid."
        )
    return {p: rows.filter(pl.col(PART) == p) for p in ("train", "valid", "test")}


def _coded(world: World, name: str, part: Any) -> pl.DataFrame:
    source = as_table("interactions", part)
    tables, _ = with_domain({"interactions": source}, None)
    if len(world.domains) == 1:
        tables, _ = with_domain({"interactions": source}, world.domains.ids[0])
    checked = check_table(tables["interactions"], Clock.ticking(ReadOptions().time_unit))
    if checked.findings.problems:
        raise refuse(f"the given {name} part", checked.findings.problems)
    columns: dict[str, pl.Series] = {}
    problems = []
    known = {"user_id": world.user_ids, "item_id": world.item_ids, "domain": world.domains, "event": world.events}
    short = {"user_id": "user", "item_id": "item", "domain": "domain", "event": "event"}
    for column, vocabulary in known.items():
        if column not in checked.coded:
            columns["event"] = pl.Series([0]).new_from_index(0, checked.rows)
            continue
        coded = checked.coded[column]
        codes = pl.Series(vocabulary.encode(coded.ids))
        strange = coded.ids.filter(codes < 0)
        if len(strange):
            shown = ", ".join(repr(i) for i in strange.head(5))
            sentence = f"{len(strange):,} ids are not in the World (for example {shown}); read them with it."
            problems.append(Problem(name, column, sentence))
        columns[short[column]] = codes.gather(coded.codes)
    if problems:
        raise refuse("the given split", problems)
    columns |= {n: s for n, s in checked.plain.items() if n in world.interactions.columns}
    return _like(world.interactions, columns, checked.rows)


def _like(pattern: pl.DataFrame, columns: dict[str, pl.Series], rows: int) -> pl.DataFrame:
    series = []
    for name, dtype in pattern.schema.items():
        values = columns.get(name)
        if values is None:
            values = pl.Series(name, [None], dtype=dtype).new_from_index(0, rows)
        series.append(values.cast(dtype).alias(name))
    return pl.DataFrame(series)
