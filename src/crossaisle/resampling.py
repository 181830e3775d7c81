"""The bootstrap: means over units drawn again with replacement."""

from __future__ import annotations

import numpy as np

from .rng import generator
from .types import Doubles

RESAMPLES = 2000
LEVEL = 0.95
CELLS = 4_000_000


def resampled(rows: Doubles, seed: int = 0, resamples: int = RESAMPLES) -> Doubles:
    """(m, resamples) means of `rows` (m, users) over samples of users with replacement, the same for all rows."""
    draw = generator(seed, "bootstrap")
    n = rows.shape[1]
    block = max(1, CELLS // n)
    parts = []
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        chosen = draw.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(chosen.ravel(), minlength=size * n).reshape(size, n)
        parts.append(rows @ times.T.astype(np.float64) / n)
    return np.concatenate(parts, axis=1)
