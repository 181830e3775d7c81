"""Candidate lists: a purchase that was held out, and the candidates it is ranked among."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from ..data.world import World
from ..errors import DataError
from ..metrics import Bools
from ..types import Codes

FILE = "candidates.parquet"
TWINS = "twin.parquet"
COLUMNS = ("user_id", "domain", "item_id", "candidates")


@dataclass(frozen=True, eq=False)
class CandidateLists:
    """The lists of one target domain.

    Attributes:
        users: (n,) user codes.
        items: (n, 1 + m) item codes, the wanted one first; −1 fills shorter lists.
        twin: (n,) True where the person trains on a twin of the wanted item in another domain.
    """

    users: Codes
    items: Codes
    twin: Bools


def targets_of(folder: Path) -> list[str]:
    """Domains that `folder` has lists for, sorted.

    Raises:
        DataError: no lists there, or other columns.
    """
    return read(folder)["domain"].unique().sort().to_list()


def read(folder: Path) -> pl.DataFrame:
    """The table of candidates in `folder`.

    Raises:
        DataError: it is not there, or a column is missing.
    """
    if not (folder / FILE).is_file():
        raise DataError(f"{folder} has no {FILE}; a benchmark folder has train, test and {FILE} (columns {COLUMNS}).")
    table = pl.read_parquet(folder / FILE)
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise DataError(f"{folder / FILE} lacks the column {missing[0]!r}; it needs {', '.join(COLUMNS)}.")
    return table


def lists_of(folder: Path, world: World, target: str) -> CandidateLists:
    """The lists of `target`.

    Raises:
        DataError: no lists, or ids that the World does not know.
    """
    table = read(folder).filter(pl.col("domain") == target)
    if not len(table):
        raise DataError(f"{folder / FILE} has no list of domain {target!r}; it has {', '.join(targets_of(folder))}.")
    width = int(table["candidates"].list.len().cast(pl.Int64).to_numpy().max())
    items = np.full((len(table), 1 + width), -1, dtype=np.int64)
    items[:, 0] = _known(world.item_ids.encode(table["item_id"]), table["item_id"], "item")
    row, flat = table.with_row_index("row").select("row", "candidates").explode("candidates").drop_nulls()
    place = table["candidates"].list.len().cast(pl.Int64).to_numpy()
    start = np.repeat(np.cumsum(place) - place, place)
    items[row.to_numpy(), 1 + np.arange(len(flat)) - start] = _known(world.item_ids.encode(flat), flat, "item")
    users = _known(world.user_ids.encode(table["user_id"]), table["user_id"], "user")
    return CandidateLists(users, items, _twins(folder, table))


def _known(codes: Codes, ids: pl.Series, what: str) -> Codes:
    if (codes < 0).any():
        strange = ids.to_list()[int(np.flatnonzero(codes < 0)[0])]
        raise DataError(f"{FILE} names the {what} {strange!r}, which is in none of the other files; add it to them.")
    return codes


def _twins(folder: Path, table: pl.DataFrame) -> Bools:
    if not (folder / TWINS).is_file():
        return np.zeros(len(table), dtype=bool)
    keys = ["user_id", "domain", "item_id"]
    twins = pl.read_parquet(folder / TWINS).select(keys).unique().with_columns(twin=pl.lit(value=True))
    joined = table.select(keys).join(twins, on=keys, how="left", maintain_order="left")
    return np.asarray(joined["twin"].fill_null(value=False).to_numpy(), dtype=bool)
