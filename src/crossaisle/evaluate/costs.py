"""What a method costs: seconds, memory, parameters, bytes and milliseconds per request."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..metrics import top_k
from ..transfer.problem import Problem
from ..types import Codes, Scorer

EVERY = 0.02
REQUESTS = 15
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Costs:
    """Costs of one fit.

    Attributes:
        fit_seconds: wall time of the fit, without the base.
        fuse_seconds: wall time of fusing the base, which all steps share; 0 without one.
        peak_mb: most memory the process held while fitting and scoring, World included.
        parameters: number of real numbers in the fitted model.
        artifact_mb: size of the fitted model.
        ms_per_request: median time to rank the catalogue for one user.
    """

    fit_seconds: float
    fuse_seconds: float
    peak_mb: float
    parameters: int
    artifact_mb: float
    ms_per_request: float


@dataclass
class Peak:
    """Most memory seen so far, in MB."""

    mb: float = 0.0

    def look(self) -> None:
        """Take the present memory into account."""
        self.mb = max(self.mb, resident_mb())


def resident_mb() -> float:
    """Memory the process holds now; where the system does not tell, the most it ever held."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Watch the memory of the process from a thread while the block runs."""
    peak, stop = Peak(), threading.Event()

    def watch() -> None:
        while not stop.wait(EVERY):
            peak.look()

    peak.look()
    thread = threading.Thread(target=watch, name="peak-memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        peak.look()


def size_of(scorer: Scorer) -> tuple[int, float]:
    """(real numbers, MB) of what `scorer` would save."""
    arrays = scorer.state()[0].values()
    return sum(int(a.size) for a in arrays if a.dtype.kind == "f"), sum(a.nbytes for a in arrays) / 1e6


def ms_per_request(scorer: Scorer, problem: Problem, users: Codes, k: int = 10) -> float:
    """Median milliseconds to rank the catalogue for one of `users`, asked one at a time; 0 without users."""
    taken = []
    for user in users[np.linspace(0, max(len(users) - 1, 0), min(REQUESTS, len(users))).astype(np.int64)]:
        history = problem.history_for(np.array([user]))
        start = time.perf_counter()
        top_k(scorer.score(history), k)
        taken.append(1000.0 * (time.perf_counter() - start))
    return float(np.median(taken)) if taken else 0.0
