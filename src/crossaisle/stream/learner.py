"""Learner: beside a service, makes versions of what the store has kept, and promotes those that hold."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ..data import fingerprint
from ..data.world import World
from ..errors import ConfigError, CrossaisleError
from ..models.base import Base
from ..recommender import Recommender
from ..stores.kinds import Version
from ..stores.reading import each, erased_among
from ..stores.store import Store
from .diary import now_utc
from .forget import forget_in, without_users
from .growth import NUMBER, frame_of_events, grown_world
from .lesson import Lesson, Teaching, lesson
from .lookout import Lookout
from .snapshot import LAST_EVENT, learned_until

_LOG = logging.getLogger(__name__)
LESSON = "lesson"
"""Fact of a version: how it was learned and judged."""


class Learned(NamedTuple):
    """A version that a lesson made, and whether it is served now."""

    version: Version
    promoted: bool


@dataclass(eq=False)
class Learner:
    """Learns from a store; several steps, and several processes after each other, go on where the last one stopped.

    A version is named after the last event that it learned from. It is saved first, made known then and promoted last,
    each of it whole or not at all, so that a step that was interrupted is finished by the next.

    Attributes:
        store: of events, items and versions.
        world: what the first version was fitted on; the events of the store came after it.
        folder: of artifacts; paths of versions are relative to it.
        how: method, window and rules.
        base: for methods that read one.
        promote: serves the version of a name and makes it current, as a service does; without one the store alone
            is told.
        lookout: watches the days for drift, where there is one.
    """

    store: Store
    world: World
    folder: Path
    how: Teaching = field(default_factory=Teaching)
    base: Base | None = None
    promote: Callable[[str], object] | None = None
    lookout: Lookout | None = None
    _done: int = field(default=0, init=False)

    def step(self, now: datetime | None = None) -> Learned | None:
        """One lesson; None where there is nothing new to learn, or an experiment runs, whose versions must stay.

        Args:
            now: naive UTC; the clock when None.

        Raises:
            ConfigError: no version is served yet.
            ArtifactError, StorageError: disk or store refuse; the next step begins anew.
        """
        versions = self.store.versions()
        serving = next((v for v in versions if v.state == "current"), None)
        if serving is None:
            raise ConfigError("no version is current; promote a first one, which the learner then makes better.")
        if not self.store.events(after=self._done, limit=1):
            return None
        current, gone = Recommender.load(self.folder / serving.path), self._gone()
        numbered = list(each(self.store.events))
        world, rows = grown_world(self._without(gone), frame_of_events(numbered), list(self.store.items()))
        now = now or now_utc()
        if self.lookout is not None:
            learned = int((rows[NUMBER] <= learned_until(serving, current)).sum())
            self.lookout.look(world, rows, learned, current, now)
        if running := self.store.marks().trial:
            _LOG.info("nothing learned: experiment %r is running", running)
            return None
        found = lesson(world, rows, now, current, self.how, self.base)
        made = None
        if found is None or found.candidate is None:
            _LOG.info("nothing learned: %s", "no event came before the window" if found is None else found.why)
        else:
            last = int(rows[NUMBER][found.learned - 1])
            made = self._made(versions, last, found, without_users(found.candidate, gone))
        self._done = numbered[-1][0]
        return made

    def _made(self, versions: Sequence[Version], last: int, found: Lesson, shop: Recommender) -> Learned | None:
        """The version of what was learned up to event `last`; None where it is there and needs nothing more."""
        name = f"learned-{last}"
        version = next((v for v in versions if v.name == name), None)
        known = version is not None
        version = version or self._added(name, last, found, shop)
        promote = version.state == "candidate" and bool(version.facts[LESSON]["promote"])
        if promote:
            (self.promote or self.store.promote)(name)
        return Learned(version, promote) if promote or not known else None

    def _added(self, name: str, last: int, found: Lesson, shop: Recommender) -> Version:
        shop = replace(shop, facts={**shop.facts, LAST_EVENT: last})
        shop.save(self.folder / name)
        facts: dict[str, Any] = {"method": shop.method, "domain": shop.domain, "items": len(shop.catalogue)}
        facts |= {"users": len(shop.user_ids), LAST_EVENT: last, LESSON: found.to_dict()}
        version = Version(name, name, now_utc(), facts=facts)
        self.store.add_version(version)
        # Whoever was erased during the lesson: nobody knew of this folder then.
        if gone := erased_among(self.store, shop.user_ids.ids):
            forget_in(self.folder / name, gone)
        return version

    def _gone(self) -> list[str]:
        return erased_among(self.store, self.world.user_ids.ids)

    def _without(self, gone: list[str]) -> World:
        """The World without the rows of people who asked to be forgotten."""
        if not gone:
            return self.world
        world, codes = self.world, self.world.user_ids.encode(gone).tolist()
        kept = ~world.interactions["user"].is_in(codes)
        return replace(
            world,
            interactions=world.interactions.filter(kept),
            users=world.users.filter(~pl.col("user").is_in(codes)),
            fingerprint=fingerprint.of_rows(world.fingerprint, kept),
        )


class Background:
    """A thread that takes a step every so often, until it is stopped; an error is logged, and the next step comes.

    Args:
        learner: whose steps.
        every: seconds from the end of one step to the beginning of the next.
    """

    def __init__(self, learner: Learner, every: float) -> None:
        if every <= 0:
            raise ConfigError(f"every is {every}; a number of seconds above 0 is needed.")
        self._learner, self._every = learner, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crossaisle-learner", daemon=True)

    def start(self) -> None:
        """Begin; the first step comes at once."""
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """End after the step that is under way, which is waited for `patience` seconds, or as long as it takes."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._learner.step()
            except CrossaisleError as error:
                _LOG.warning("the learner keeps what is served: %s", error)
            except Exception:  # a thread that ends unseen would leave the service with what it knew that day
                _LOG.exception("the learner keeps what is served")
            self._stop.wait(self._every)
