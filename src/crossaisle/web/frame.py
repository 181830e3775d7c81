"""Frame: what surrounds every page, and the few parts that all pages are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from ..serve.service import Service
from ..stores.kinds import Role
from .access import Visit, Visits

PAGES = {"Domains": "/", "Transfer": "/transfer", "Playground": "/playground", "Live": "/live"}
"""Page → its address below the dashboard's, in the order of the navigation."""
_LOOK = 3.0
"""Seconds after which a page asks whether its key is still known, and what is served."""
STYLE = (Path(__file__).parent / "dashboard.css").read_text(encoding="utf-8")
INK, SOFT, LINE, ACCENT = "#3b3b3b", "#59616b", "#d8dde3", "#0b6bcb"
SERIES = ("#0b6bcb", "#a4478f", "#8a6d1d", "#2e8b57", "#11879b", "#c2453d")
"""Colours of charts, those of the reports; `dashboard.css` has each one's look in the dark."""


@dataclass(frozen=True, eq=False)
class View:
    """What a page works with.

    Attributes:
        service: what is looked at.
        run: folder of a run or of a recommender; None where nothing is known but the service.
        visits: who is signed in.
        session: of this browser.
        role: what it might do when the page was made; ask `may` again before anything is done.
    """

    service: Service
    run: Path | None
    visits: Visits
    session: str
    role: Role

    async def may(self, role: Role) -> bool:
        """Whether this browser may do now what `role` may."""
        return await self.visits.may(self.session, role)


def words(tag: str, text: object) -> TextElement:
    """An element that holds text and nothing else; whatever the text is, it stays text."""
    return TextElement(tag=tag, text=str(text))


def part(tag: str, classes: str = "", props: str = "") -> ui.element:
    """An element to put others into, by ``with``."""
    return ui.element(tag).classes(classes).props(props)


def empty(sentence: str) -> TextElement:
    """In place of what is not there yet: one sentence that says what to do."""
    return words("p", sentence).classes("empty")


def chart(options: dict[str, Any], label: str) -> ui.echart:
    """An ECharts chart as SVG, whose colours the style sheet turns for the dark look; `label` is for those who listen.

    Take colours from `INK`, `ACCENT` and the other names here: the style sheet knows those.
    """
    made = ui.echart(options, renderer="svg").classes("chart")
    made.props["role"], made.props["aria-label"] = "img", label
    return made


@contextmanager
def frame(view: View, current: str, path: str) -> Iterator[None]:
    """The page `current` of the navigation: header, heading, and the main part, which the body of ``with`` fills."""
    with _header(view.visits[view.session], path):
        with part("nav", props='aria-label="Pages"'):
            for name, address in PAGES.items():
                here = "aria-current=page" if name == current else ""
                words("a", name).props(f'href="{path}{address}" {here}')
        if not view.service.keyring.open:
            with part("form", "out", f'method=post action="{path}/session/end"'):
                words("button", f"Sign out ({view.role})").props("type=submit").classes("quiet")
    with _body():
        over = words("p", _served(view)).classes("over")
        words("h1", current)
        yield

    client = ui.context.client

    async def look() -> None:
        over.text = _served(view)
        if not await view.may("read"):  # the key is gone: the page asks for one, and this one does nothing any more
            ui.navigate.reload()
            await asyncio.sleep(1)
            client.delete()

    ui.timer(_LOOK, look)


def _served(view: View) -> str:
    now = view.service.live.now
    return f"{now.shop.domain} · version {now.version} · {now.shop.method}"


@contextmanager
def bare(visit: Visit, path: str) -> Iterator[None]:
    """A page without navigation, for those who are not signed in."""
    with _header(visit, path):
        pass
    with _body():
        yield


@contextmanager
def _header(visit: Visit, path: str) -> Iterator[None]:
    with ui.header(fixed=False).classes("top"):
        words("a", "Skip to the page").props("href=#page").classes("skip")
        words("a", "crossaisle").props(f'href="{path}/"').classes("brand")
        yield
        _look(visit)


def _body() -> ui.element:
    return part("div", "page", "id=page tabindex=-1")


def _look(visit: Visit) -> None:
    """A switch between the system's look, light and dark."""
    mode = ui.dark_mode(visit.dark)

    def chosen(value: str) -> None:
        visit.dark = mode.value = {"light": False, "dark": True}.get(value)

    with part("label", "look"):
        words("span", "Look").classes("unseen")
        switch = part("select").on("change", lambda e: chosen(e.args), js_handler="(e) => emit(e.target.value)")
        with switch:
            for value, name in {"": "as the system", "light": "light", "dark": "dark"}.items():
                on = {"": None, "light": False, "dark": True}[value] is visit.dark
                words("option", name).props(f'value="{value}"' + (" selected" if on else ""))
