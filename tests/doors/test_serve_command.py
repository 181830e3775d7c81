"""serve and keys on the command line; the server itself is under test in tests/serve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="no service: pip install crossaisle[serve]")
pytest.importorskip("sqlalchemy", reason="no stores: pip install crossaisle[serve]")

from crossaisle.cli.serve import artifacts_folder
from crossaisle.serve.keyring import digest_of
from crossaisle.stores.open import open_store
from crossaisle.testing import case

from .conftest import Cli


def test_a_key_is_shown_once_listed_and_removed(cli: Cli, tmp_path: Path) -> None:
    secret = cli("keys", "add", "webshop", "--role", "write", "--store", tmp_path).out.strip()
    assert cli("keys", "add", "boss", "--role", "admin", "--store", tmp_path, "--json").json["role"] == "admin"
    said = cli("keys", "list", "--store", tmp_path)
    assert "webshop" in said.out
    assert secret not in said.out
    listed = cli("keys", "list", "--store", tmp_path, "--json").json
    assert [(k["name"], k["role"]) for k in listed] == [("boss", "admin"), ("webshop", "write")]
    store = open_store(tmp_path)
    keys = store.keys()
    store.close()
    assert digest_of(secret) in [k.digest for k in keys]
    assert cli("keys", "remove", "webshop", "--store", tmp_path).code == 0
    assert cli("keys", "remove", "bos", "--store", tmp_path).err == (
        "crossaisle: unknown key 'bos': did you mean 'boss'?\n"
    )


def test_a_name_is_taken_once(cli: Cli, tmp_path: Path) -> None:
    assert cli("keys", "add", "webshop", "--store", tmp_path).code == 0
    said = cli("keys", "add", "webshop", "--store", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "webshop" in said.err


def test_nobody_is_public_without_a_key(cli: Cli, tmp_path: Path) -> None:
    said = cli("serve", tmp_path / "run", "--host", "0.0.0.0", "--store", tmp_path / "data")
    assert said.code == 2
    assert "crossaisle keys add" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["no such run"], "there is no artifact at"),
        (["run", "--explore", "1.5"], "explore is 1.5"),
        (["run", "--rate", "0"], "at least 1"),
        (["run", "--store", "mysql://shop"], "no kind of store"),
    ],
)
def test_mistakes_are_one_sentence(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = cli("serve", *words)
    assert said.code == 2
    assert sentence in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("store", "folder"),
    [
        ("shop", "shop/artifacts"),
        ("shop/own.db", "shop/artifacts"),
        ("postgresql://host/shop", "crossaisle-data/artifacts"),
    ],
)
def test_artifacts_lie_beside_the_store(store: str, folder: str) -> None:
    assert artifacts_folder(store, None) == Path(folder)
    assert artifacts_folder(store, Path("own")) == Path("own")


def test_without_the_extra_the_dashboard_is_one_sentence(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case("item_knn").recommender.save(tmp_path / "shop")
    monkeypatch.setitem(sys.modules, "crossaisle.web", None)  # as where an import in it fails
    said = cli("serve", tmp_path / "shop", "--store", tmp_path / "data", "--dashboard")
    assert said.code == 2
    assert "pip install 'crossaisle[dashboard]'" in said.err.splitlines()[-1]


def test_the_dashboard_can_be_left_out(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case("item_knn").recommender.save(tmp_path / "shop")
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr("crossaisle.serve.run.run", lambda *given: found.append(given))
    assert cli("serve", tmp_path / "shop", "--store", tmp_path / "data", "--no-dashboard").code == 0
    ((app, *_, dashboard),) = found
    app.state.service.close()
    assert dashboard is None
    assert "/dashboard" not in [getattr(route, "path", "") for route in app.routes]
