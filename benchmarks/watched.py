"""A benchmark's work in a process of its own, with limits of time and memory that the parent keeps."""

from __future__ import annotations

import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

EVERY = 0.1
PATIENCE = 6
READING = "## What this says\n"
THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS",
    "LK_NUM_THREADS", "LK_NUM_BACKEND_THREADS",
)  # fmt: skip
ONE_THREAD = dict.fromkeys(THREADS, "1") | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}  # RecBole reads its own files


def memory_mb(process: int | str, what: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (the most so far) of a process; 0 once it has ended."""
    try:
        found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def watched(command: list[str], seconds: float, megabytes: float, log: Path) -> dict[str, Any]:
    """Run `command`, whose last printed line is a JSON object, on one thread.

    Args:
        command: program and arguments.
        seconds: of the processor, after which it is ended; on the clock it may take `PATIENCE` times as many.
        megabytes: resident memory above which it is ended.
        log: takes what it writes to stderr.

    Returns:
        Its JSON object, or ``failed``: why there is none; with ``wall`` seconds and ``peak_mb`` of the whole process.
    """
    start, peak, failed = time.perf_counter(), 0.0, ""
    log.parent.mkdir(parents=True, exist_ok=True)
    out = log.with_suffix(".out")
    with out.open("w") as said, log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=said, stderr=errors, env={**os.environ, **ONE_THREAD}, preexec_fn=lambda: _limit(seconds)
        )
        while process.poll() is None:
            peak = max(peak, memory_mb(process.pid, "VmHWM"))
            if time.perf_counter() - start > PATIENCE * seconds:
                failed = f"longer than {PATIENCE * seconds:.0f} s on the clock"
            elif memory_mb(process.pid, "VmRSS") > megabytes:
                failed = f"more than {megabytes:,.0f} MB"
            if failed:
                process.kill()
                process.wait()
            time.sleep(EVERY)
    if process.returncode == -signal.SIGXCPU:
        failed = f"more than {seconds:.0f} s"
    about = {"wall": round(time.perf_counter() - start, 2), "peak_mb": round(peak)}
    lines = out.read_text().splitlines()
    if not failed and process.returncode == 0 and lines:
        return {**about, **json.loads(lines[-1])}
    last = (log.read_text().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
    return {"failed": failed or last[:300], **about}


def _limit(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (round(seconds), round(seconds) + 5))


def write_page(path: Path, text: str) -> None:
    """Write `text`, and below it what somebody wrote under ``## What this says`` in the page that was there."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = old.partition(READING)[2]
    path.write_text(text.rstrip() + "\n" + (f"\n{READING}{kept}" if kept else ""), encoding="utf-8")


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of the share `hits` / `of` (Wilson 1927); 0 to 1 where there is nothing."""
    if not of:
        return 0.0, 1.0
    share, over = hits / of, z * z / of
    middle, half = share + over / 2, z * math.sqrt(share * (1 - share) / of + over / of / 4)
    return max(0.0, (middle - half) / (1 + over)), min(1.0, (middle + half) / (1 + over))


def own_peak_mb() -> float:
    """The most memory this process has held."""
    return memory_mb("self", "VmHWM")


def python() -> str:
    """The interpreter at work."""
    return sys.executable
