"""`crossaisle sources`: a table, a choice and the next command."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest

from crossaisle.cli import make_app

from .conftest import Cli


def test_it_says_what_each_source_adds_and_what_to_do_next(cli: Cli, shop: Path, tmp_path: Path) -> None:
    words = ("sources", shop, "--target", "cake", "--weeks", "8", "--out", tmp_path / "kept", "-o", "prior=0.9")
    said = cli(*words)
    assert said.code == 0
    assert "What each source adds to cake" in said.out
    assert "no clear difference" in said.out
    assert "chosen: coffee, tea\nwhy: no other set was better than all sources beyond noise\n" in said.out
    (line,) = (x.removeprefix("next: ") for x in said.out.splitlines() if x.startswith("next: "))
    assert line.endswith("--method user_kernel -o prior=0.9 --weeks 8 --sources coffee tea --out cake")
    make_app().parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
    kept = len(list((tmp_path / "kept").glob("user_kernel-*.json")))
    found = cli(*words, "--json").json
    assert found["fits"] == kept
    assert {a["source"] for a in found["adds"]} == {"tea", "coffee"}
    assert [c["name"] for c in found["compared"]] == ["none", "forward", "all"]


def test_only_the_sources_that_are_named(cli: Cli, shop: Path) -> None:
    found = cli("sources", shop, "--target", "cake", "--sources", "tea", "--cut", "2024-03-25", "--json").json
    assert [a["source"] for a in found["adds"]] == ["tea"]


def test_what_carries_most_by_the_gap_is_tried_first(cli: Cli, shop: Path, tmp_path: Path) -> None:
    asked = (shop, "--target", "cake", "--cut", "2024-03-25", "--weeks", "8")
    quick = ("-o", "text=''", "-o", "permutations=20", "-o", "resamples=20")
    assert cli("gap", *asked, *quick, "--out", tmp_path).code == 0
    measured = json.loads((tmp_path / "gap.json").read_text(encoding="utf-8"))
    for row in measured["measures"]:
        if row["name"] in ("users_known", "items_known"):
            row["value"] = float(row["source"] == "coffee")
    told = tmp_path / "coffee.json"
    told.write_text(json.dumps(measured), encoding="utf-8")
    tried = cli("sources", *asked, "--gap", told, "--json").json["steps"][0]["gains"]
    assert list(tried) == ["coffee", "tea"]
    assert [a["source"] for a in cli("sources", *asked, "--sources", "tea", "--gap", told, "--json").json["adds"]] == [
        "tea"
    ]
    other = cli("sources", shop, "--target", "tea", "--cut", "2024-03-25", "--weeks", "8", "--gap", told)
    assert other.code == 2
    assert "the gap is about the target 'cake', not 'tea'" in other.err


def test_few_people_are_told(cli: Cli, shop: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(shop / "interactions.csv")
    rows.filter((pl.col("domain") != "cake") | (pl.col("user_id") < "u25")).write_csv(tmp_path / "interactions.csv")
    said = cli("sources", tmp_path, "--target", "cake")
    assert said.code == 0
    assert "too few people to choose: " in said.out
    assert "so all sources stay" in said.out
    assert "What each source adds" not in said.out


def test_what_could_not_be_fitted_is_said(cli: Cli, shop: Path) -> None:
    said = cli("sources", shop, "--target", "cake", "--sources", "coffee", "--method", "emcdr")
    assert said.code == 0
    assert "with no source nothing could be fitted: method 'emcdr' needs overlapping_users" in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "pie"), "'pie'"),
        (("--target", "cake", "--method", "kernel"), "user_kernel"),
        (("--target", "cake", "--sources", "cake"), "no source domain beside 'cake'"),
        (("--target", "cake", "--method", "als"), "als reads 'cake' alone"),
        (("--target", "cake", "--budget", "soon"), "budget is 'soon'"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], said: str, cli: Cli, shop: Path) -> None:
    found = cli("sources", shop, *words)
    assert found.code == 2
    assert said in found.err
    assert found.err.startswith("crossaisle: ")
