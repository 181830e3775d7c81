"""A second process for long studies: it fills the cells from the end while the first goes forward, and they meet."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Annotated

from cyclopts import Parameter

from ..errors import CrossaisleError

MOST = 2
Workers = Annotated[int | None, Parameter(help="Processes, 1 or 2; default: 2 where there are two processors.")]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_of(asked: int | None) -> int:
    """How many processes to use: what was `asked` for, within 1 and 2, else one for each processor."""
    return max(1, min(MOST, cores() if asked is None else asked))


@contextmanager
def helped(workers: int, budget: str | None, work: Callable[..., None], *given: object) -> Iterator[None]:
    """Within the block a second process does `work` with what is `given`, where `workers` is above 1.

    Both use one thread, so that a number does not depend on which of them found it. With a budget there is no second
    one: it would take time from the trials.
    """
    if workers < MOST or budget is not None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    process = get_context("spawn").Process(target=_quietly, args=(work, *given), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()
        torch.set_num_threads(threads)


def _quietly(work: Callable[..., None], *given: object) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process says what there is to say
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # not killed: libraries give their semaphores back
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    with suppress(CrossaisleError):  # the first process comes upon the same trouble and reports it
        work(*given)


def _end_with_parent() -> None:
    """End this process when the first one has ended, though it was killed and could not say so."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
