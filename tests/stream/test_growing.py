from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sqlalchemy", reason="items and events of a store: pip install crossaisle[serve]")

from crossaisle.stores.kinds import Event, Item
from crossaisle.stream.growth import EVENT_COLUMNS, frame_of_events, grown_world, ids_of, joined, without_target
from crossaisle.testing_world import tiny_world

WORLD = tiny_world()
NOON = datetime(2024, 4, 1, 12)
IDS = st.sampled_from(["u01", "u02", "somebody", "einé", "tea00", "cake03", "neu"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(IDS, IDS, st.sampled_from(["tea", "cake", "juice"]), st.sampled_from(["purchase", "view"]))))
def test_events_keep_their_ids_and_the_world_its_codes(drawn: list[tuple[str, str, str, str]]) -> None:
    events = [Event(f"e{i}", *ids, NOON + timedelta(minutes=i), price=1.5) for i, ids in enumerate(drawn)]
    frame = frame_of_events([(3 * i + 1, e) for i, e in enumerate(events)])
    world, rows = grown_world(WORLD, frame)
    assert ids_of(world, rows).equals(frame.select(EVENT_COLUMNS))
    assert rows["number"].to_list() == [3 * i + 1 for i in range(len(events))]
    for before, after in ((WORLD.user_ids, world.user_ids), (WORLD.item_ids, world.item_ids)):
        assert after.ids.head(len(before)).equals(before.ids)
        assert after.ids.is_unique().all()


def test_joined_rows_come_last_and_change_the_fingerprint() -> None:
    world, rows = grown_world(WORLD, frame_of_events([(1, Event("e", "new", "cake01", "cake", "purchase", NOON))]))
    whole = joined(world, rows)
    assert whole.interactions.height == WORLD.interactions.height + 1
    assert whole.interactions["user"][-1] == world.user_ids.code("new") == WORLD.n_users
    assert whole.fingerprint not in (WORLD.fingerprint, "")
    assert joined(world, rows.clear()) is world


def test_items_of_a_store_bring_their_content_and_known_ones_stay() -> None:
    items = [
        Item("cake99", "cake", {"title": "lemon cake", "price": 3, "nobody": "knows"}),
        Item("cake01", "cake", {"title": "another name"}),
    ]
    world, _ = grown_world(WORLD, frame_of_events([]), items)
    row = world.content.row(world.item_ids.code("cake99"), named=True)
    assert (row["title"], row["price"]) == ("lemon cake", 3.0)
    assert world.content["title"][world.item_ids.code("cake01")] == "dark cake no 0"
    assert world.item_ids.code("cake99") in world.catalogue("cake")
    assert "nobody" not in world.items.columns


def test_a_target_that_has_not_opened_has_no_rows() -> None:
    cut = WORLD.interactions["timestamp"].sort()[len(WORLD.interactions) // 2]
    world = without_target(WORLD, "cake", cut)
    cake = pl.col("domain") == WORLD.domain_code("cake")
    assert world.interactions.filter(cake)["timestamp"].min() >= cut
    assert world.interactions.filter(~cake).equals(WORLD.interactions.filter(~cake))
