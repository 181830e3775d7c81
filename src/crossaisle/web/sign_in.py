"""The sign-in page. The key travels in the body of a form, never in an address, a cookie or a log."""

from __future__ import annotations

from urllib.parse import parse_qs

import nicegui
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse

from ..serve.service import Service
from .access import Visits
from .frame import STYLE, bare, words

_LONGEST = 4_096


def add(service: Service, visits: Visits, path: str) -> None:
    """Add the page, and the two addresses that its form and the button to sign out send to."""

    @ui.page("/sign-in", title="Sign in · crossaisle")
    async def page(wrong: bool = False) -> RedirectResponse | None:
        session = str(nicegui.app.storage.browser["id"])
        if await visits.role(session) is not None:
            return RedirectResponse(path + "/")
        ui.add_css(STYLE)
        with bare(visits[session], path):
            _form(path, wrong)
        return None

    @nicegui.app.post("/session")
    async def sign_in(request: Request) -> RedirectResponse:
        body = (await request.body())[:_LONGEST].decode(errors="replace")
        fresh = await visits.sign_in(str(request.session["id"]), parse_qs(body).get("key", [""])[0].strip())
        if fresh is None:
            return RedirectResponse(f"{path}/sign-in?wrong=true", 303)
        request.session["id"] = fresh
        return RedirectResponse(path + "/", 303)

    @nicegui.app.post("/session/end")
    async def sign_out(request: Request) -> RedirectResponse:
        visits.sign_out(str(request.session["id"]))
        request.session.clear()
        return RedirectResponse(f"{path}/sign-in", 303)


def _form(path: str, wrong: bool) -> None:
    words("h1", "Sign in")
    words("p", "This service has keys. Whoever made yours did so with “crossaisle keys add”; it begins with “ca_”.")
    with ui.element("form").props(f'method=post action="{path}/session"').classes("sign-in"):
        words("label", "API key").props("for=key")
        ui.element("input").props(
            "id=key name=key type=password required autofocus autocomplete=current-password "
            + ("aria-invalid=true aria-describedby=wrong" if wrong else "")
        )
        if wrong:
            words("p", "This key is not known here; it may have been removed.").props("id=wrong role=alert").classes(
                "bad"
            )
        words("button", "Sign in").props("type=submit").classes("go")
