"""What was shown and what came of it, by hand."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from crossaisle.train.exposures import outcomes

VIEW, CLICK, BUY, CART = 3, 0, 2, 1
ROWS = [  # user, item, event, day
    (1, 5, VIEW, 2), (1, 5, CLICK, 2), (1, 5, BUY, 4),  # all, at once and later
    (0, 7, VIEW, 5), (0, 7, VIEW, 1), (0, 7, CLICK, 3),  # the first view counts; not bought
    (0, 5, CLICK, 1), (0, 5, VIEW, 2), (0, 5, BUY, 3),  # the click was before the view: bought without one
    (0, 6, VIEW, 1), (0, 6, BUY, 2), (0, 6, CLICK, 3),  # bought before the click
    (0, 8, VIEW, 1), (0, 8, CLICK, 2), (0, 8, BUY, 1), (0, 8, BUY, 9),  # and again after it
    (2, 5, CLICK, 1), (2, 5, BUY, 2),  # never shown
    (2, 6, VIEW, 1), (2, 6, CART, 2),  # another event
    (3, 5, VIEW, 3), (3, 5, CLICK, None), (3, 5, BUY, 1),  # clicked some day, but bought before it was shown
]  # fmt: skip
WANTED = [(0, 5, 0, 0), (0, 6, 1, 0), (0, 7, 1, 0), (0, 8, 1, 1), (1, 5, 1, 1), (2, 6, 0, 0), (3, 5, 1, 0)]


def table(rows: list[tuple[int, int, int, int | None]]) -> pl.DataFrame:
    timed = [(*r[:3], None if r[3] is None else datetime(2024, 1, r[3])) for r in rows]
    kinds = {"user": pl.UInt32, "item": pl.UInt32, "event": pl.UInt8, "timestamp": pl.Datetime("us")}
    return pl.DataFrame(timed, schema=kinds, orient="row")


@pytest.mark.parametrize("order", [1, -1])
def test_outcomes_by_hand(order: int) -> None:
    assert outcomes(table(ROWS[::order]), [VIEW, CLICK, BUY]).rows() == WANTED


def test_without_times_every_event_of_the_pair_counts() -> None:
    untimed = [(u, i, e, None) for u, i, e, _ in ROWS]
    found = {(u, i): (c, b) for u, i, c, b in outcomes(table(untimed), [VIEW, CLICK, BUY]).rows()}
    assert found == {
        (0, 5): (1, 1), (0, 6): (1, 1), (0, 7): (1, 0), (0, 8): (1, 1), (1, 5): (1, 1), (2, 6): (0, 0), (3, 5): (1, 1),
    }  # fmt: skip


def test_two_steps() -> None:
    bought = {(u, i): b for u, i, b in outcomes(table(ROWS), [VIEW, BUY]).rows()}
    assert bought == {(0, 5): 1, (0, 6): 1, (0, 7): 0, (0, 8): 1, (1, 5): 1, (2, 6): 0, (3, 5): 0}
