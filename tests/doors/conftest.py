"""A small shop on disk, a finished run over it, and a way to call the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossaisle.cli import main
from crossaisle.testing_world import tiny_world

METHODS = """
[[methods]]
method = "popularity"

[[methods]]
method = "ease"

[[methods]]
method = "als"
options = { iterations = 3 }

[[methods]]
method = "user_kernel"
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSAISLE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(w) for w in words])
        found = capsys.readouterr()
        return Said(code, found.out, found.err)

    return call


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny World as CSV files."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    world = tiny_world()
    rows, items = world.interactions, world.items

    def words(frame: pl.DataFrame, name: str) -> pl.Series:
        vocabulary = {"user": world.user_ids, "item": world.item_ids, "domain": world.domains}[name]
        return pl.Series(vocabulary.decode(frame[name].to_numpy()))

    rows.select(
        "timestamp", "price", user_id=words(rows, "user"), item_id=words(rows, "item"), domain=words(rows, "domain")
    ).write_csv(folder / "interactions.csv")
    items.select("title", "brand", "price", item_id=words(items, "item"), domain=words(items, "domain")).write_csv(
        folder / "items.csv"
    )
    return folder


def config_text(shop: Path, methods: str = METHODS, study: str = "") -> str:
    return f"""
[data]
path = '{shop}'

[study]
target = "cake"
cut = 2024-03-25
weeks = [0, 2, 6]
seeds = [0]
ship = "user_kernel"
{study}
{methods}"""


@pytest.fixture(scope="session")
def finished(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("runs")
    config = folder / "cake.toml"
    config.write_text(config_text(shop), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSAISLE_CACHE", str(folder / "cache"))
        assert main(["run", str(config), "--out", str(folder / "cake")]) == 0
    return folder / "cake"
