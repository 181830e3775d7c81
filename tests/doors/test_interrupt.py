"""Ctrl-C during a run: one sentence, code 130, and the same command goes on to the same report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import config_text
from .test_run import found_by

SLOW = """
[[methods]]
method = "popularity"

[[methods]]
method = "user_kernel"

[[methods]]
method = "als"
options = { iterations = 600 }
"""


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from crossaisle.cli import main; raise SystemExit(main())", "run"]
    return subprocess.Popen(
        [*command, str(config), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A shell that starts the tests in the background makes its children deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child")
def test_ctrl_c_then_the_same_command(shop: Path, tmp_path: Path) -> None:
    config = tmp_path / "slow.toml"
    config.write_text(config_text(shop, SLOW), encoding="utf-8")
    process = start(config, tmp_path / "cut")
    cells = tmp_path / "cut" / "cells"
    until = time.monotonic() + 60
    while len(list(cells.glob("*.json"))) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "run the same command again and it goes on from there" in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "cut" / "report.json").exists()
    kept = {p: p.stat().st_mtime_ns for p in cells.iterdir()}
    assert not [p for p in kept if p.name.startswith(".")]

    for folder in ("cut", "whole"):
        process = start(config, tmp_path / folder)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert found_by(tmp_path / "cut" / "report.json") == found_by(tmp_path / "whole" / "report.json")
