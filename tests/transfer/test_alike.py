"""Items alike: a shelf of four, by hand."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import polars as pl
import pytest

from crossaisle.transfer.alike import alike, share_of

SHELF = pl.DataFrame(
    {
        "item": [0, 1, 2, 3],
        "title": ["Green tea", "green TEA bags", "chocolate bags", None],
        "brand": [None, None, None, None],
        "price": [1.0, 2.0, 3.0, 4.0],
    },
    schema_overrides={"brand": pl.String},
)


def of(items: pl.DataFrame, power: float = 1.0, neighbours: int = 10) -> np.ndarray:
    return alike(items, power, neighbours).toarray()


def shelf(*titles: str | None) -> pl.DataFrame:
    return pl.DataFrame({"title": list(titles)}, schema={"title": pl.String})


def test_by_hand() -> None:
    """Ten items, so that a word of two items is not common (below 3 of 10)."""
    titles = ["Green tea", "green bags", "bags tea", "Green", *[f"only{n}" for n in range(6)]]
    got = of(shelf(*titles))
    # green is in 3 of 10, too common to tell; tea and bags are in two each, of weight log 5.
    wanted = np.eye(10)
    wanted[0, 2] = wanted[2, 0] = log(5) / sqrt(log(5) * 2 * log(5))
    wanted[1, 2] = wanted[2, 1] = wanted[0, 2]
    assert got == pytest.approx(wanted, abs=1e-6)
    assert of(shelf(*titles), power=2.0)[0, 2] == pytest.approx(0.5)


def test_items_without_any_attribute_are_alike_only_to_themselves() -> None:
    assert of(SHELF)[3].tolist() == [0, 0, 0, 1]
    assert np.array_equal(of(shelf(None, None)), np.eye(2))
    assert np.array_equal(of(SHELF.select("item", "price")), np.eye(4))


def test_an_attribute_and_a_word_of_the_same_name_are_two_things() -> None:
    rows = pl.DataFrame(
        {"title": ["mint", "mint", *"abcdefgh"], "brand": [None, None, "mint", "mint", *["x"] * 6]},
    )
    got = of(rows)
    assert got[0, 1] == pytest.approx(1)
    assert got[2, 3] == pytest.approx(1)
    assert got[0, 2] == 0


def test_the_nearest_are_kept() -> None:
    titles = ["one two three", "one two three", "one two", "one", *["z"] * 9, *["y"] * 9]
    rows = alike(shelf(*titles), 1.0, 2)
    assert np.diff(rows.indptr).max() <= 3
    assert set(rows[0].indices) == {0, 1, 2}
    assert rows[0].toarray().max() == pytest.approx(1)


def test_the_order_of_rows_does_not_matter_and_repeats_exactly() -> None:
    draw = np.random.default_rng(0)
    words = np.array(["tea", "cake", "bag", "green", "dark", "box", "milk", "rye", "oat"])
    titles = [" ".join(draw.choice(words, 3, replace=False)) for _ in range(60)]
    got = of(shelf(*titles), 2.0, 60)
    assert np.array_equal(got, of(shelf(*titles), 2.0, 60))
    turned = of(shelf(*titles[::-1]), 2.0, 60)[::-1, ::-1]
    assert turned == pytest.approx(got, abs=1e-6)
    assert got == pytest.approx(got.T, abs=1e-6)


def test_share_by_hand() -> None:
    near = alike(shelf("tea", "tea", *[f"w{n}" for n in range(8)]), 1.0, 5)
    share = share_of(near, np.array([3, 0, 1, *[0] * 7], np.float32))
    assert share[:3] == pytest.approx([3.5 / 4, 0.5 / 4, 1.0])
