"""Every Python example that says ``run`` runs; the two READMEs say the same.

A block that opens with three backticks and ``python run`` is executed; the blocks of one file follow each other in one
name space, in an empty folder.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    p for p in (ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.exists()
]
FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=fence)[ \t]*$", re.M | re.S)
HEADING = re.compile(r"^(#+) ", re.M)


def blocks(text: str) -> list[tuple[str, str, int]]:
    """(info string, code, number of lines before the code) of each fenced block."""
    return [(m["info"].strip(), m["code"], text.count("\n", 0, m.start("code"))) for m in FENCE.finditer(text)]


def levels(text: str) -> list[int]:
    """Depth of each heading, in order."""
    return [len(m[1]) for m in HEADING.finditer(FENCE.sub("", text))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = [(code, line) for info, code, line in blocks(page.read_text(encoding="utf-8")) if info == "python run"]
    if not examples:
        pytest.skip(f"{page.name} has no block that opens with ```python run")
    names: dict[str, object] = {"__name__": "__main__"}
    for code, line in examples:
        exec(compile("\n" * line + code, str(page), "exec"), names)


def test_readmes_have_the_same_headings_and_code() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    if not chinese.exists():
        pytest.skip("README.zh-CN.md is not written yet")
    one, other = (p.read_text(encoding="utf-8") for p in (english, chinese))
    assert levels(one) == levels(other)
    assert [(i, c) for i, c, _ in blocks(one)] == [(i, c) for i, c, _ in blocks(other)]


def test_the_finder_itself() -> None:
    text = "# A\n\n```python run\nx = 1\n# no heading\n```\n## B\n````\n```\n````\n"
    assert blocks(text) == [("python run", "x = 1\n# no heading\n", 3), ("", "```\n", 8)]
    assert levels(text) == [1, 2]
