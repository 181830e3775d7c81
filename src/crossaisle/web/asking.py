"""Asking: a button that changes what is served, with a question before it and a sentence after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import HTTPException
from nicegui import ui

from ..errors import CrossaisleError
from ..serve.problems import sentence_of
from .frame import View, part, words


class Asking:
    """Where an admin is asked, and told what came of it.

    Args:
        view: of the page.
        name: of the place in the page where it is told.
    """

    def __init__(self, view: View, name: str) -> None:
        self._view, self._name, self._client = view, name, ui.context.client
        self._said = words("p", "").props(f"id={name} role=status tabindex=-1").classes("said")
        with ui.dialog().props('aria-label="Are you sure?"') as self._dialog, part("div", "card ask"):
            self._question = words("p", "")
            with part("div", "answers"):
                yes = words("button", "Yes").props("type=button").classes("go")
                yes.on("click", lambda: self._dialog.submit(True))
                words("button", "No").props("type=button").on("click", lambda: self._dialog.submit(False))

    def button(self, name: str, question: str, change: Callable[[], str]) -> None:
        """A button here; `change` is called in a thread, and says what was done."""

        async def pressed() -> None:
            self._question.text = question
            if await self._dialog:
                await self._do(change)

        words("button", name).props("type=button").on("click", pressed)

    async def _do(self, change: Callable[[], str]) -> None:
        if not await self._view.may("admin"):
            self._tell("Your key may not do that any more; sign in with an admin key.")
            return
        self._tell("Working …")
        try:
            self._tell(await asyncio.to_thread(change))
        except (CrossaisleError, HTTPException) as error:
            self._tell(f"Nothing changed: {sentence_of(error)}")

    def _tell(self, said: str) -> None:
        self._said.text = said
        self._client.run_javascript(f"document.getElementById('{self._name}').focus({{preventScroll: true}})")
