"""A candidate beside a log: its probability of every shown item, and how much of it the log never shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..errors import DataError
from ..recommender import Recommender
from ..types import Codes, Doubles


@dataclass(frozen=True)
class Placed:
    """A candidate in the terms of a log of n rows; a cell is an item at a place.

    Attributes:
        probability: (n,) of the shown item at its place.
        cells: (n,) column of `matrix`.
        places: (cells,) code of each cell's place.
        matrix: (contexts, cells) probabilities; a context is a place, or a user at a place.
        contexts: (n,) row of `matrix`.
        uncovered: share of the candidate's probability on cells that the log never shows.
    """

    probability: Doubles
    cells: Codes
    places: Codes
    matrix: sp.csr_matrix
    contexts: Codes
    uncovered: float


def placed(log: pl.DataFrame, policy: pl.DataFrame) -> Placed:
    """`policy` beside `log`, both as `logged` reads them.

    Raises:
        DataError: the candidate says nothing of a place, or of users, that the log has.
    """
    by = [c for c in ("position", "user_id") if c in policy.columns]
    if "user_id" in by and "user_id" not in log.columns:
        raise DataError("the candidate has probabilities for each user_id, and the log has no such column; add it.")
    contexts = log.select(by).unique(maintain_order=True).with_row_index("context")
    known = policy.join(contexts, on=by, how="inner")
    missing = contexts.height - known["context"].n_unique()
    if missing:
        raise DataError(
            f"the candidate says nothing about {missing} of the {contexts.height} pairs or places ({' and '.join(by)}) "
            "of the log; give its probabilities for all of them, or leave those rows out of the log."
        )
    pair = ["item_id", "position"]
    cells = pl.concat([log.select(pair), known.select(pair)]).unique(maintain_order=True).with_row_index("cell")
    rows = log.join(cells, on=pair, how="left", maintain_order="left")
    rows = rows.join(contexts, on=by, how="left", maintain_order="left")
    entries = known.join(cells, on=pair, how="left")
    matrix = sp.csr_matrix(
        (entries["probability"].to_numpy(), (entries["context"].to_numpy(), entries["cell"].to_numpy())),
        shape=(contexts.height, cells.height),
    )
    shown, row = (rows[name].to_numpy().astype(np.int64) for name in ("cell", "context"))
    places = np.unique(cells["position"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    weight = np.bincount(row, minlength=contexts.height) / len(row)
    covered = float(weight @ (matrix @ np.isin(np.arange(cells.height), shown).astype(np.float64)))
    probability = np.asarray(matrix[row, shown]).ravel()
    return Placed(
        probability, shown, places, matrix, row, max(0.0, 1.0 - covered / float(weight @ matrix.sum(axis=1).A1))
    )


def policy_of(shop: Recommender, log: pl.DataFrame) -> pl.DataFrame:
    """What `shop` would show to the users of a log: its best item at place 1, the next at place 2, with certainty.

    Raises:
        DataError: the log does not say who saw its rows.
    """
    if "user_id" not in log.columns:
        raise DataError("the log has no user_id, and a recommender is asked for users; add the column.")
    users = log["user_id"].unique(maintain_order=True).to_list()
    wanted = log["position"].unique().sort()
    ranking = shop.recommend(users, int(wanted[-1]), exclude_seen=False)
    frame = pl.DataFrame({"user_id": users, "item_id": ranking.items.tolist()}).explode("item_id")
    place = pl.int_range(pl.len(), dtype=pl.Int32).over("user_id") + 1
    frame = frame.with_columns(position=place, probability=pl.lit(1.0))
    return frame.filter(pl.col("position").is_in(wanted.implode()) & (pl.col("item_id") != ""))
