"""Schema versions: older stores are brought up to date in one transaction, newer and foreign ones are refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from crossaisle.errors import StorageError
from crossaisle.stores import Event, Store, migrations, open_store

EVENT = Event("e1", "ann", "bread", "bakery", "view", datetime(2024, 5, 1, 12))
REAL = migrations.STEPS
STEPS = (
    ("ALTER TABLE items ADD COLUMN note text", "UPDATE items SET note = 'none'"),
    ("ALTER TABLE items RENAME COLUMN note TO remark",),
)


def schema(place: str) -> dict[str, Any]:
    """Tables with their columns and indexes, as the database itself tells."""
    if place.startswith("postgresql"):
        engine = create_engine(place.replace("postgresql://", "postgresql+psycopg://"))
    else:
        engine = create_engine(f"sqlite:///{place}/store.sqlite")
    look = inspect(engine)
    found = {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)],
            sorted(str(i["name"]) for i in look.get_indexes(name)),
        )
        for name in look.get_table_names()
    }
    engine.dispose()
    return found


@pytest.fixture
def with_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], Store]:
    def opened(place: str, steps: Any) -> Store:
        monkeypatch.setattr(migrations, "STEPS", (*REAL, *steps))
        return open_store(place)

    return opened


def test_an_older_store_is_brought_up_to_date_with_its_rows(place: str, with_steps: Callable[..., Store]) -> None:
    with closing(open_store(place)) as store:
        store.add_events([EVENT])
    before = schema(place)
    for steps, column in ((STEPS[:1], "note"), (STEPS, "remark"), (STEPS, "remark")):
        with closing(with_steps(place, steps)) as store:
            assert store.events_of("ann") == [EVENT]
        assert [name for name, *_ in schema(place)["items"][0]] == [*(c[0] for c in before["items"][0]), column]


def test_a_store_of_the_first_version_becomes_like_a_new_one(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "store.sqlite")) as old:
        old.executescript(Path(__file__).with_name("schema_1.sql").read_text())
    for name in ("old", "new"):
        open_store(tmp_path / name).close()
    assert schema(str(tmp_path / "old")) == schema(str(tmp_path / "new"))


def test_a_step_that_fails_changes_nothing(place: str, with_steps: Callable[..., Store]) -> None:
    open_store(place).close()
    before = schema(place)
    with pytest.raises(StorageError, match=r"refused: .*nowhere"):
        with_steps(place, (*STEPS, ("ALTER TABLE nowhere ADD COLUMN note text",)))
    assert schema(place) == before
    with_steps(place, ()).close()


def test_a_newer_store_is_refused(place: str, with_steps: Callable[..., Store]) -> None:
    open_store(place).close()
    with_steps(place, STEPS).close()
    with pytest.raises(StorageError, match=r"schema version 4, and this crossaisle knows up to 2; install a newer one"):
        with_steps(place, ())


def test_several_that_open_a_new_store_at_once(place: str) -> None:
    done: list[int] = []

    def opened() -> None:
        with closing(open_store(place)) as store:
            done.append(len(store.events()))

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0] * 4


def test_a_new_store_waits_for_another_that_writes_its_first_words(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for it where the log is to become a write-ahead log
        later = threading.Timer(0.5, other.rollback)
        later.start()
        with closing(open_store(path)) as store:
            assert store.events() == []
        later.join()


@pytest.mark.parametrize("table", ["items (item_id text, price real)", "meta (name text, value text)"])
def test_tables_of_somebody_else_are_left_alone(tmp_path: Path, table: str) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as other:
        other.execute(f"CREATE TABLE {table}")
    with pytest.raises(StorageError, match=rf"a table '{table.split()[0]}' that is not of a crossaisle store; name a"):
        open_store(tmp_path / "shop.db")
    assert len(schema_of_file(tmp_path / "shop.db")) == 1


def schema_of_file(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as other:
        return other.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_tables_of_somebody_else_in_postgresql(place: str, server: Any) -> None:
    server.psql(f"CREATE TABLE {place.rsplit('%3D')[1]}.items (item_id text, price real);")
    with pytest.raises(StorageError, match=r"a table 'items' that is not of a crossaisle store; name a database, or a"):
        open_store(place)
    assert list(schema(place)) == ["items"]
