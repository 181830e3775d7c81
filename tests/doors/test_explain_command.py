"""`crossaisle explain`: sentences, JSON, and every mistake's sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Cli


def test_a_person_is_told_why(cli: Cli, finished: Path) -> None:
    said = cli("explain", finished, "--user", "u12", "-k", "2")
    assert said.code == 0
    assert said.out.count("somebody unknown would see it at place") == 2
    assert "what anybody gets" in said.out
    found = cli("explain", finished, "--user", "u12", "-k", "2", "--json").json
    first = found["explanations"][0]
    assert first["start"] + sum(first["by_domain"].values()) == pytest.approx(first["score"], abs=1e-4)
    assert first["sentence"] in said.out.replace("\n", " ")


def test_one_item_strangers_and_sessions(cli: Cli, finished: Path) -> None:
    (one,) = cli("explain", finished, "--user", "u12", "--item", "cake05", "--json").json["explanations"]
    assert one["item_id"] == "cake05"
    assert "Nothing is known of this person" in cli("explain", finished, "--user", "nobody").out
    said = cli("explain", finished, "--session", "tea01", "coffee01", "--json").json
    assert {b["item_id"] for e in said["explanations"] for b in e["because"]} <= {"tea01", "coffee01"}


def test_a_transfer_is_told(cli: Cli, finished: Path) -> None:
    said = cli("explain", finished, "--transfer")
    assert said.code == 0
    assert "people gained" in said.out
    assert "where the recommendations of cake come from" in said.out
    told = cli("explain", finished, "--transfer", "--json").json["transfer"]
    assert [g["step"] for g in told["gains"]][-1] == "week 6"


def test_data_that_are_gone_leave_gains_out(cli: Cli, finished: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(finished, copied)
    config = copied / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text("\n".join("path = 'gone'" if line.startswith("path") else line for line in text.splitlines()))
    said = cli("explain", copied, "--transfer")
    assert said.code == 0
    assert "the data of this run are not at hand" in said.err
    assert "people gained" not in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--user", "u12", "--item", "tea01"], "item 'tea01' is not of 'cake'"),
        (["--user", "u12", "--item", "cake0x"], "unknown item 'cake0x'"),
        (["--user", "u12", "-k", "99"], "k is 99; choose a number from 1 to 24"),
        (["--user", "u12", "--domain", "tea"], "unknown domain 'tea'"),
        ([], "give one of --user ID"),
        (["--user", "u12", "--transfer"], "give one of --user ID"),
    ],
)
def test_wrong_questions_to_explain(cli: Cli, finished: Path, words: list[str], sentence: str) -> None:
    said = cli("explain", finished, *words)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
