import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crossaisle.data.load import open_world
from crossaisle.data.readers import READERS
from crossaisle.data.readers.database import hide_password
from crossaisle.data.table import Table
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, DataError


def same(one: World, other: World) -> None:
    assert one.fingerprint == other.fingerprint
    assert one.interactions.equals(other.interactions)
    assert one.items.equals(other.items)
    assert one.users.equals(other.users)
    assert one.user_ids == other.user_ids
    assert one.item_ids == other.item_ids


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "ndjson"])
def test_files_of_every_kind_give_the_world_of_the_frames(shop, tmp_path, ending):
    folder = shop.write(tmp_path, ending)
    by_folder = World.from_folder(folder, cache=False)
    same(by_folder, shop.world())
    assert by_folder.name == folder.name
    files = [folder / f"{t}.{ending}" for t in ("interactions", "items", "users")]
    same(World.from_files(*files, cache=False), shop.world())


def test_pandas_frames_give_the_same_world(shop):
    same(World.from_frames(*(f.to_pandas() for f in vars(shop).values())), shop.world())


def test_arrow_tables_lazy_frames_and_dicts_give_the_same_world(shop):
    same(World.from_frames(*(f.to_arrow() for f in vars(shop).values())), shop.world())
    same(World.from_frames(*(f.lazy() for f in vars(shop).values())), shop.world())
    same(World.from_frames(*(f.to_dict(as_series=False) for f in vars(shop).values())), shop.world())


def sqlite_file(shop, path: Path) -> Path:
    with sqlite3.connect(path) as base:
        for name, frame in vars(shop).items():
            text = frame.with_columns(pl.col(pl.Datetime).dt.to_string("%Y-%m-%d %H:%M:%S"))
            base.execute(f"CREATE TABLE {name} ({', '.join(text.columns)})")
            base.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * text.width)})", text.rows())
    base.close()
    return path


def test_a_sqlite_database_gives_the_same_world(shop, tmp_path):
    path = sqlite_file(shop, tmp_path / "shop.db")
    same(World.from_url(f"sqlite:///{path}"), shop.world())
    assert World.from_url(f"SQLite:///{path}").name == "shop.db"


def test_sqlite_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"no such SQLite file: .*none\.db; write sqlite:///relative\.db"):
        World.from_url(f"sqlite:///{tmp_path}/none.db")
    path = tmp_path / "empty.db"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE events (a)")
    base.close()
    with pytest.raises(DataError, match=r"no table or view named interactions; there are: events\. Make a view of it"):
        World.from_url(f"sqlite:///{path}")
    path.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(DataError, match=r"cannot read sqlite:///.*not a database"):
        World.from_url(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host:5432/shop", "postgresql://me:***@host:5432/shop"),
        ("postgresql://host/shop?user=me&password=secret", "postgresql://host/shop?user=me&password=***"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
    ],
)
def test_passwords_are_not_shown(text, shown):
    assert hide_password(text) == shown


def test_an_unreachable_postgresql_is_named_without_its_password():
    with pytest.raises(DataError, match=r"cannot read postgresql://me:\*\*\*@127\.0\.0\.1:1/shop") as caught:
        World.from_url("postgresql://me:secret@127.0.0.1:1/shop?connect_timeout=1")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_open_world_takes_folders_files_and_urls(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSAISLE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "files").mkdir()
    folder = shop.write(tmp_path / "files", "parquet")
    same(open_world(folder), shop.world())
    same(open_world(f"sqlite:///{sqlite_file(shop, tmp_path / 'shop.db')}"), shop.world())
    alone = open_world(folder / "interactions.parquet")
    assert alone.interactions.equals(World.from_frames(shop.interactions).interactions)
    assert alone.name == "interactions"


def test_without_event_or_time_there_are_defaults(shop):
    world = World.from_frames(shop.interactions.select("user_id", "item_id", "domain"))
    assert world.events.ids.to_list() == ["interaction"]
    assert world.interactions["timestamp"].null_count() == 5
    assert not world.timed
    assert world.users.height == world.items.height == 0


