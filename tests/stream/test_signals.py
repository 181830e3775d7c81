from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="the room stream reads rows of a store: pip install crossaisle[serve]")

from crossaisle.api import World, transfer
from crossaisle.stream.prequential import answered, exam_of
from crossaisle.stream.signals import answers, inputs, mix_of

MONDAY = datetime(2024, 1, 1)


def test_a_price_beyond_all_prices_is_no_price() -> None:
    rows = [
        ("ann", "a", "tea", MONDAY, 10.0),
        ("ann", "b", "tea", MONDAY, float("inf")),
        ("eve", "a", "tea", MONDAY, 3e38),
    ]
    rows += [("eve", "b", "tea", MONDAY, 3e38)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp", "price"], orient="row")
    world = World.from_frames(frame.with_columns(price=pl.lit(1.0)))
    shop = transfer(world, "tea", method="popularity", sources=())
    window = world.interactions.with_columns(price=frame["price"].cast(pl.Float32))
    found = [s.value for s in inputs(world, window, shop, mix_of(world)) if s.signal == "price_level"]
    assert sorted(found) == pytest.approx([1.0, np.log10(3e38)])


def test_hand_worked_signals_of_two_visits() -> None:
    rows = [
        ("ann", "a", "tea", 0, 10.0), ("ann", "x", "cups", 0, 10.0), ("bob", "a", "tea", 0, 10.0),
        ("ann", "a", "tea", 1, 100.0), ("ann", "b", "tea", 1, None),
        ("eve", "x", "cups", 1, 1.0), ("eve", "x", "cups", 1, 1.0),
    ]  # fmt: skip
    frame = pl.DataFrame(
        [(u, i, d, MONDAY + timedelta(days=day, hours=n), p) for n, (u, i, d, day, p) in enumerate(rows)],
        schema=["user_id", "item_id", "domain", "timestamp", "price"],
        orient="row",
    )
    listed = pl.DataFrame({"item_id": ["a", "b"], "domain": ["tea", "tea"]})
    world = World.from_frames(frame, listed)
    tuesday = MONDAY + timedelta(days=1)
    known, window = world.until(tuesday), world.interactions.filter(pl.col("timestamp") >= tuesday)
    shop = transfer(known, "tea", method="popularity", sources=("cups",))
    tea, cups = -np.log2(3 / 5), -np.log2(2 / 5)  # two rows of tea and one of cups, one more for each
    assert mix_of(known)[[world.domain_code("tea"), world.domain_code("cups")]] == pytest.approx([tea, cups])
    found: dict[str, list[float]] = {}
    for signal, _, value in inputs(world, window, shop, mix_of(known)):
        found.setdefault(signal, []).append(value)
    assert found["unknown_items"] == [0.5, 0.0]  # b is new, x is not
    assert found["unknown_people"] == [0.0, 1.0]  # eve is new
    assert found["domain_mix"] == pytest.approx([tea, cups])
    assert found["price_level"] == pytest.approx([2.0, 0.0])  # ann paid 100 and something unknown
    exam = exam_of(known, window, "tea", tuesday)
    quality = answered(shop, exam)
    seen = list(answers(shop, exam, quality, tuesday))
    assert [s.value for s in seen if s.signal == "quality"] == [1.0]  # b is all that is left for ann
    # Scores are 1 (a) and 0 (b): the best stands one deviation above the mean.
    assert [s.value for s in seen if s.signal == "top_score"] == pytest.approx([1.0], abs=0.01)
