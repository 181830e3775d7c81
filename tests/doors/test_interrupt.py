"""Ctrl-C during a run: one sentence, code 130, and the same command goes on to the same report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from .conftest import config_text
from .test_run import found_by

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child")
SLOW = """
[[methods]]
method = "popularity"

[[methods]]
method = "user_kernel"

[[methods]]
method = "als"
options = { iterations = 600 }
"""


def start(*words: object) -> subprocess.Popen[str]:
    code = "from crossaisle.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A shell that starts the tests in the background makes its children deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def interrupt(process: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    """Ctrl-C as soon as there is something to keep; the words and the code that follow."""
    until = time.monotonic() + 60
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "run the same command again and it goes on from there" in err
    assert "Traceback" not in err
    assert out == ""


def finish(*words: object) -> None:
    process = start(*words)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err


def test_ctrl_c_then_the_same_run(shop: Path, tmp_path: Path) -> None:
    config, cells = tmp_path / "slow.toml", tmp_path / "cut" / "cells"
    config.write_text(config_text(shop, SLOW), encoding="utf-8")
    words = ["run", config, "--out"]
    interrupt(start(*words, tmp_path / "cut"), lambda: len(list(cells.glob("*.json"))) >= 2)
    assert not (tmp_path / "cut" / "report.json").exists()
    kept = {p: p.stat().st_mtime_ns for p in cells.iterdir()}
    assert not [p for p in kept if p.name.startswith(".")]
    for folder in ("cut", "whole"):
        finish(*words, tmp_path / folder)
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert found_by(tmp_path / "cut" / "report.json") == found_by(tmp_path / "whole" / "report.json")


def test_ctrl_c_then_the_same_fusion(shop: Path, tmp_path: Path) -> None:
    small = [f"-o{name}=8" for name in ("dim", "hidden", "collaborative", "batch", "negatives")]
    words = ["fuse", shop, "--sources", "tea", "coffee", "-ocontent.text=", "-osteps=1000", *small, "--out"]
    interrupt(start(*words, tmp_path / "cut"), lambda: any(tmp_path.glob(".cut-*/*.safetensors")))
    assert not (tmp_path / "cut").exists()
    for folder in ("cut", "whole"):
        finish(*words, tmp_path / folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut", "whole"]
    resumed, whole = (load_file(tmp_path / name / "tensors.safetensors") for name in ("cut", "whole"))
    assert resumed.keys() == whole.keys()
    for name, tensor in whole.items():
        np.testing.assert_array_equal(resumed[name], tensor, err_msg=name)
