"""Versions, on the page Live: which there are, and, for an admin, what is served from now on."""

from __future__ import annotations

import asyncio

from ..serve import changes
from ..stores.kinds import State, Version
from .asking import Asking
from .frame import View, part, words

_SHOWN = 6
_STATES: dict[State, str] = {
    "current": "served now",
    "previous": "one step back",
    "candidate": "never served",
    "retired": "was served",
}
_ORDER = list(_STATES)


class Versions:
    """The list of versions, drawn anew only where something changed, so that nobody's focus jumps.

    Args:
        view: of the page.
    """

    def __init__(self, view: View) -> None:
        self._view, self._asking = view, Asking(view, "versions-said")
        self._drawn: list[tuple[str, State]] | None = None
        self._list, self._older = part("ul", "versions"), words("p", "").classes("soft")

    async def show(self) -> None:
        """Draw what the store has."""
        found = await asyncio.to_thread(self._view.service.store.versions)
        if self._drawn == (now := [(v.name, v.state) for v in found]):
            return
        self._drawn = now
        self._list.clear()
        with self._list:
            for version in sorted(found, key=lambda v: _ORDER.index(v.state))[:_SHOWN]:
                self._one(version)
        older = len(found) - _SHOWN
        self._older.text = f"{older} more; GET /v1/versions lists all." if older > 0 else ""

    def _one(self, version: Version) -> None:
        service = self._view.service
        with part("li", f"card {version.state}"):
            with part("div"):
                words("h3", version.name)
                words("p", f"{_STATES[version.state]} · {about(version)}").classes("soft")
                if why := lesson(version):
                    words("p", why)
            if self._view.role != "admin" or version.state == "current":
                return
            if version.state == "previous":
                question, do = f"Serve {version.name} again, from the next request on?", changes.roll_back
                self._asking.button("Roll back", question, lambda: f"{do(service).name} is served again.")
            else:
                question = f"Serve {version.name} from the next request on?"
                self._asking.button(
                    "Promote", question, lambda: f"{changes.promote(service, version.name).name} is served now."
                )


def about(version: Version) -> str:
    """When it was made, by what, and for how many items."""
    facts = version.facts
    items = f"{facts['items']:,} items" if isinstance(facts.get("items"), int) else None
    told = (f"made {version.made:%Y-%m-%d %H:%M} UTC", facts.get("method"), items)
    return " · ".join(str(t) for t in told if t)


def lesson(version: Version) -> str | None:
    """What a learner found of it, in one sentence; None where none made it."""
    found = version.facts.get("lesson")
    if not isinstance(found, dict) or not found.get("why"):
        return None
    judged = found.get("judgement") or {}
    if not judged.get("users"):
        return f"Judged: {found['why']}"
    numbers = f"nDCG@{judged['k']} {judged['candidate']:.4f}, what was served {judged['current']:.4f}"
    return f"Judged by what {judged['users']:,} people bought next ({numbers}): {found['why']}"
