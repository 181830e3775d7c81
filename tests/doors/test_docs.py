"""docs/cli.md says what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from crossaisle.cli import COMMANDS, make_app
from crossaisle.cli.runfile import KEYS, read_run

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S) for line in block.splitlines()]


def test_every_command_is_listed() -> None:
    assert set(re.findall(r"^\| `crossaisle ([\w-]+)", TEXT, re.M)) == set(COMMANDS)


@pytest.mark.parametrize("line", LINES)
def test_commands_are_spelled_as_they_are(line: str) -> None:
    words = shlex.split(line)
    assert words[0] == "crossaisle"
    make_app().parse_args(words[1:], exit_on_error=False, print_error=False)


def test_the_configuration_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.S)
    monkeypatch.setenv("SHOP", "shop")
    (tmp_path / "bakery.toml").write_text(block, encoding="utf-8")
    assert read_run(tmp_path / "bakery.toml").study.target == "bakery"
    assert all(f"[{key}]" in block or f"{key} =" in block for key in KEYS)
