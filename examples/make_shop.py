"""A made-up shop of three departments as CSV files, to try the own-data path with.

    python examples/make_shop.py shop

People's tastes carry over from dairy and snacks to the bakery; people, products and purchases are invented.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from crossaisle.api import World

DEPARTMENTS = ("dairy", "snacks", "bakery")


def main(folder: Path) -> None:
    """Write interactions.csv and items.csv to `folder`."""
    world, _ = World.synthetic(n_domains=3, users=400, items=150, user_overlap=0.8, distance=0.1, weeks=48.0)
    ids = {"item_id": (world.item_ids, "item"), "user_id": (world.user_ids, "user")}
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns, about in (
        ("interactions", ("user_id", "item_id"), ("timestamp", "price")),
        ("items", ("item_id",), ("title", "brand", "category", "price")),
    ):
        rows = getattr(world, name)
        table = {c: ids[c][0].ids.gather(rows[ids[c][1]]) for c in columns}
        domains = pl.Series([DEPARTMENTS[d] for d in rows["domain"].to_list()])
        pl.DataFrame({**table, "domain": domains}).hstack(rows.select(about)).write_csv(folder / f"{name}.csv")
    print(f"{folder}: interactions.csv and items.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "shop"))
