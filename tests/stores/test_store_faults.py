"""What a refusing disk or server says, and that the store works again afterwards."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from crossaisle.errors import ConfigError, StorageError
from crossaisle.stores import Event, Version, open_store
from crossaisle.stores.faults import told

NOON = datetime(2024, 5, 1, 12)


def event(name: str) -> Event:
    return Event(name, "ann", "bread" * 100, "bakery", "view", NOON)


@contextmanager
def no_file_may_grow_past(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_loses_nothing_and_stops_nobody(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        store.add_version(Version("v1", "/artifacts/v1", NOON))
        kept: list[Event] = []

        def fill() -> None:
            for i in range(10_000):
                batch = [event(f"e{i}-{j}") for j in range(3)]
                store.add_events(batch)
                kept.extend(batch)

        sentence = r"store.sqlite refused: .*; free some space there, then send it again\.$"
        with no_file_may_grow_past(400_000), pytest.raises(StorageError, match=sentence):
            fill()
        assert len(kept) > 20
        assert [e for _, e in store.events()] == kept
        with no_file_may_grow_past(1_000), pytest.raises(StorageError):
            store.promote("v1")
        assert [v.state for v in store.versions()] == ["candidate"]
        store.promote("v1")
        assert store.add_events([event("after")]) == 1
    with closing(open_store(tmp_path)) as store:
        assert [e for _, e in store.events()] == [*kept, event("after")]


def test_a_full_disk_during_erasing_is_said_and_asking_again_helps(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        for i in range(20):
            store.add_events([event(f"e{i}-{j}") for j in range(100)])
        with no_file_may_grow_past(10_000), pytest.raises(StorageError, match="free some space"):
            store.erase_users(["ann"])
        store.erase_users(["ann"])
        assert store.events_of("ann") == []
    assert b"ann" not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_another_process_that_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.database.WAIT", 0.2)
    with closing(open_store(tmp_path)) as store, closing(sqlite3.connect(tmp_path / "store.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=r"database is locked; others have held it for long; try again\.$"):
            store.add_events([event("e1")])
        assert store.events() == []  # readers do not wait
        other.rollback()
        assert store.add_events([event("e1")]) == 1


def test_a_reader_keeps_erased_rows_in_the_log_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossaisle.stores.database.WAIT", 0.2)
    with closing(open_store(tmp_path)) as store, closing(sqlite3.connect(tmp_path / "store.sqlite")) as other:
        store.add_events([event("e1")])
        other.execute("BEGIN")
        other.execute("SELECT * FROM events").fetchall()
        with pytest.raises(StorageError, match="its log still has them; erase again when that process is done"):
            store.erase_users(["ann"])
        other.rollback()
        assert store.erase_users(["ann"]) == 0
    assert b"ann" not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


@pytest.mark.parametrize("garbage", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_file_is_named(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "store.sqlite").write_bytes(garbage)
    with pytest.raises(StorageError, match=r"store.sqlite refused: file is not a database; put a backup in its place"):
        open_store(tmp_path)


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*: Not a directory; name a place that this program may"):
        open_store(tmp_path / "file" / "store")


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "new" / "shop.db")) as store:
        store.add_events([event("e1")])
        modes = {f.name: f.stat().st_mode & 0o777 for f in (tmp_path / "new").iterdir()}
    assert modes == {"shop.db": 0o600, "shop.db-wal": 0o600, "shop.db-shm": 0o600}


def test_places_of_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("sqlite:///a.db", f"sqlite:///{tmp_path}/b.db", "folder", Path("c.sqlite")):
        open_store(place).close()
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"a.db", "b.db", "folder/store.sqlite", "c.sqlite"}


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.open.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs the package sqlalchemy: pip install 'crossaisle\[serve\]'\.$"):
        open_store(tmp_path)


@pytest.mark.parametrize("place", ["mysql://me:secret@host/shop", "http://me:secret@host"])
def test_other_kinds_of_stores(place: str) -> None:
    with pytest.raises(ConfigError, match=r"is no kind of store; give a folder, a file or postgresql://") as caught:
        open_store(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "postgresql://me:secret@127.0.0.1:1/shop",
            r"database shop at 127\.0\.0\.1 refused: .*refused; check the address",
        ),
        ("postgresql://me:secret@host:port/shop", r"cannot be read; write postgresql://user:password@host:5432/name"),
        (
            "postgres://me:secret@/shop?host=/nowhere",
            r"database shop at the local socket refused: .*; check the address",
        ),
        ("postgresql://me@/shop?host=/nowhere&password=secret", r"database shop at the local socket refused"),
        ("postgresql://me@/shop?host=/nowhere&pass=secret", r"refused: invalid connection option \"pass\"; check the"),
    ],
)
def test_a_server_that_is_not_there_and_passwords(url: str, sentence: str) -> None:
    with pytest.raises((StorageError, ConfigError), match=sentence) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.service
def test_a_database_that_does_not_exist(server: Any) -> None:
    with pytest.raises(StorageError, match=r"database \"nowhere\" does not exist; check name, password and database"):
        open_store(server.get_uri(database="nowhere"))


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_role_that_may_not_write_and_one_that_may_not_rewrite(place: str, server: Any) -> None:
    schema = place.rsplit("%3D")[1]
    server.psql(f"CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA {schema} TO clerk;")
    with closing(open_store(place)):
        server.psql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO clerk;")
    with closing(open_store(place.replace("postgres:@", "clerk:@"))) as store:
        with pytest.raises(StorageError, match=r"permission denied for .*; give this program the right to write there"):
            store.add_events([event("e1")])
        server.psql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO clerk;")
        server.psql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO clerk;")
        assert store.add_events([event("e1")]) == 1
        with pytest.raises(
            StorageError, match="since this role may not rewrite the tables; erase again as their owner"
        ):
            store.erase_users(["ann"])


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_another_client_that_locks_the_table(place: str, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.database.WAIT", 1)
    with closing(open_store(place)) as store, psycopg.connect(server.get_uri()) as other:
        other.execute(f"LOCK TABLE {place.rsplit('%3D')[1]}.events")
        with pytest.raises(StorageError, match=r"due to lock timeout; others have held it for long; try again\.$"):
            store.add_events([event("e1")])
        other.rollback()
        assert store.add_events([event("e1")]) == 1


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ('could not extend file "base/5/16": No space left on device\nHINT: Check free disk space.', "free some space"),
        ("database or disk is full", "free some space there, then send it again"),
        ("attempt to write a readonly database", "give this program the right to write there"),
        ("cannot execute INSERT in a read-only transaction", "give this program the right to write there"),
        ("database disk image is malformed", "put a backup in its place"),
        ("terminating connection due to administrator command", "wait until the server is back"),
        ("deadlock detected", "detected; try again."),
    ],
)
def test_what_drivers_say_gets_the_next_step(said: str, advice: str) -> None:
    with pytest.raises(StorageError) as caught, told("the store"):
        raise OperationalError("INSERT …", {"user_id": "zoe"}, Exception(said))
    assert str(caught.value).startswith(f"the store refused: {said.splitlines()[0]}; ")
    assert advice in str(caught.value)
    assert "zoe" not in str(caught.value)
