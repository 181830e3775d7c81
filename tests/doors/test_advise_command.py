"""`crossaisle advise` and `transfer --method auto` as people type them."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from crossaisle.api import advise
from crossaisle.cli import main, make_app
from crossaisle.cli.advise import commands
from crossaisle.evaluate.search import Search
from crossaisle.metrics import Doubles
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
    assert "follows the advice" in capsys.readouterr().out


def test_auto_goes_on_from_its_trials(shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["transfer", shop, "--target", "cake", "--method", "auto", "-o", "explainable=true", "-o", "tries=2"]
    judge, judged = Search.judge, []

    def interrupted(search: Search, options: object) -> Doubles:
        judged.append(search.key)
        if len(judged) == 2:
            raise KeyboardInterrupt
        return judge(search, options)

    monkeypatch.setattr(Search, "judge", interrupted)
    assert main([*words, "--out", str(tmp_path / "r")]) == 130
    assert {p.stem for p in (tmp_path / "r.trials").glob("*.npz")} == {judged[0]}
    assert main([*words, "--out", str(tmp_path / "r")]) == 0
    assert judged[2] == judged[1]
    assert judged.count(judged[0]) == 1


def test_what_to_do_next_is_the_whole_command(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--target", "cake", "--cut", "2024-03-25", "--weeks", "6", "--sources", "tea"]
    assert main(["advise", shop, *words]) == 0
    (line,) = (x.removeprefix("next: ") for x in capsys.readouterr().out.splitlines() if x.startswith("next: "))
    make_app().parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
    assert "--cut 2024-03-25 --weeks 6" in line
    assert "--sources tea" in line


def test_another_fusion_is_a_command_before_the_transfer() -> None:
    found = advise(tiny_world(), "cake")
    options = {"parts": ["popularity", "als"]}
    first = dataclasses.replace(
        found.rows[0], method="zero_shot", fusion="mmoe", options=options, sources=("tea", "coffee")
    )
    said = commands(dataclasses.replace(found, rows=(first,)), "my shop", (), ["--cut", "2024-03-25", "--weeks", "6"])
    fuse, transfer = (shlex.split(line) for line in said)
    for line in (fuse, transfer):
        make_app().parse_args(line[1:], exit_on_error=False, print_error=False)
    assert fuse[:5] == ["crossaisle", "fuse", "my shop", "--method", "mmoe"]
    assert fuse[fuse.index("--sources") :] == ["--sources", "tea", "coffee", "--out", "runs/base"]
    assert "--weeks" not in fuse
    assert transfer[transfer.index("--base") + 1] == "runs/base"
    assert "parts=['popularity', 'als']" in transfer
