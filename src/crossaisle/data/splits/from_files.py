"""Given splits: the user says which rows train, select and are asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import DataError
from ..check import Checked, check_table
from ..domain import with_domain
from ..load import as_table
from ..problems import Problem, refuse
from ..schema import DEFAULT_EVENT, PART
from ..validate import Clock
from ..vocab import Vocab
from ..world import World
from .base import Split, need_test, rows_of


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
    cut, leaks = None, False
    if isinstance(last, datetime) and isinstance(first, datetime):
        cut, leaks = (None, True) if last > first else (first, False)
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
    """The rows of `part` in the codes and columns of `world.interactions`."""
    only = world.domains.ids[0] if len(world.domains) == 1 else None
    tables, _ = with_domain({"interactions": as_table("interactions", part)}, only)
    checked = check_table(tables["interactions"], Clock.ticking(None))
    if checked.findings.problems:
        raise refuse(f"the given {name} part", checked.findings.problems)
    words = {"user_id": world.user_ids, "item_id": world.item_ids, "domain": world.domains, "event": world.events}
    found = {c: _codes(name, c, vocabulary, checked) for c, vocabulary in words.items()}
    problems = [f for f in found.values() if isinstance(f, Problem)]
    if problems:
        raise refuse("the given split", problems)
    codes = {c.removesuffix("_id"): f for c, f in found.items() if isinstance(f, pl.Series)}
    return _like(world.interactions, {**checked.plain, **codes}, checked.rows)


def _codes(name: str, column: str, vocabulary: Vocab, checked: Checked) -> pl.Series | Problem:
    """Codes (n,) of one id column of the part `name`, or what is wrong with it."""
    if column not in checked.coded:  # of the four, only the event may be left out
        code = 0 if len(vocabulary) == 1 else vocabulary.code(DEFAULT_EVENT)
        if code < 0:
            return Problem(name, column, "this column is missing, and the World has several events; add it.")
        return pl.repeat(code, checked.rows, eager=True)
    coded = checked.coded[column]
    codes = pl.Series(vocabulary.encode(coded.ids))
    strange = coded.ids.filter(codes < 0)
    if len(strange):
        shown = ", ".join(repr(i) for i in strange.head(5))
        sentence = f"{len(strange):,} ids are not in the World (for example {shown}); read them with it."
        return Problem(name, column, sentence)
    return codes.gather(coded.codes)


def _like(pattern: pl.DataFrame, columns: dict[str, pl.Series], rows: int) -> pl.DataFrame:
    series = []
    for name, dtype in pattern.schema.items():
        values = columns.get(name)
        if values is None:
            values = pl.Series(name, [None], dtype=dtype).new_from_index(0, rows)
        series.append(values.cast(dtype, strict=False).alias(name))
    return pl.DataFrame(series)
