"""Where a row's domain comes from when its table does not say: the option, or the items table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from .problems import Problem
from .table import Table


def with_domain(tables: Mapping[str, Table], domain: str | None) -> tuple[dict[str, Table], list[Problem]]:
    """Tables with a `domain` column wherever it can be known.

    Args:
        tables: interactions and perhaps items.
        domain: the one domain of all rows; used only where a table has no such column.

    Returns:
        (tables, problems): a problem when items are in several domains and interactions do not say which.
    """
    ready = dict(tables)
    if domain is not None:
        for name in ("interactions", "items"):
            if name in ready and not _has(ready[name], "domain"):
                frame = ready[name].frame.with_columns(domain=pl.lit(domain))
                ready[name] = replace(ready[name], frame=frame)
        return ready, []
    events, items = ready["interactions"], ready.get("items")
    if items is None or _has(events, "domain") or not (_has(items, "domain") and _has(items, "item_id")):
        return ready, []
    if not _has(events, "item_id"):
        return ready, []
    pairs = items.frame.select(pl.col("item_id", "domain").cast(pl.String)).drop_nulls().unique().collect()
    several = pairs.filter(pl.col("item_id").is_duplicated())["item_id"].unique().sort()
    if len(several):
        shown = ", ".join(repr(i) for i in several.head(5))
        sentence = (
            f"this column is missing, and {len(several):,} items are in more than one domain (for example {shown}); "
            "say in each interaction which domain it happened in."
        )
        # Any word will do: it is refused in any case, and the other checks then do not say the same again.
        filled = events.frame.with_columns(domain=pl.lit("?"))
        return ready | {"interactions": replace(events, frame=filled)}, [Problem("interactions", "domain", sentence)]
    # Looked up once and kept: a lazy join would run again for every column that is read.
    asked = events.frame.select(pl.col("item_id").cast(pl.String)).collect()
    found = asked.join(pairs, on="item_id", how="left", maintain_order="left")["domain"]
    frame = events.frame.with_columns(found)
    return ready | {"interactions": replace(events, frame=frame)}, []


def _has(table: Table, column: str) -> bool:
    return column in table.frame.collect_schema().names()
