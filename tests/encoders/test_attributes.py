"""Attributes against values worked by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from crossaisle.encoders.attributes import AttributeEncoder
from crossaisle.encoders.method import ENCODERS

NAN = float("nan")


def shop() -> pl.DataFrame:
    """Five prices in each of two domains, one a thousand times dearer."""
    return pl.DataFrame(
        {
            "item": list(range(10)),
            "domain": ["food"] * 5 + ["tv"] * 5,
            "title": [f"t{n}" for n in range(10)],
            "price": [1.0, 2, 3, 4, 5, 1000, 2000, 3000, 4000, 5000],
            "weight": [0.0, 0, 0, 0, 0, 9, 9, 9, 9, None],
            "brand": ["Acme", "acme ", "Bolt", "Bolt", None, "Acme", "Once", "", "Bolt", "Bolt"],
        }
    )


def test_price_is_a_rank_within_its_domain() -> None:
    encoder = AttributeEncoder.fit(shop())
    vectors, mask = encoder.encode(shop())
    assert encoder.numbers == ("price", "weight")
    assert vectors.shape == (10, encoder.dim)
    assert vectors.dtype == np.float32
    assert vectors[:5, 0] == pytest.approx([-1, -0.5, 0, 0.5, 1], abs=0.02)
    assert vectors[:5, 0] == pytest.approx(vectors[5:, 0])
    assert mask.all()


def test_a_price_of_an_unknown_domain_is_ranked_among_all() -> None:
    row = pl.DataFrame({"domain": ["new", None, "food"], "price": [500.0, 500.0, 500.0]})
    vectors, _ = AttributeEncoder.fit(shop()).encode(row)
    assert vectors[:, 0] == pytest.approx([0, 0, 1], abs=0.02)


def test_equal_prices_are_in_the_middle() -> None:
    rows = pl.DataFrame({"domain": ["a"] * 4, "price": [2.0] * 4})
    assert (AttributeEncoder.fit(rows).encode(rows)[0][:, 0] == 0).all()


def test_other_numbers_are_signed_logs_standardised() -> None:
    vectors, _ = AttributeEncoder.fit(shop()).encode(shop())
    logs = np.array([0] * 5 + [np.log(10)] * 4)
    assert vectors[:9, 2] == pytest.approx((logs - logs.mean()) / logs.std())
    assert vectors[9, 2:].tolist() == [0, 1, 0]
    rows = pl.DataFrame({"x": [-(np.e - 1), np.e - 1]})
    assert AttributeEncoder.fit(rows).encode(rows)[0][:, 0] == pytest.approx([-1, 1])


def test_other_numbers_have_their_rank_within_the_domain_beside_them() -> None:
    rows = pl.DataFrame({"domain": ["a"] * 3 + ["b"] * 3, "x": [0.0, 1, 2, 0, 1000, 2000]})
    vectors, _ = AttributeEncoder.fit(rows).encode(rows)
    assert vectors[:3, 2] == pytest.approx([-1, 0, 1], abs=0.02)
    assert vectors[:3, 2] == pytest.approx(vectors[3:, 2])


def test_levels_are_codes_and_rare_or_unseen_ones_are_zero() -> None:
    encoder = AttributeEncoder.fit(shop())
    codes = encoder.levels(shop())[:, 0]
    assert encoder.sizes == (3,)
    assert codes[0] == codes[1] == codes[5]
    assert codes[2] == codes[3] == codes[8] == codes[9]
    assert {codes[0], codes[2]} == {1, 2}
    assert codes[[4, 6, 7]].tolist() == [0, 0, 0]
    assert encoder.levels(pl.DataFrame({"brand": ["BOLT", "Zeta"]}))[:, 0].tolist() == [codes[2], 0]


def test_only_the_commonest_levels_are_kept() -> None:
    rows = pl.DataFrame({"brand": ["a"] * 2 + ["b"] * 3 + ["c"] * 4})
    encoder = AttributeEncoder.fit(rows, max_levels=2)
    assert (encoder.levels(rows)[:, 0] > 0).tolist() == [False] * 2 + [True] * 7


def test_rows_that_nothing_is_known_of() -> None:
    rows = pl.DataFrame({"price": [None, NAN, 2.0, None], "brand": [None, "Zeta", None, "Acme"]})
    vectors, mask = AttributeEncoder.fit(shop()).encode(rows)
    assert mask.tolist() == [False, False, True, True]
    assert (vectors[0] == [0, 1, 0, 1, 0]).all()


def test_columns_without_a_value_and_other_kinds_are_no_attributes() -> None:
    rows = shop().with_columns(pl.lit(None, pl.Float64).alias("empty"), pl.lit("").alias("blank"), tags=pl.lit([1]))
    encoder = AttributeEncoder.fit(rows)
    assert (encoder.numbers, list(encoder.words)) == (("price", "weight"), ["brand"])


def test_missing_columns_and_wrong_types_read_as_missing() -> None:
    encoder = AttributeEncoder.fit(shop())
    vectors, mask = encoder.encode(pl.DataFrame({"price": ["cheap", "3"], "domain": ["food", "food"]}))
    assert mask.tolist() == [False, True]
    assert vectors[1] == pytest.approx([0, 0, 0, 1, 0], abs=0.02)
    assert encoder.encode(shop()[:0])[0].shape == (0, 5)
    assert encoder.levels(shop()[:0]).shape == (0, 1)


def test_users_are_read_alike() -> None:
    users = pl.DataFrame(
        {"user": [0, 1, 2, 3], "age": ["19-24", "19-24", "65+", "65+"], "child": [True, True, True, False]}
    )
    encoder = AttributeEncoder.fit(users)
    vectors, mask = encoder.encode(users)
    assert vectors.shape == (4, 0)
    assert mask.all()
    assert encoder.sizes == (3, 2)
    assert encoder.levels(users)[:, 1].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    "make", [shop, lambda: shop().select("title"), lambda: shop().with_columns(domain=pl.int_range(10))]
)
def test_state_restores_the_encoder(make: Callable[[], pl.DataFrame]) -> None:
    fitted = AttributeEncoder.fit(make())
    tensors, meta = fitted.state()
    restored = AttributeEncoder.restore(tensors, json.loads(json.dumps(meta)))
    assert restored.sizes == fitted.sizes
    for one, other in zip(restored.encode(make()), fitted.encode(make()), strict=True):
        assert (one == other).all()
    assert (restored.levels(make()) == fitted.levels(make())).all()


def test_it_is_registered() -> None:
    assert ENCODERS.get("attributes") is AttributeEncoder


CELLS = st.lists(
    st.tuples(st.sampled_from("ab"), st.floats(allow_nan=True, allow_infinity=True) | st.none(), st.text(max_size=3)),
    min_size=1, max_size=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(CELLS)
def test_any_table_gives_finite_vectors_and_codes_in_range(cells: list[tuple[Any, ...]]) -> None:
    schema = {"domain": pl.String, "price": pl.Float64, "brand": pl.String}
    rows = pl.DataFrame(cells, schema=schema, orient="row").with_columns(weight=pl.col("price"))
    encoder = AttributeEncoder.fit(rows)
    vectors, _ = encoder.encode(rows)
    assert np.isfinite(vectors).all()
    assert (np.abs(vectors[:, :1]) <= 1).all()
    levels = encoder.levels(rows)
    assert ((levels >= 0) & (levels < np.array(encoder.sizes, dtype=np.int64))).all()
