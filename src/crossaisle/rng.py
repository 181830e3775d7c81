"""One seed → independent named generators, so that adding a consumer never shifts another's numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """NumPy generator for `names` under `seed` (same arguments, same stream)."""
    words = [zlib.crc32(n.encode()) for n in names]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def torch_seed(seed: int, *names: str) -> int:
    """A 63-bit integer seed for torch generators, derived like `generator`."""
    return int(generator(seed, *names).integers(0, 2**63 - 1))


@contextmanager
def seeded(seed: int, *names: str) -> Iterator[None]:
    """Within the block torch's global generator is the one of `names` under `seed`; afterwards it is as before."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, *names))
        yield
