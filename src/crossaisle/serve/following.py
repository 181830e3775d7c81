"""Following: what other processes of the same store changed is served here too, within a second or so."""

from __future__ import annotations

from dataclasses import replace

from ..stores.kinds import Marks
from . import changes
from .service import Service


class Follower:
    """Looks where the store stands, and takes in what others did since the last look.

    Args:
        service: that follows.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        # What others did while this service was starting is seen by the first look.
        self._seen = Marks(events=0, shown=0, items=0, erased=0, current=None, trial=None)

    def look(self) -> None:
        """Take in events, items, erasures, the version that is served and the experiment that runs.

        Raises:
            ArtifactError: what another process serves cannot be read here; what is served stays.
            StorageError: the disk or database refused; the next look begins anew.
        """
        service, seen = self._service, self._seen
        if replace(service.store.marks(), shown=seen.shown) == seen:  # exposures are each process's own
            return
        with service.changing:
            now = service.store.marks()  # what was promoted here since the first look must not be taken back
            service.live.people.catch_up()
            if now.erased != seen.erased:
                service.live.forget_erased()
                service.attention.forget_erased(service.store)
            if now.items != seen.items and (items := service.live.goods.changed()):
                service.live.take_in(items)
            self._follow_versions(now)
        self._seen = now

    def _follow_versions(self, now: Marks) -> None:
        service = self._service
        running = None if service.trials.running is None else service.trials.running.name
        if running is not None and running != now.trial:
            service.trials.leave()
        if now.current is not None and now.current != service.live.now.version:
            changes.follow_current(service, now.current)
        if now.trial is not None and running != now.trial:
            service.trials.join()
