"""`--budget` of transfer, evaluate, run and bench."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from crossaisle.evaluate.result import Report

from .conftest import Cli, config_text

METHODS = '[[methods]]\nmethod = "popularity"\n\n[[methods]]\nmethod = "user_kernel"\n'


@pytest.fixture(autouse=True)
def _few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.evaluate.search.MOST", 3)


def test_transfer_searches_and_says_what_it_found(cli: Cli, shop: Path, tmp_path: Path) -> None:
    words = ("transfer", shop, "--target", "cake", "--method", "item_knn", "--out", tmp_path / "cake", "--budget", "1h")
    said = cli(*words, "-o", "shrink=3")
    assert said.code == 0
    assert said.out.startswith("options: ")
    assert "3 trials" in said.out
    (kept,) = (tmp_path / "cake.trials").glob("item_knn-*.journal")
    tried = kept.read_text(encoding="utf-8").count("about")
    again = cli(*words, "-o", "shrink=3", "--json").json["tuning"]
    assert again["trials"] == 3
    assert "shrink" not in again["searched"]
    assert kept.read_text(encoding="utf-8").count("about") == tried == 3


def test_a_run_takes_the_budget_of_its_file_or_of_the_flag(cli: Cli, shop: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "cake.toml", tmp_path / "run"
    config.write_text(config_text(shop, METHODS, 'budget = "2h"'), encoding="utf-8")
    assert cli("run", config, "--out", out, "--json").code == 0
    report = Report.read(out / "report.json")
    assert report.protocol["budget"] == "2h"
    assert report.protocol["tuning"]["user_kernel"]["week 6"]["trials"] == 3
    assert list((out / "trials").iterdir())
    assert (out / "recommender").is_dir()
    assert cli("run", config, "--out", out, "--budget", "1h", "--workers", "2", "--json").code == 0
    assert Report.read(out / "report.json").protocol["budget"] == "1h"
    assert (out / "config.toml").read_text(encoding="utf-8").startswith("# It ran with --budget 1h.\n# A copy of")


def test_evaluate_writes_the_budget_down(cli: Cli, shop: Path, tmp_path: Path) -> None:
    words = ("--target", "cake", "--cut", "2024-03-25", "--weeks", "6", "--seeds", "0", "--ship", "ease")
    said = cli("evaluate", shop, *words, "--methods", "ease", "--budget", "1h", "--out", tmp_path / "run", "--json")
    assert said.code == 0
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text(encoding="utf-8"))["study"]["budget"] == "1h"


@pytest.mark.parametrize("command", ["transfer", "evaluate", "run"])
def test_what_is_no_budget(command: str, cli: Cli, shop: Path, tmp_path: Path) -> None:
    config = tmp_path / "cake.toml"
    config.write_text(config_text(shop), encoding="utf-8")
    words = (config,) if command == "run" else (shop, "--target", "cake")
    words += ("--cut", "2024-03-25") if command == "evaluate" else ()
    said = cli(command, *words, "--out", tmp_path / "out", "--budget", "ten minutes")
    assert said.code == 2
    assert "a number above 0 with s, m or h is needed, such as 90s, 10m or 2h" in said.err
    assert not (tmp_path / "out").exists()


def test_the_budget_is_no_option_of_a_method(cli: Cli, shop: Path, tmp_path: Path) -> None:
    said = cli("transfer", shop, "--target", "cake", "--out", tmp_path / "out", "-o", "budget=10m")
    assert said.code == 2
    assert "write --budget 10m" in said.err
