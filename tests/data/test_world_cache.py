import json
import resource

import polars as pl
import pytest

from crossaisle.data import cache, load
from crossaisle.data.world import World
from crossaisle.errors import StorageError


@pytest.fixture
def folder(shop, tmp_path):
    (tmp_path / "data").mkdir()
    return shop.write(tmp_path / "data", "parquet")


@pytest.fixture
def read(folder, tmp_path, monkeypatch):
    """Read the folder; `read.fresh` counts how often the files themselves were read."""

    class Read:
        fresh = 0

        def __call__(self, **options):
            return World.from_folder(folder, cache_folder=tmp_path / "cache", **options)

    reader, real = Read(), load.from_tables

    def counted(*arguments):
        reader.fresh += 1
        return real(*arguments)

    monkeypatch.setattr(load, "from_tables", counted)
    return reader


def entries(tmp_path):
    return sorted((tmp_path / "cache" / "worlds").iterdir())


def test_the_second_reading_comes_from_the_cache(read, shop):
    first, second = read(), read()
    assert read.fresh == 1
    assert first.fingerprint == second.fingerprint == shop.world().fingerprint
    assert second.interactions.equals(first.interactions)
    assert second.interactions.schema == first.interactions.schema
    assert second.items.equals(first.items)
    assert second.users.equals(first.users)
    assert second.user_ids == first.user_ids
    assert (second.name, second.facts) == (first.name, first.facts)


def test_other_bytes_or_options_are_read_anew(read, shop, folder):
    read()
    read(rename={"basket": "receipt"})
    assert read.fresh == 2
    shop.interactions[:4].write_parquet(folder / "interactions.parquet")
    assert read().interactions.height == 4
    assert read.fresh == 3


def test_without_cache_nothing_is_kept(read, tmp_path):
    read(cache=False)
    read(lenient=True)
    assert read.fresh == 2
    assert not (tmp_path / "cache").exists()


def test_the_place_can_be_named_by_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSAISLE_CACHE", str(tmp_path / "cache"))
    World.from_folder(folder)
    assert len(entries(tmp_path)) == 1
    monkeypatch.delenv("CROSSAISLE_CACHE")
    assert cache.cache_folder().name == "crossaisle"


@pytest.mark.parametrize("name", ["interactions.parquet", "user_ids.parquet", "world.json"])
@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-9])])
def test_a_damaged_entry_is_made_anew(read, tmp_path, name, damage):
    read()
    damage(entries(tmp_path)[0] / name)
    world = read()
    assert read.fresh == 2
    assert cache.load(entries(tmp_path)[0]).fingerprint == world.fingerprint


def test_changed_content_is_noticed(read, tmp_path):
    read()
    path = entries(tmp_path)[0] / "interactions.parquet"
    pl.read_parquet(path).with_columns(value=pl.lit(9, dtype=pl.Float32)).write_parquet(path)
    assert cache.load(path.parent) is None


def test_an_entry_of_another_version_is_not_taken(read, tmp_path):
    read()
    path = entries(tmp_path)[0] / "world.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 0}))
    assert cache.load(path.parent) is None


def test_a_full_disk_is_said_and_nothing_half_written_stays(read, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))  # longer files fail as they do on a full disk
    try:
        with pytest.raises(StorageError, match=r"cannot keep the data in .*; free some space, set CROSSAISLE_CACHE"):
            read()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert entries(tmp_path) == []
    assert read().interactions.height == 5


def test_a_cache_that_cannot_be_made_is_said(read, tmp_path):
    (tmp_path / "cache").touch()
    with pytest.raises(StorageError, match="or read with cache=False"):
        read()
    assert read(cache=False).interactions.height == 5


def test_another_process_may_be_faster(read, tmp_path, monkeypatch):
    world = read()
    place = entries(tmp_path)[0]
    monkeypatch.setattr(cache.shutil, "rmtree", lambda *a, **k: None)
    cache.save(world, place)  # the rename meets the other's folder
    assert cache.load(place).fingerprint == world.fingerprint
