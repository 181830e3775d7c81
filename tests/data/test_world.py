from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from crossaisle.data.world import World
from crossaisle.errors import DataError

EVENTS = pl.DataFrame(
    {
        "user_id": ["ann", "bob", "ann", "cid"],
        "item_id": ["tea", "tea", "cup", "pot"],
        "domain": ["drinks", "drinks", "ware", "ware"],
        "timestamp": [datetime(2024, 1, d) for d in (1, 2, 3, 4)],
    }
)
ITEMS = pl.DataFrame(
    {
        "item_id": ["tea", "cup", "cup", "jug"],
        "domain": ["drinks", "drinks", "ware", "ware"],
        "title": [None, None, "Cup", "Jug"],
        "price": [2.0, None, 3.0, 9.0],
    }
)


@pytest.fixture(scope="module")
def world() -> World:
    return World.from_frames(EVENTS, ITEMS, pl.DataFrame({"user_id": ["dan", "ann"], "age": [40, 30]}), name="small")


def test_codes_are_the_alphabetical_places_of_the_ids(world: World) -> None:
    assert world.user_ids.ids.to_list() == ["ann", "bob", "cid", "dan"]
    assert world.item_ids.ids.to_list() == ["cup", "jug", "pot", "tea"]
    assert world.interactions["user"].to_list() == [0, 1, 0, 2]
    assert world.interactions["item"].to_list() == [3, 3, 0, 2]
    assert world.users.to_dict(as_series=False) == {"user": [3, 0], "age": [40, 30]}
    assert (world.n_users, world.n_items, len(world.domains)) == (4, 4, 2)
    assert repr(world) == "World('small': 4 interactions, 4 users, 4 items, 2 domains)"


def test_the_types_are_the_documented_ones(world: World) -> None:
    assert world.interactions.schema == {
        "user": pl.UInt32,
        "item": pl.UInt32,
        "domain": pl.UInt16,
        "event": pl.UInt8,
        "timestamp": pl.Datetime("us"),
        "value": pl.Float32,
        "price": pl.Float32,
    }


def test_the_catalogue_is_what_is_listed_or_sold(world: World) -> None:
    assert world.item_ids.decode(world.catalogue("ware")) == ["cup", "jug", "pot"]
    assert world.item_ids.decode(world.catalogue("drinks")) == ["cup", "tea"]


def test_content_takes_the_first_known_value_over_domains(world: World) -> None:
    assert world.content["title"].to_list() == ["Cup", "Jug", None, None]
    assert world.content["price"].to_list() == [3.0, 9.0, None, 2.0]


def test_summary_counts_each_domain(world: World) -> None:
    rows = world.summary().select("name", "interactions", "users", "items").rows()
    assert rows == [("drinks", 2, 2, 1), ("ware", 2, 2, 2)]


def test_an_unknown_domain_names_the_nearest(world: World) -> None:
    with pytest.raises(DataError, match="unknown domain 'drink': did you mean 'drinks'"):
        world.domain_code("drink")


def test_until_keeps_earlier_rows_and_all_words(world: World) -> None:
    then = world.until(datetime(2024, 1, 3))
    assert then.interactions.equals(world.interactions[:2])
    assert then.user_ids == world.user_ids
    assert then.item_ids == world.item_ids
    assert then.items.equals(world.items)
    assert then.fingerprint != world.fingerprint


def test_until_is_as_different_as_its_rows(world: World) -> None:
    early, late = world.until(datetime(2024, 1, 2, 1)), world.until(datetime(2024, 1, 3))
    assert early.fingerprint == late.fingerprint
    assert world.until(datetime(2024, 1, 2)).fingerprint != late.fingerprint
    assert world.until(datetime(2025, 1, 1)) is world
    assert world.until(datetime(2023, 1, 1)).interactions.is_empty()


def test_until_understands_zones(world: World) -> None:
    east = timezone(timedelta(hours=5))
    assert world.until(datetime(2024, 1, 3, 4, tzinfo=east)).interactions.height == 2
    assert world.until(datetime(2024, 1, 3, 0, tzinfo=UTC)).interactions.height == 2


def test_until_needs_times() -> None:
    world = World.from_frames(EVENTS.drop("timestamp"), name="small")
    with pytest.raises(DataError, match="4 of 4 interactions have no timestamp; give every row a time"):
        world.until(datetime(2024, 1, 1))
