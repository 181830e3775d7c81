"""Versions, on the page Live: which there are, and, for an admin, what is served from now on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import HTTPException
from nicegui import ui

from ..errors import CrossaisleError
from ..serve.problems import sentence_of
from ..serve.versions import promoted, rolled_back
from ..stores.store import State, Version
from .frame import View, part, words

_SHOWN = 10
_STATES = {
    "current": "served now",
    "previous": "one step back",
    "candidate": "never served",
    "retired": "was served",
}


class Versions:
    """The list of versions, drawn anew only where something changed, so that nobody's focus jumps.

    Args:
        view: of the page.
    """

    def __init__(self, view: View) -> None:
        self._view, self._client = view, ui.context.client
        self._drawn: list[tuple[str, State]] | None = None
        self._said = words("p", "").props("id=versions-said role=status tabindex=-1").classes("said")
        self._list = part("ul", "versions")
        self._older = words("p", "").classes("soft")
        with ui.dialog() as self._dialog, part("div", "card ask"):
            self._question = words("p", "")
            with part("div", "answers"):
                yes = words("button", "Yes").props("type=button").classes("go")
                yes.on("click", lambda: self._dialog.submit(True))
                words("button", "No").props("type=button").on("click", lambda: self._dialog.submit(False))

    async def show(self) -> None:
        """Draw what the store has."""
        found = await asyncio.to_thread(self._view.service.store.versions)
        if self._drawn == (now := [(v.name, v.state) for v in found]):
            return
        self._drawn = now
        self._list.clear()
        with self._list:
            for version in sorted(found[:_SHOWN], key=lambda v: v.state != "current"):
                self._one(version)
        older = len(found) - _SHOWN
        self._older.text = f"{older} older ones; GET /v1/versions lists all." if older > 0 else ""

    def _one(self, version: Version) -> None:
        with part("li", f"card {version.state}"):
            with part("div"):
                words("h3", version.name)
                words("p", f"{_STATES[version.state]} · {about(version)}").classes("soft")
                if why := lesson(version):
                    words("p", why)
            if self._view.role != "admin":
                return
            if version.state == "previous":
                self._button("Roll back", f"Serve {version.name} again, from the next request on?", self._back)
            elif version.state != "current":
                self._button(
                    "Promote", f"Serve {version.name} from the next request on?", lambda: self._promote(version.name)
                )

    def _button(self, name: str, question: str, do: Callable[[], Awaitable[Version]]) -> None:
        async def pressed() -> None:
            self._question.text = question
            if await self._dialog:
                await self._change(do)

        words("button", name).props("type=button").on("click", pressed)

    async def _change(self, do: Callable[[], Awaitable[Version]]) -> None:
        if not await self._view.may("admin"):
            self._tell("Your key may not do that any more; sign in with an admin key.")
            return
        self._tell("Reading the artifact …")
        try:
            self._tell(f"{(await do()).name} is served now.")
        except (CrossaisleError, HTTPException) as error:
            self._tell(f"Nothing changed: {sentence_of(error)}")
        await self.show()

    async def _promote(self, name: str) -> Version:
        return await promoted(self._view.service, name)

    async def _back(self) -> Version:
        return await rolled_back(self._view.service)

    def _tell(self, said: str) -> None:
        self._said.text = said
        self._client.run_javascript("document.getElementById('versions-said').focus({preventScroll: true})")


def about(version: Version) -> str:
    """When it was made, by what, and for how many items."""
    facts = version.facts
    items = f"{facts['items']:,} items" if isinstance(facts.get("items"), int) else None
    told = (f"made {version.made:%Y-%m-%d %H:%M} UTC", facts.get("method"), items)
    return " · ".join(str(t) for t in told if t)


def lesson(version: Version) -> str | None:
    """What a learner found of it, in one sentence; None where none made it."""
    found = version.facts.get("lesson")
    return str(found["why"]) if isinstance(found, dict) and found.get("why") else None
