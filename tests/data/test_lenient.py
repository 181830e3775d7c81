import json

import polars as pl
import pytest

from crossaisle.data.world import World
from crossaisle.errors import DataError, StorageError


@pytest.fixture
def spoilt(shop):
    """Rows 2 and 4 of the interactions, row 2 of the items and none of the users have a fault."""
    events = shop.interactions.with_columns(
        user_id=pl.Series(["ann", "", "ann", "cid", "王"]), price=pl.Series([None, -1.0, 3.5, float("nan"), 3.5])
    )
    items = shop.items.with_columns(price=pl.Series([2.25, -0.5, 3.5, 10.0]))
    return events, items, shop.users


def test_bad_rows_are_set_aside_with_their_reasons_and_counted(shop, spoilt, tmp_path):
    events, items, users = spoilt
    world = World.from_frames(events, items, users, lenient=True, quarantine=tmp_path / "bad.jsonl")
    assert world.facts["interactions_read"] == 5
    assert world.facts["quarantined"] == 3
    assert world.facts["quarantine_file"] == str(tmp_path / "bad.jsonl")
    assert len(world.facts["quarantine_problems"]) == 4
    lines = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [(line["table"], line["row"], line["reasons"]) for line in lines] == [
        ("interactions", 2, ["user_id is empty", "price is negative"]),
        ("interactions", 4, ["price is not finite"]),
        ("items", 2, ["price is negative"]),
    ]
    assert lines[0]["values"]["item_id"] == "007"
    assert lines[2]["values"]["price"] == -0.5


def test_the_rest_is_the_world_of_the_good_rows(shop, spoilt, tmp_path):
    events, items, users = spoilt
    world = World.from_frames(events, items, users, lenient=True, quarantine=tmp_path / "bad.jsonl")
    good = World.from_frames(events[[0, 2, 4]], items[[0, 2, 3]], users)
    assert world.fingerprint == good.fingerprint
    assert world.user_ids.ids.to_list() == ["ann", "bob", "王"]


def test_good_data_leave_no_file(shop, tmp_path):
    world = shop.world(lenient=True, quarantine=tmp_path / "bad.jsonl")
    assert world.facts["quarantined"] == 0
    assert "quarantine_file" not in world.facts
    assert list(tmp_path.iterdir()) == []


def test_the_file_stands_beside_the_data(spoilt, tmp_path):
    spoilt[0].write_parquet(tmp_path / "interactions.parquet")
    world = World.from_folder(tmp_path, lenient=True)
    assert world.facts["quarantine_file"] == str(tmp_path / "quarantine.jsonl")
    assert len((tmp_path / "quarantine.jsonl").read_text().splitlines()) == 2
    assert World.from_folder(tmp_path, lenient=True).fingerprint == world.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.drop("item_id"),
        lambda f: f.with_columns(timestamp=pl.lit(1_704_067_200)),
        lambda f: f.with_columns(price=pl.lit(-1.0)),
    ],
)
def test_what_no_dropped_row_mends_is_refused_all_the_same(shop, tmp_path, change):
    with pytest.raises(DataError):
        World.from_frames(change(shop.interactions), lenient=True, quarantine=tmp_path / "bad.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(spoilt, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*bad\.jsonl: .*; free some space or name another place"):
        World.from_frames(*spoilt, lenient=True, quarantine=tmp_path / "file" / "bad.jsonl")
