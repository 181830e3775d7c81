"""Commands in the pages are spelled as the command line takes them, and the files they name are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from crossaisle.cli import make_app

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "README.zh-CN.md", "docs/getting-started.md")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?://|#)([^()#\"]+)[)#]")


def lines(page: str) -> list[str]:
    return [line for block in SHELL.findall((ROOT / page).read_text(encoding="utf-8")) for line in block.splitlines()]


COMMANDS = sorted(
    {
        line
        for page in (*PAGES, "docs/serve.md", "docs/dashboard.md")
        for line in lines(page)
        if line.startswith("crossaisle ")
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line: str) -> None:
    make_app().parse_args(shlex.split(line, comments=True)[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize(
    "page",
    [*PAGES, "CONTRIBUTING.md", "docs/cli.md", "docs/dashboard.md", "docs/data.md", "docs/report.md", "docs/serve.md"],
)
def test_links_lead_somewhere(page: str) -> None:
    targets = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [t for t in targets if not ((ROOT / page).parent / t).exists()] == []


def test_scripts_and_make_targets_are_there() -> None:
    words = [shlex.split(line, comments=True) for page in PAGES for line in lines(page)]
    assert all((ROOT / w[1]).is_file() for w in words if w and w[0] == "python")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert all(w[1] in targets for w in words if w and w[0] == "make")
