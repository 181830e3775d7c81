"""docs/methods.md says what is registered: a section a method, with its needs, its paper and options that exist."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import crossaisle.api  # noqa: F401  registers the methods
from crossaisle.transfer.method import METHODS

TEXT = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0].strip(): " ".join(part.split()) for part in TEXT.split("\n## ")[1:]}
OURS = [name for name, method in METHODS if method.fit.__module__.startswith("crossaisle.")]


def test_every_method_has_a_section_and_no_other_has() -> None:
    assert sorted(SECTIONS) == sorted(OURS)


@pytest.mark.parametrize("name", OURS)
def test_a_section_says_what_the_method_says(name: str) -> None:
    method, section = METHODS.get(name), SECTIONS[name]
    assert f"- Paper: {method.paper} -" in section
    needs = re.search(r"- Needs: (.*?) - When: ", section)
    assert needs
    assert needs[1].split(";")[0] == (", ".join(method.needs) or "nothing")
    assert ("base" in needs[1]) == method.reads_base
    when = re.search(r"- When: (.*?) - Options: ", section.replace("`", ""))
    assert method.when
    assert when
    assert when[1].lower().startswith(method.when.lower())
    told = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", section.rsplit("- Options: ", 1)[1]))
    assert set(told) <= {f.name for f in fields(method.options)}
    assert told or section.endswith("Options: none")
    assert "> " in section  # the formula
