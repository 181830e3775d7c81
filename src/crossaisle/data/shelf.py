"""The shelf of a catalogue: names of its items, near names of strangers, and items that come new."""

from __future__ import annotations

from difflib import get_close_matches

import polars as pl

from ..errors import DataError
from ..types import Codes
from .vocab import Vocab

_COMPARED = 2000


def titled(ids: Vocab, items: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """``item_id`` and ``title`` (null where unknown) of item `codes`; `items` has one row per code, or no columns."""
    names = pl.DataFrame({"item_id": ids.ids.gather(codes)})
    if "title" not in items.columns:
        return names.with_columns(title=pl.lit(None, pl.String))
    return names.with_columns(title=items["title"].gather(codes))


def stranger(ids: Vocab, item: str) -> str:
    """One sentence for an unknown item id, with near ids; only those that begin alike are compared."""
    alike = ids.ids.filter(ids.ids.str.starts_with(item[:2])).head(_COMPARED)
    near = get_close_matches(item, alike.to_list(), n=3, cutoff=0.5)
    advice = "did you mean " + " or ".join(map(repr, near)) + "?" if near else "no known id is near."
    return f"unknown item {item!r}: {advice} An item that is new can be added by its content, with_items(...)."


def new_ids(ids: Vocab, content: pl.DataFrame) -> pl.Series:
    """The ids of new items.

    Raises:
        DataError: ids are missing, repeated, or known already.
    """
    if "item_id" not in content.columns:
        raise DataError(f"new items need a column item_id; the columns are: {', '.join(content.columns) or 'none'}.")
    found = content["item_id"].cast(pl.String).rename("id")
    if found.null_count():
        raise DataError(f"{found.null_count()} of {len(found)} new items have no item_id; give each its own.")
    twice = found.filter(found.is_duplicated()).unique(maintain_order=True).head(3).to_list()
    if twice:
        raise DataError(f"new items are repeated ({', '.join(twice)}); give every item_id once.")
    known = found.filter(ids.encode(found) >= 0).head(3).to_list()
    if known:
        raise DataError(f"new items are known already ({', '.join(known)}); give only new item_ids.")
    return found


def longer(items: pl.DataFrame, content: pl.DataFrame) -> pl.DataFrame:
    """`items` with a row for each of `content` at the end; columns that only `content` has are left out.

    Raises:
        DataError: a column has values that do not fit the shelf's type.
    """
    if not items.width:
        return items
    kept = [c for c in items.columns if c in content.columns]
    try:
        rows = content.select("item_id", *(pl.col(c).cast(items.schema[c]) for c in kept))
    except pl.exceptions.InvalidOperationError:
        wanted = ", ".join(f"{c} as {items.schema[c]}" for c in kept)
        raise DataError(f"columns of the new items do not fit the shelf; give {wanted}.") from None
    return pl.concat([items, rows], how="diagonal").drop("item_id")
