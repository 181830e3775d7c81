"""Alarms of drift, on the page Live."""

from __future__ import annotations

from ..serve.service import Service
from ..stream.drift import Alarm
from .frame import empty, part, words

_SHOWN = 10
_BLIND = (
    "Nothing watches for drift: start the service with --data, what its artifact was fitted on, and with the extra "
    "“stream”; then it learns, and watches each day that is over."
)


class Alarms:
    """The last alarms, newest first.

    Args:
        service: that watches.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._drawn: list[Alarm] | None = None
        self._place = part("div", props="aria-live=polite")

    def show(self) -> None:
        """Draw what is new."""
        found = list(self._service.alarms)
        if self._drawn == found:
            return
        self._drawn = found
        self._place.clear()
        with self._place:
            if not found:
                empty(
                    "Each day that is over is watched, and nothing has changed." if self._service.watching else _BLIND
                )
            for alarm in found[: -_SHOWN - 1 : -1]:
                with part("div", "warning alarm"):
                    words("p", alarm.sentence)
                    words("p", f"{alarm.signal} · noticed {alarm.at:%Y-%m-%d %H:%M} UTC").classes("soft")
