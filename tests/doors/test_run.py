"""run, evaluate, demo, bench: configuration files, run folders, resuming, and every wrong key's sentence."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crossaisle.cli import runfile
from crossaisle.cli.evaluate import chosen
from crossaisle.data.overview import Overview
from crossaisle.errors import ConfigError
from crossaisle.evaluate.result import Report
from crossaisle.evaluate.spec import DEFAULT_METHODS

from .conftest import Cli, config_text

EXAMPLES = Path(__file__).parents[2] / "examples"


def found_by(report: Path) -> dict[str, Any]:
    """A report without what differs between equal runs."""
    body: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return {k: v for k, v in body.items() if k not in ("environment", "costs")}


def test_a_run_leaves_all_that_is_promised(finished: Path) -> None:
    assert {p.name for p in finished.iterdir()} >= {"config.toml", "report.json", "report.html", "cells", "recommender"}
    assert Report.read(finished / "report.json").protocol["target"] == "cake"
    assert (finished / "config.toml").read_text(encoding="utf-8").startswith("# A copy of cake.toml")


def test_the_shipped_method_is_in_the_folder(finished: Path) -> None:
    about = json.loads((finished / "recommender" / "artifact.json").read_text(encoding="utf-8"))
    report = Report.read(finished / "report.json")
    assert about["meta"]["facts"]["label"] == report.ships[-1].ships
    assert Overview.from_document(about["meta"]["facts"]["overview"]).domains[0].domain == "cake"


def test_a_second_run_reuses_all_and_says_the_same(cli: Cli, finished: Path, shop: Path, tmp_path: Path) -> None:
    copied = tmp_path / "again"
    shutil.copytree(finished, copied)
    (tmp_path / "cake.toml").write_text(config_text(shop), encoding="utf-8")
    before = {p: p.stat().st_mtime_ns for p in (*copied.glob("cells/*"), *copied.glob("recommender/*"))}
    said = cli("run", tmp_path / "cake.toml", "--out", copied, "--json")
    assert said.code == 0
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert found_by(copied / "report.json") == found_by(finished / "report.json")


def test_run_says_where_everything_is(cli: Cli, finished: Path, shop: Path) -> None:
    config = finished.parent / "cake.toml"
    said = cli("run", config, "--out", finished, "--json")
    assert said.json["recommender"] == str(finished / "recommender")
    assert {r["method"] for r in said.json["headline"]} == {"popularity", "ease", "als", "user_kernel"}
    shown = cli("run", config, "--out", finished)
    assert "report.html" in shown.out
    assert "next: crossaisle recommend" in shown.out


def test_flags_say_what_a_file_says(cli: Cli, finished: Path, shop: Path, tmp_path: Path) -> None:
    words = [
        "--target",
        "cake",
        "--cut",
        "2024-03-25",
        "--weeks",
        "0",
        "2",
        "6",
        "--seeds",
        "0",
        "--ship",
        "user_kernel",
    ]
    said = cli(
        "evaluate", shop, *words, "--methods", "popularity", "ease", "user_kernel", "--out", tmp_path / "run", "--json"
    )
    assert said.code == 0, said.err
    mine, theirs = (
        {
            (r.week, r.method, r.slice, r.metric): r.value
            for r in Report.read(p / "report.json").rows
            if r.method != "als"
        }
        for p in (tmp_path / "run", finished)
    )
    assert mine == theirs
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text(encoding="utf-8"))
    assert written["data"]["path"] == str(shop.resolve())
    assert [m["method"] for m in written["methods"]] == ["popularity", "ease", "user_kernel"]
    again = cli("run", tmp_path / "run" / "config.toml", "--out", tmp_path / "run2", "--json")
    assert again.code == 0, again.err
    assert found_by(tmp_path / "run" / "report.json") == found_by(tmp_path / "run2" / "report.json")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[study]", "[stduy]", "unknown key 'stduy': did you mean 'study'?"),
        ("path =", "paht =", "[data]: unknown key 'paht': did you mean 'path'?"),
        ("weeks =", "weks =", "unknown key 'weks': did you mean 'weeks'"),
        ("[0, 2, 6]", '"two"', "a list is needed"),
        ("[0, 2, 6]", "[2, 0]", "ascending"),
        ('"cake"\ncut', '"caek"\ncut', "unknown domain 'caek': did you mean 'cake'?"),
        ('ship = "user_kernel"', 'ship = "user_kernl"', "user_kernl"),
        ('method = "ease"', 'method = "eese"', "unknown transfer method 'eese': did you mean 'ease'"),
        ("{ iterations = 3 }", "{ iteration = 3 }", "unknown key 'iteration': did you mean 'iterations'"),
        ("{ iterations = 3 }", '{ iterations = "many" }', "int is needed"),
        ("2024-03-25", "2031-03-25", "outside the data"),
        ("2024-03-25", '"soon"', "a time such as"),
        ("[study]", "[study", "TOML"),
        ("seeds = [0]", "seeds = [0]\nks = [25]", "24 items"),
        ("path = '", "path = '$NO_SUCH_VARIABLE/", "environment variable NO_SUCH_VARIABLE, which is not set"),
    ],
)
def test_every_wrong_key_has_its_sentence(
    cli: Cli, shop: Path, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    text = config_text(shop)
    assert old in text
    (tmp_path / "wrong.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    said = cli("run", tmp_path / "wrong.toml", "--out", tmp_path / "out")
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out" / "report.json").exists()


def test_methods_must_be_tables(cli: Cli, shop: Path, tmp_path: Path) -> None:
    text = 'methods = ["ease"]\n' + config_text(shop, methods="")
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    said = cli("run", tmp_path / "wrong.toml")
    assert said.code == 2
    assert "[[methods]]" in said.err


def test_a_missing_file_or_table(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", tmp_path / "none.toml").code == 2
    (tmp_path / "empty.toml").write_text("")
    said = cli("run", tmp_path / "empty.toml")
    assert (said.code, "there is no [data] table" in said.err) == (2, True)


def test_paths_are_relative_to_the_file(shop: Path, tmp_path: Path) -> None:
    text = config_text(shop).replace(str(shop), "there").replace("[data]", 'out = "results"\n[data]', 1)
    (tmp_path / "cake.toml").write_text(text, encoding="utf-8")
    run = runfile.read_run(tmp_path / "cake.toml")
    assert Path(run.location) == tmp_path / "there"
    assert run.out == tmp_path / "results"


def test_urls_and_the_demo_are_no_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "sqlite:///shop.db")
    for path, location in (("demo", "demo"), ("${SHOP}", "sqlite:///shop.db")):
        (tmp_path / "a.toml").write_text(config_text(Path("X")).replace("'X'", f'"{path}"'), encoding="utf-8")
        assert runfile.read_run(tmp_path / "a.toml").location == location


def test_passwords_are_not_kept() -> None:
    run = runfile.read_run(EXAMPLES / "demo.toml")
    kept = runfile.make_run("postgresql://me:secret@host/shop", run.read, run.study, run.methods, run.out)
    assert kept.location == "postgresql://me:secret@host/shop"
    assert "secret" not in kept.text


@pytest.mark.parametrize("name", [p.name for p in sorted(EXAMPLES.glob("*.toml"))])
def test_examples_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSAISLE_BENCH", "bench")
    run = runfile.read_run(EXAMPLES / name)
    own = "methods" in tomllib.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert (run.methods == DEFAULT_METHODS) is not own


@pytest.mark.parametrize("name", ["online-retail", "amazon-text-time"])
def test_examples_fit_the_public_sets(cli: Cli, name: str, tmp_path: Path) -> None:
    if "CROSSAISLE_BENCH" not in os.environ:
        pytest.skip("CROSSAISLE_BENCH is not set: the public benchmark sets are not at hand")
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace("weeks = [0, 1, 2, 4, 8, 16]", "weeks = [2]").replace("shots = [0, 1, 2, 5]", "shots = [2]")
    few = text.replace("[study]", '[study]\nship = "item_knn"') + '[[methods]]\nmethod = "popularity"\n'
    (tmp_path / "few.toml").write_text(few + '[[methods]]\nmethod = "item_knn"\noptions = { scope = "all" }\n')
    said = cli("run", tmp_path / "few.toml", "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    assert {r["method"] for r in said.json["headline"]} == {"popularity", "item_knn"}


def test_the_template_shows_every_key_that_exists() -> None:
    text = (EXAMPLES / "own-data.toml").read_text(encoding="utf-8")
    loose = "\n".join(line.removeprefix("# ") for line in text.splitlines())
    keys = {line.split("=")[0].strip() for line in loose.splitlines() if "=" in line and " " not in line.split(" =")[0]}
    study = {
        "target",
        "cut",
        "sources",
        "test_weeks",
        "weeks",
        "shelf_weeks",
        "seeds",
        "ks",
        "metrics",
        "ship",
        "split",
    }
    assert keys >= study | {"path", "rename", "domain", "time_unit", "lenient", "cache", "method", "label", "options"}


def test_chosen_methods() -> None:
    assert chosen(()) == DEFAULT_METHODS
    recent = chosen(("popularity_recent", "ease"))
    assert [m.label for m in recent] == ["popularity_recent", "ease"]
    assert recent[0].options == {"half_life_weeks": 4.0}
    with pytest.raises(ConfigError, match="did you mean 'popularity'"):
        chosen(("populaity",))
