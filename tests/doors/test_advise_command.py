"""`crossaisle advise` and `transfer --method auto` as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossaisle.cli import main
from crossaisle.testing_world import tiny_world


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder, world = tmp_path_factory.mktemp("shop"), tiny_world()
    rows = world.interactions
    rows.select(
        user_id=world.user_ids.ids.gather(rows["user"]),
        item_id=world.item_ids.ids.gather(rows["item"]),
        domain=world.domains.ids.gather(rows["domain"]),
        timestamp="timestamp",
    ).write_csv(folder / "interactions.csv")
    return str(folder)


def test_advice_is_a_table_with_a_sentence(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", shop, "--target", "cake", "--explainable", "--out", str(tmp_path / "a")]) == 0
    shown = capsys.readouterr().out
    assert "80 % interval" in shown
    assert "next: crossaisle transfer" in shown
    assert (tmp_path / "a" / "advice.html").exists()


def test_advice_as_json(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", shop, "--target", "cake", "--minutes", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"]
    assert all(r["seconds"] <= 60 for r in found["rows"])
    assert any("minutes of 1" in why for why in found["left_out"].values())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--target", "pie"], "unknown domain 'pie'"),
        (["--target", "cake", "--memory", "0"], "memory is 0"),
        (["--target", "cake", "--reports", "nowhere"], "there is no nowhere"),
        (["--target", "cake", "--weeks", "-1"], "weeks is -1"),
    ],
)
def test_mistakes_are_one_sentence(
    shop: str, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", shop, *words]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert "Traceback" not in shown


def test_auto_is_a_method_like_others(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["transfer", shop, "--target", "cake", "--method", "auto", "-o", "explainable=true", "-o", "tries=1"]
    assert main([*words, "--out", str(tmp_path / "r")]) == 0
    assert main(["methods", "auto"]) == 0
    assert "crossaisle advise" in capsys.readouterr().out
