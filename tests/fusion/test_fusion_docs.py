"""docs/fusion.md says what is registered: a section a fusion, with its paper and options that exist; every balance."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import crossaisle.fusion  # noqa: F401  registers the fusions
from crossaisle.api import MethodSpec, TextTuning
from crossaisle.cli import make_app
from crossaisle.config import describe
from crossaisle.fusion.method import FUSIONS
from crossaisle.train.balance import BALANCES

TEXT = (Path(__file__).parents[2] / "docs" / "fusion.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0].strip(): part for part in TEXT.split("\n## ")[1:]}
OURS = [name for name, method in FUSIONS if method.fit.__module__.startswith("crossaisle.")]
BALANCED = [name for name, made in BALANCES if made.make.__module__.startswith("crossaisle.")]


def test_every_fusion_has_a_section_and_no_other_has() -> None:
    assert sorted(SECTIONS) == sorted([*OURS, "balance", "tune-text"])


@pytest.mark.parametrize("name", OURS)
def test_a_section_says_what_the_fusion_says(name: str) -> None:
    method, section = FUSIONS.get(name), " ".join(SECTIONS[name].split())
    assert f"- Paper: {method.paper} -" in section
    needs = re.search(r"- Needs: (.*?) - When: ", section)
    assert needs
    assert needs[1].split(";")[0] == (", ".join(method.needs) or "nothing")
    when = re.search(r"- When: (.*?) - Options: ", section.replace("`", ""))
    assert method.when
    assert when
    assert when[1].lower().startswith(method.when.lower())
    told = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", section.rsplit("- Options: ", 1)[1]))
    assert told
    assert set(told) - set(OURS) <= {f.name for f in fields(method.options)}
    assert "> " in section  # the formula


def test_the_section_on_balance_has_a_row_for_each() -> None:
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in SECTIONS["balance"].splitlines() if "| `" in row]
    wanted = [(f"`{n}`", BALANCES.get(n).summary, BALANCES.get(n).paper, BALANCES.get(n).when) for n in BALANCED]
    assert [tuple(row) for row in rows] == wanted
    assert all(part for row in wanted for part in row)


def test_the_option_names_every_balance() -> None:
    for name in OURS:
        told = {option: text for option, _, _, text in describe(FUSIONS.get(name).options)}
        assert set(BALANCED) <= set(re.findall(r"\w+", told.get("balance", " ".join(BALANCED))))
    assert "balance" in {option for option, *_ in describe(FUSIONS.get("shared_bottom").options)}


def test_the_section_on_text_names_every_option_and_spells_commands_as_they_are() -> None:
    section = SECTIONS["tune-text"]
    told = re.findall(r"`(\w+)`", section.rsplit("- Options: ", 1)[1])
    assert told == [f.name for f in fields(TextTuning)]
    commands = [line for block in re.findall(r"```sh\n(.*?)```", section, re.S) for line in block.splitlines()]
    assert len(commands) == 3
    for line in commands:
        make_app().parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
    (table,) = re.findall(r"```toml\n(.*?)```", section, re.S)
    assert MethodSpec.parse(tomllib.loads(table)["methods"][0]).fusion_options == {"content": {"text": "shop-text"}}
