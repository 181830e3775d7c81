"""`crossaisle similar`: the items most like one item."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..errors import ConfigError
from .artifacts import open_recommender
from .flags import Maybe
from .output import OUTPUT, Output, emit, table
from .recommend import new_items

app = App(name="similar", help_epilogue="Example: crossaisle similar runs/demo --item 1029743 -k 5")


@app.default
def similar(
    run: Path,
    /,
    *,
    item: Annotated[str | None, Maybe] = None,
    item_title: Annotated[str | None, Maybe] = None,
    k: Annotated[int, Parameter(name=["-k", "--k"])] = 10,
    output: Output = OUTPUT,
) -> None:
    """List the items most like one item.

    Args:
        run: folder of a run, or of a recommender that ``crossaisle transfer`` wrote.
        item: id of the item.
        item_title: title of an item that the shop does not have yet, compared by content; in place of --item.
        k: number of items.
    """
    if (item is None) == (item_title is None):
        raise ConfigError("give either --item ID or --item-title TITLE.")
    shop = open_recommender(run, None)
    if item_title is not None:
        made = new_items([item_title])
        shop, item = shop.with_items(made), made["item_id"][0]
    found = shop.similar(str(item), k)
    if output.json:
        emit({"item_id": item, "items": found.to_dicts()})
        return
    if found.is_empty():
        print(
            f"No item is known to be like {item!r}: nobody bought it together with one of {shop.domain!r}, and "
            f"{shop.method!r} does not compare items by content; zero_shot and finetune do."
        )
        return
    rows = [(r["item_id"], r["title"], f"{r['score']:.4g}", r["basis"]) for r in found.iter_rows(named=True)]
    table(f"most like {item}", ["item", "title", "score", "basis"], rows, right=["score"])
