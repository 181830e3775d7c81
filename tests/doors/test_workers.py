"""Two processes on one run folder find what one finds."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossaisle.cli.runfile import read_run
from crossaisle.cli.study import fill_run, judge_all
from crossaisle.cli.workers import _quietly, helped, workers_of
from crossaisle.data.load import open_world

from .conftest import config_text
from .test_run import found_by


def test_the_second_process_fills_every_cell_that_the_first_then_finds(
    finished: Path, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "cake.toml").write_text(config_text(shop), encoding="utf-8")
    run = read_run(tmp_path / "cake.toml", tmp_path / "out")
    with helped(2, None, fill_run, run):
        until = time.monotonic() + 120
        while len(list(run.out.glob("cells/*.json"))) < len(list(finished.glob("cells/*.json"))):
            assert time.monotonic() < until, "the second process found too few cells"
            time.sleep(0.1)
    before = {p: p.stat().st_mtime_ns for p in run.out.glob("cells/*")}
    judge_all(open_world(run.location, run.read), run)
    assert {p: p.stat().st_mtime_ns for p in run.out.glob("cells/*")} == before
    assert found_by(run.out / "report.json")["rows"] == found_by(finished / "report.json")["rows"]


def test_the_second_process_ends_with_a_first_one_that_is_killed() -> None:
    code = (
        "import time; from crossaisle.cli.workers import helped\n"
        "with helped(2, None, time.sleep, 60): print('begun', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        first.kill()
        first.communicate(timeout=30)  # the second one writes to the same pipe, which is closed when it has ended


def test_numbers_of_processes() -> None:
    assert [workers_of(n) for n in (-1, 1, 2, 9)] == [1, 1, 2, 2]
    assert workers_of(None) in (1, 2)


def test_the_second_process_is_silent_about_mistakes(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cake.toml").write_text(config_text(shop).replace('"cake"', '"no such"'), encoding="utf-8")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    _quietly(fill_run, read_run(tmp_path / "cake.toml", tmp_path / "out"))
    assert not (tmp_path / "out" / "cells").exists()
