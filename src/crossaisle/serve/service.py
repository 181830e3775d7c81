"""Service: what all routes share, and the threads that work for them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from fastapi import HTTPException, Request

from ..errors import unknown
from ..ranker import Taste
from ..stores.kinds import Event, Exposure
from ..stores.store import Store
from ..stream.diary import stacked
from ..stream.drift import Alarm
from ..stream.learner import Background
from ..stream.live import Live
from ..stream.snapshot import Snapshot
from ..types import History
from .attention import Attention
from .batcher import Batcher
from .keyring import Keyring
from .limits import Buckets
from .metrics import Metrics
from .settings import Settings
from .trials import Trials

R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Ask:
    """A taste that is wanted, and what to make of it.

    Attributes:
        snapshot: whose recommender reads.
        history: of one user.
        then: what was read → the answer.
    """

    snapshot: Snapshot
    history: History
    then: Callable[[Taste], Any]


@dataclass(eq=False)
class Service:
    """What routes work with.

    Attributes:
        live: what is served.
        store: what is kept.
        settings: limits.
        artifacts: folder that versions are taken from.
        metrics: counters.
        ready: false from the moment that the service is told to stop.
        learner: makes versions of what came, where it does.
        watching: whether a learner watches for drift.
        alarms: of drift, the newest last.
        at_last: what is to be called when all else is closed.
    """

    live: Live
    store: Store
    settings: Settings
    artifacts: Path
    metrics: Metrics
    ready: bool = True
    watching: bool = False
    learner: Background | None = None
    alarms: deque[Alarm] = field(default_factory=lambda: deque(maxlen=100))
    at_last: list[Callable[[], object]] = field(default_factory=list)
    draw: np.random.Generator = field(default_factory=np.random.default_rng)

    def __post_init__(self) -> None:
        self.keyring = Keyring(self.store)
        self.buckets = Buckets(self.settings.rate, self.settings.burst)
        self.changing = threading.RLock()  # one change of versions, experiments or people at a time
        self.attention = Attention()
        self.trials = Trials(self.live, self.store, self.artifacts)
        self._scorer: Batcher[Ask, Any] = Batcher(answered, self.settings.batch)
        self._quick: Batcher[Ask, Any] = Batcher(answered, self.settings.batch, here=True)
        self._changer = ThreadPoolExecutor(1)
        self._events: Batcher[list[Event], None] = Batcher(self._record, 64)
        self._exposures: Batcher[list[Exposure], None] = Batcher(self._expose, 64)

    async def score(self, ask: Ask) -> Any:
        """What `ask.then` makes of the taste; at once where that takes less than the way to a thread and back."""
        quick = ask.snapshot.shop.ranker.vectors is not None
        return await (self._quick if quick else self._scorer).ask(ask)

    async def change(self, work: Callable[..., R], *of: object) -> R:
        """What `work` gives, a change that waits its turn: those that wait hold no thread that answers need."""
        return await asyncio.get_running_loop().run_in_executor(self._changer, work, *of)

    async def record(self, events: list[Event]) -> None:
        """Keep events; they are on disk afterwards."""
        await self._events.ask(events)

    async def expose(self, exposures: list[Exposure]) -> None:
        """Keep what is shown."""
        await self._exposures.ask(exposures)

    def close(self) -> None:
        """Finish what is in work, and let go of the store."""
        for batcher in (self._scorer, self._quick, self._events, self._exposures):
            batcher.close()
        self._changer.shutdown(cancel_futures=True)
        self.store.close()
        for last in self.at_last:
            last()

    def _record(self, wanted: list[list[Event]]) -> list[None]:
        """One transaction for all that wait."""
        events = [e for part in wanted for e in part]
        self.metrics.kept(self.live.people.record(events))
        self.metrics.met(self.attention.meet(events))
        return [None] * len(wanted)

    def _expose(self, wanted: list[list[Exposure]]) -> list[None]:
        exposures = [e for part in wanted for e in part]
        self.live.expose(exposures)
        self.metrics.exposures.inc(len(exposures))
        return [None] * len(wanted)


def service_of(request: Request) -> Service:
    """The service of a request."""
    found: Service = request.app.state.service
    return found


def answered(asks: list[Ask]) -> list[Any]:
    """Answers in order; histories of one snapshot are read together."""
    answers: list[Any] = [None] * len(asks)
    for snapshot in dict.fromkeys(a.snapshot for a in asks):
        rows = [n for n, a in enumerate(asks) if a.snapshot is snapshot]
        tastes = snapshot.shop.ranker.tastes(stacked([asks[n].history for n in rows]))
        for n, taste in zip(rows, tastes, strict=True):
            answers[n] = asks[n].then(taste)
    return answers


def check_domain(snapshot: Snapshot, domain: str | None) -> None:
    """Refuse a domain that is not served."""
    if domain is not None and domain != snapshot.shop.domain:
        raise HTTPException(404, unknown("domain", domain, [snapshot.shop.domain]))
