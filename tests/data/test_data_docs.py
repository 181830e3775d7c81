"""docs/data.md says what the code does: its tables are those of the code (its examples run in tests/docs)."""

import re
from pathlib import Path

from crossaisle.config import describe
from crossaisle.data.load import ReadOptions
from crossaisle.data.schema import TABLES
from crossaisle.data.split import SPLITS

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_table_of_columns_is_that_of_the_schema():
    for table, columns in TABLES.items():
        for column in columns.values():
            name = f"`{column.name}`{' (needed)' if column.required else ''}"
            holds = re.sub(r",? is needed$", "", column.allowed)
            assert f"| {table} | {name} | {holds} | {column.about} |\n" in TEXT
    assert TEXT.count("\n| interactions |") + TEXT.count("\n| items |") + TEXT.count("\n| users |") == sum(
        map(len, TABLES.values())
    )


def test_the_table_of_options_is_that_of_the_code():
    rows = [f"| `{name}` | {default!r} | {text} |" for name, _, default, text in describe(ReadOptions)]
    assert "| option | without it | about |\n|---|---|---|\n" + "\n".join(rows) + "\n" in TEXT


def test_every_split_is_in_the_table():
    assert all(f"`{name}`" in TEXT for name in SPLITS.names())