def test_ids_may_be_whole_numbers(shop):
    numbers = shop.interactions.with_columns(user_id=pl.Series([10, 9, 10, 8, 7]))
    assert World.from_frames(numbers).user_ids.ids.to_list() == ["10", "7", "8", "9"]


def test_one_domain_for_all_rows_can_be_given(shop):
    world = World.from_frames(shop.interactions.drop("domain"), shop.items[1:].drop("domain")[1:], domain="all")
    assert world.domains.ids.to_list() == ["all"]
    assert world.items["domain"].to_list() == [0, 0]


def test_the_domain_may_come_from_the_items(shop):
    items = shop.items.filter(~((pl.col("item_id") == "cup") & (pl.col("domain") == "tea")))
    world = World.from_frames(shop.interactions.drop("domain"), items)
    assert world.interactions["domain"].equals(shop.world().interactions["domain"])


def test_columns_can_be_renamed(shop):
    theirs = shop.interactions.rename({"user_id": "customer"})
    world = World.from_frames(theirs, shop.items, shop.users, rename={"customer": "user_id"})
    same(world, shop.world())
    with pytest.raises(DataError, match="rename: unknown column 'custommer': did you mean 'customer'"):
        World.from_frames(theirs, rename={"custommer": "user_id"})
    with pytest.raises(DataError, match="rename gives interactions two columns called 'user_id'; leave one out"):
        World.from_frames(theirs.with_columns(user_id=pl.lit("x")), rename={"customer": "user_id"})


def test_whole_number_times_need_their_unit(shop):
    seconds = shop.interactions.with_columns(pl.col("timestamp").dt.epoch("s"))
    assert World.from_frames(seconds, time_unit="s").interactions.equals(
        World.from_frames(shop.interactions).interactions
    )
    halves = seconds.with_columns(pl.col("timestamp") + 0.5)
    assert World.from_frames(halves, time_unit="s").interactions["timestamp"].dt.millisecond().to_list() == [500] * 5


@pytest.mark.parametrize(
    "text", ["2024-01-01T09:30:01", "2024-01-01 09:30:01.000", "2024-01-01T09:30:01Z", "2024-01-01T11:30:01+02:00"]
)
def test_times_may_be_written_in_the_usual_ways(shop, text):
    world = World.from_frames(shop.interactions[:1].with_columns(timestamp=pl.lit(text)))
    assert world.interactions["timestamp"][0] == shop.interactions["timestamp"][0]


def test_train_valid_and_test_files_are_one_world_with_parts(shop, tmp_path):
    for part, frame in {
        "train": shop.interactions[:3],
        "valid": shop.interactions[3:4],
        "test": shop.interactions[4:],
    }.items():
        frame.write_parquet(tmp_path / f"{part}.parquet")
    world = World.from_folder(tmp_path, cache=False)
    assert world.interactions["part"].to_list() == ["train"] * 3 + ["valid", "test"]
    assert world.interactions.drop("part").equals(World.from_frames(shop.interactions).interactions)


def test_parts_that_do_not_fit_together_are_refused(shop, tmp_path):
    shop.interactions[:3].write_parquet(tmp_path / "train.parquet")
    shop.interactions[3:].with_columns(domain=pl.concat_list("domain")).write_parquet(tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"train\.parquet, test\.parquet: column 'domain' cannot be read: .*one type"):
        World.from_folder(tmp_path, cache=False)


def test_an_unknown_option_names_the_nearest(shop):
    with pytest.raises(ConfigError, match="read options: unknown key 'lenent': did you mean 'lenient'"):
        shop.world(lenent=True)


def test_a_reader_can_be_added(shop, tmp_path, monkeypatch):
    monkeypatch.setitem(
        READERS._items, "shopfile", lambda location: iter([Table("any", shop.interactions.lazy(), location)])
    )
    path = tmp_path / "interactions.shopfile"
    path.write_text("anything")
    assert World.from_folder(tmp_path, cache=False).interactions.height == 5


def test_codes_do_not_depend_on_the_order_of_rows(shop):
    order = np.random.default_rng(0).permutation(5)
    turned = World.from_frames(shop.interactions[order], shop.items, shop.users)
    assert turned.interactions.equals(shop.world().interactions[order])
    assert turned.fingerprint != shop.world().fingerprint
