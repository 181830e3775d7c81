"""What docs/architecture.md §6 says must always hold, as far as source text can tell."""

from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import crossaisle

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "crossaisle").rglob("*.py"))
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def test_imports_run_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        status = lint_imports(no_cache=True)
    finally:
        os.chdir(before)
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_file_breaks_a_house_rule(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    broken = [f"line {n.lineno}: {said}" for n in ast.walk(tree) for said in offences(n, path.parent.name == "train")]
    assert not broken


def offences(node: ast.AST, training: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"imports {a.name}" for a in node.names if a.name.split(".")[0] in UNSAFE_MODULES]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [f"imports from {node.module}"] if (node.module or "").split(".")[0] in UNSAFE_MODULES else []
    if not isinstance(node, ast.Call):
        return []
    if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
        return [f"calls {node.func.id}"]
    if isinstance(node.func, ast.Attribute) and node.func.attr == "backward" and not training:
        return ["calls .backward() outside train/"]
    return []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import pickle", "imports pickle"),
        ("from joblib import load", "imports from joblib"),
        ("eval('1')", "calls eval"),
        ("loss.backward()", "calls .backward() outside train/"),
    ],
)
def test_the_rules_see_offences(code: str, said: str) -> None:
    assert [s for n in ast.walk(ast.parse(code)) for s in offences(n, training=False)] == [said]


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == crossaisle.__version__
    assert f"## [{crossaisle.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_torch_is_pinned_alike() -> None:
    pins = [
        w for n in ("Makefile", "constraints.txt") for w in (ROOT / n).read_text().split() if w.startswith("torch==")
    ]
    assert len(pins) == 2
    assert len(set(pins)) == 1
