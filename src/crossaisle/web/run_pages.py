"""The pages of a run, as `crossaisle` wrote them: readable by whoever is signed in, able to do nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nicegui
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..serve.problems import problem
from .access import Visits
from .run_folder import PAGES, RunFolder

ADDRESS = "run"
"""Below the dashboard's."""
HEADERS = {
    # Styles and drawings stand in the page itself; nothing is run, fetched, sent or framed.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "form-action 'none'; base-uri 'none'",
    "cache-control": "no-store",
}


def add(run: Path | None, visits: Visits, path: str) -> None:
    """Add the address of each page.

    Args:
        run: what ``crossaisle serve`` was given; None: there is nothing to read.
        visits: who is signed in.
        path: of the dashboard.
    """

    @nicegui.app.get(f"/{ADDRESS}/{{name}}")
    async def page(request: Request, name: str) -> Response:
        if await visits.role(str(request.session["id"])) is None:
            return RedirectResponse(f"{path}/sign-in", 303)
        if run is None or name not in PAGES:
            return problem(404, f"there is no page of this name; there are: {', '.join(PAGES)}.")
        try:
            content = await asyncio.to_thread((RunFolder.of(run).path / name).read_bytes)
        except OSError:
            return problem(404, f"the folder of the run holds no {name}; the page Transfer says what makes one.")
        return HTMLResponse(content, headers=HEADERS)


def link(name: str) -> str:
    """The address of a page of the run, from any page of the dashboard."""
    return f"{ADDRESS}/{name}"
