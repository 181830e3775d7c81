"""What became of users and of what was shown, from what a store keeps: exposures and events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl
from polars.datatypes import DataTypeClass

from ..stores.kinds import Event, Exposure
from .assignment import Experiment

CLICK, PURCHASE = "click", "purchase"
SHOWN: dict[str, DataTypeClass | pl.DataType] = {
    "user_id": pl.String,
    "item_id": pl.String,
    "timestamp": pl.Datetime("us"),
}
EXPOSED: dict[str, DataTypeClass | pl.DataType] = SHOWN | {
    "request_id": pl.String,
    "position": pl.Int32,
    "propensity": pl.Float64,
}
DONE: dict[str, DataTypeClass | pl.DataType] = SHOWN | {"event": pl.String, "paid": pl.Float64}


def outcomes_of(
    experiment: Experiment,
    exposures: Iterable[Exposure],
    events: Iterable[Event],
    *,
    since: datetime,
    now: datetime,
) -> pl.DataFrame:
    """One row per user whose window is over, oldest first, for `summary`.

    A user's window opens with the first exposure. An item shown several times within it is one exposure; it was clicked
    where a ``click`` on it follows. ``bought`` is 1 with any ``purchase`` in the window, ``revenue`` is the sum of
    their price times value (1 where it is not known). Events before the first exposure do not count.

    Args:
        experiment: for its window.
        exposures: what was shown.
        events: what users did.
        since: naive UTC; what was shown before does not count.
        now: naive UTC.

    Returns:
        Columns ``user_id``, ``entered``, ``exposures``, ``clicks``, ``bought`` and ``revenue``.
    """
    window = timedelta(days=experiment.window_days)
    shown = pl.DataFrame([(e.user_id, e.item_id, e.timestamp) for e in exposures], schema=SHOWN, orient="row")
    paid = [(e.user_id, e.item_id, e.timestamp, e.event, _paid(e)) for e in events if e.event in (CLICK, PURCHASE)]
    done = pl.DataFrame(paid, schema=DONE, orient="row")
    shown = shown.filter(pl.col("timestamp") >= since)
    users = shown.group_by("user_id").agg(entered=pl.col("timestamp").min()).filter(pl.col("entered") + window <= now)
    inside = (pl.col("timestamp") >= pl.col("entered")) & (pl.col("timestamp") < pl.col("entered") + window)
    pair = ["user_id", "item_id"]
    first = shown.join(users, on="user_id").filter(inside).group_by(pair).agg(pl.col("timestamp").min())
    done = done.join(users, on="user_id").filter(inside)
    last = done.filter(pl.col("event") == CLICK).group_by(pair).agg(clicked=pl.col("timestamp").max())
    clicks = (
        first.join(last, on=pair, how="left")
        .group_by("user_id")
        .agg(
            exposures=pl.len().cast(pl.Int64),
            clicks=(pl.col("clicked") >= pl.col("timestamp")).fill_null(False).sum().cast(pl.Int64),
        )
    )
    bought = (
        done.filter(pl.col("event") == PURCHASE)
        .group_by("user_id")
        .agg(bought=pl.lit(1, pl.Int64), revenue=pl.col("paid").sum())
    )
    joined = users.join(clicks, on="user_id").join(bought, on="user_id", how="left")
    return joined.with_columns(pl.col("bought", "revenue").fill_null(0)).sort("entered", "user_id")


def log_of(exposures: Iterable[Exposure], events: Iterable[Event], event: str = CLICK) -> pl.DataFrame:
    """A log for `estimate`: one row per exposure, its reward 1 where an `event` on the item followed.

    An event counts for the last time that its item was shown to its user before it.
    """
    rows = [(e.user_id, e.item_id, e.timestamp, e.request_id, e.position, e.propensity) for e in exposures]
    shown = (
        pl.DataFrame(rows, schema=EXPOSED, orient="row").sort("timestamp", maintain_order=True).with_row_index("row")
    )
    then = [(e.user_id, e.item_id, e.timestamp) for e in events if e.event == event]
    done = pl.DataFrame(then, schema=SHOWN, orient="row").sort("timestamp")
    pair = ["user_id", "item_id"]
    met = done.join_asof(shown.select("row", "timestamp", *pair), on="timestamp", by=pair, check_sortedness=False)
    return shown.with_columns(reward=pl.col("row").is_in(met["row"].implode()).cast(pl.Float64)).drop(
        "row", "timestamp"
    )


def _paid(event: Event) -> float:
    return (event.price or 0.0) * (1.0 if event.value is None else event.value)
