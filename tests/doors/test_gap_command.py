"""`crossaisle gap`: what it prints, writes and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossaisle.gap.report import GapReport

from .conftest import Cli

QUICK = ("--cut", "2024-03-25", "-o", "text=", "-o", "permutations=20", "-o", "resamples=20", "--no-cache")


def test_a_target(cli: Cli, shop: Path, tmp_path: Path) -> None:
    said = cli("gap", shop, "--target", "cake", "--weeks", "6", *QUICK, "--out", tmp_path / "gap")
    assert said.code == 0
    for words in ("to cake, nearest first", "neighbour_lift", "coffee", "nearest categories", "category of cake"):
        assert words in said.out
    assert (tmp_path / "gap" / "gap.html").is_file()
    found = GapReport.read(tmp_path / "gap" / "gap.json")
    assert found.protocol["weeks"] == 6
    assert str(tmp_path / "gap" / "gap.json") in said.out


def test_all_pairs_as_json(cli: Cli, shop: Path) -> None:
    said = cli("gap", shop, *QUICK, "--json")
    assert said.code == 0
    pairs = {(m["source"], m["target"]) for m in said.json["gap"]["measures"]}
    assert len(pairs) == 9  # six ordered pairs, and all sources for each of three targets
    assert said.json["gap"]["protocol"]["target"] is None


def test_chosen_sources(cli: Cli, shop: Path) -> None:
    said = cli("gap", shop, "--target", "cake", "--sources", "tea", *QUICK)
    assert "coffee" not in said.out


def test_what_must_be_known_is_said(cli: Cli, shop: Path) -> None:
    said = cli("gap", shop, "--target", "cake", "--weeks", "0", *QUICK)
    assert said.code == 0
    assert "note: cake has no visible interactions" in said.err


def test_without_the_report_extra_the_numbers_are_written(
    cli: Cli, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossaisle.report.plots.find_spec", lambda name: None)
    said = cli("gap", shop, "--target", "cake", *QUICK, "--out", tmp_path)
    assert said.code == 0
    assert "pip install crossaisle[report]" in said.err
    assert (tmp_path / "gap.json").is_file()
    assert not (tmp_path / "gap.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "cak"], "did you mean 'cake'"),
        (["--weeks", "2"], "name the target"),
        (["--target", "cake", "-o", "itms=100"], "items"),
        (["--target", "cake", "--cut", "soon"], "soon"),
        (["--target", "cake", "--base", "nowhere"], "nowhere"),
    ],
)
def test_mistakes(cli: Cli, shop: Path, words: list[str], said: str) -> None:
    found = cli("gap", shop, *words, "--no-cache")
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err
