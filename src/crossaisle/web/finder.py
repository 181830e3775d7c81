"""Finder: a field to type into, with what was found as buttons below it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from .frame import part, words
from .tryout import Found

_LONGEST = 250


class Finder:
    """A labelled field; Enter takes what was typed, or the first that was found.

    Args:
        name: of the field in the page.
        label: for people.
        search: text → what is found.
        chosen: called with what was chosen.
        free: whether Enter takes what was typed, found or not.
        first: shown while nothing is typed.
    """

    def __init__(
        self,
        name: str,
        label: str,
        search: Callable[[str], Sequence[Found]],
        chosen: Callable[[Found], Awaitable[None]],
        *,
        free: bool = False,
        first: Sequence[Found] = (),
    ) -> None:
        self._search, self._chosen, self._free, self._first = search, chosen, free, first
        self._client, self._turn = ui.context.client, 0
        with part("div", "finder"):
            words("label", label).props(f"for={name}")
            self._field = part(
                "input",
                props=f"id={name} type=search autocomplete=off maxlength={_LONGEST} aria-controls={name}-found",
            )
            self._results = part("div", "found", f"id={name}-found aria-live=polite")
        value = "(e) => emit(e.target.value)"
        self._field.on("input", lambda e: self._typed(str(e.args)), js_handler=value)
        self._field.on("keydown.enter", lambda e: self._entered(str(e.args)), js_handler=value)
        self._show(first, "")

    async def _typed(self, text: str) -> None:
        self._turn = turn = self._turn + 1
        found = await self._found(text)
        if turn == self._turn:  # nothing was typed or taken since
            self._show(found, text)

    async def _entered(self, text: str) -> None:
        found = [Found(text, text)] if self._free and text else list(await self._found(text))
        if text and found:
            await self._take(found[0])

    async def _found(self, text: str) -> Sequence[Found]:
        return await asyncio.to_thread(self._search, text) if text else self._first

    async def _take(self, found: Found) -> None:
        self._turn += 1
        self._client.run_javascript(f"document.getElementById('{self._field.props['id']}').value = ''")
        self._show(self._first, "")
        await self._chosen(found)

    def _show(self, found: Sequence[Found], text: str) -> None:
        self._results.clear()
        with self._results:
            for one in found:
                with part("button", "hit", "type=button").on("click", lambda _, one=one: self._take(one)):
                    words("span", one.words)
                    if one.more:
                        words("small", one.more)
            if text and not found:
                words("p", "Nothing begins like this; Enter tries it all the same." if self._free else "Nothing found.")
