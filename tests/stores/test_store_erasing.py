"""After erasing, no byte of the user is in the files."""

from __future__ import annotations

import random
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossaisle.errors import StorageError
from crossaisle.stores import Event, Exposure, Store, open_store

NOON = datetime(2024, 5, 1, 12)
USERS = [f"person-{'klmnopqrst'[i]}" for i in range(10)]


def fill(store: Store) -> None:
    """Rows of ten people in an order of no order, so that pages split and rows move."""
    draw = random.Random(0)
    rows = [(user, i) for user in USERS for i in range(200)]
    draw.shuffle(rows)
    for at in range(0, len(rows), 100):
        some = rows[at : at + 100]
        store.add_events(
            [Event(f"{u}-{draw.random()}", u, "x" * draw.randrange(1, 400), "d", f"by-{u}", NOON) for u, i in some]
        )
        store.add_exposures([Exposure(f"asked-{u}-{i}", u, "x", 1, 0.5, "v1", NOON) for u, i in some])


def found(folder: Path, users: list[str]) -> set[str]:
    """Names of files that have an id in them; the log of PostgreSQL is left out, and said so in docs/stores.md."""
    files = (f for f in folder.rglob("*") if f.is_file() and "pg_wal" not in f.parts)
    contents = {str(f.relative_to(folder)): f.read_bytes() for f in files}
    return {name for name, bytes_ in contents.items() for user in users if user.encode() in bytes_}


def test_no_byte_of_them_stays_in_files_of_sqlite(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        fill(store)
        assert found(tmp_path, USERS[:3]) >= {"store.sqlite-wal"}
        assert store.erase_users(USERS[:3]) == 1_200
        assert {f.name for f in tmp_path.iterdir()} == {"store.sqlite", "store.sqlite-wal", "store.sqlite-shm"}
        assert found(tmp_path, USERS[:3]) == set()
        assert found(tmp_path, USERS[3:]) == {"store.sqlite"}
        assert len(store.events()) == 1_400


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_no_byte_of_them_stays_in_tables_of_postgresql(place: str, server: Any) -> None:
    with closing(open_store(place)) as store:
        fill(store)
        server.psql("ANALYZE; CHECKPOINT;")
        assert found(server.pgdata, USERS[:3])
        assert store.erase_users(USERS[:3]) == 1_200
        server.psql("CHECKPOINT;")
        assert found(server.pgdata, USERS[:3]) == set()
        assert found(server.pgdata, USERS[3:])
        assert len(store.events()) == 1_400


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_an_open_transaction_that_could_still_read_them_is_named(place: str, server: Any) -> None:
    with closing(open_store(place)) as store, psycopg.connect(server.get_uri()) as other:
        store.add_events([Event("e1", "person-z", "x", "d", "view", NOON)])
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1 FROM pg_class")
        with pytest.raises(StorageError, match="a transaction that is open there could still read them; erase again"):
            store.erase_users(["person-z"])
        server.psql("CHECKPOINT;")
        assert found(server.pgdata, ["person-z"])
        other.rollback()
        assert store.erase_users(["person-z"]) == 0
        server.psql("CHECKPOINT;")
        assert found(server.pgdata, ["person-z"]) == set()
