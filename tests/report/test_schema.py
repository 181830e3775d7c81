"""report.json is what docs/report.md says, and comes back as it was."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from crossaisle import report as reports
from crossaisle.errors import ArtifactError, StorageError
from crossaisle.evaluate.result import SCHEMA_VERSION, TABLES, Report

DOCS = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)
}  # fmt: skip


def documented(table: str) -> dict[str, str]:
    """Field → type of the table under the heading ``### `table```."""
    part = DOCS.split(f"### `{table}`\n")[1].split("\n### ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", part, re.M))


@pytest.mark.parametrize("table", TABLES)
def test_every_field_is_documented_and_has_its_type(table: str, found: Report) -> None:
    fields = documented(table)
    assert list(fields) == [f.name for f in dataclasses.fields(TABLES[table])]
    body = json.loads(found.to_json())
    for row in body[table]:
        for name, kind in fields.items():
            allowed = tuple(t for word in kind.split(" or ") for t in TYPES[word])
            assert type(row[name]) in allowed, f"{table}.{name} is {row[name]!r}, documented as {kind}"


def test_the_outer_fields_are_documented(found: Report) -> None:
    part = DOCS.split("schema version")[1].split("\n### ")[0]
    body = json.loads(found.to_json())
    assert list(body) == re.findall(r"^\| `(\w+)` \|", part, re.M)
    assert next(iter(body)) == "schema_version"
    assert f"schema version {SCHEMA_VERSION}" in DOCS


def test_documented_types_are_those_of_the_code() -> None:
    for table, cls in TABLES.items():
        hints = typing.get_type_hints(cls)
        for name, kind in documented(table).items():
            assert (type(None) in typing.get_args(hints[name])) == kind.endswith("or null"), (table, name)


def test_written_and_loaded_is_the_same(found: Report, tmp_path: Path) -> None:
    page = reports.write(found, tmp_path / "run")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(p.name for p in page.parent.iterdir()) == ["report.html", "report.json"]
    again = reports.load(page.parent)
    assert again.to_json() == found.to_json()
    assert reports.load(page.parent / "report.json").rows == found.rows


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no report.json"),
        ("not json", "is not a report.json"),
        ("[]", "is not a whole report.json"),
        ('{"schema_version": 1, "name": "x"}', "is not a whole report.json"),
        ('{"schema_version": 99}', "has schema 99, this version reads 1; upgrade"),
    ],
)
def test_foreign_files_are_refused_in_a_sentence(content: str | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    with pytest.raises(ArtifactError, match=words) as caught:
        reports.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_refused_write(found: Report, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no"):
        reports.load(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        reports.write(found, tmp_path / "file")


def test_without_the_plotting_libraries_the_numbers_are_kept(
    found: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossaisle.errors import ConfigError
    from crossaisle.report import plots

    def none(name: str) -> Any:
        return None

    monkeypatch.setattr(plots, "find_spec", none)
    with pytest.raises(ConfigError, match=r"pip install crossaisle\[report\]"):
        reports.write(found, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
