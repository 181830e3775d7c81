"""Mounting: the dashboard joins the app of a service, under a path of its own."""

from __future__ import annotations

import logging
import secrets
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nicegui
from fastapi import FastAPI
from nicegui import core, ui
from starlette.responses import RedirectResponse

from ..serve.logs import log, note
from ..serve.service import Service
from . import domains, live, playground, run_pages, sign_in, transfer
from .access import Visits
from .frame import PAGES, STYLE, View, frame
from .gate import Gate

PATH = "/dashboard"
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6bcb"/>'
    '<path d="M8 8l16 16M24 8L8 24" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>'
)
_PAGES: dict[str, Callable[[View], Awaitable[None]]] = {
    "Domains": domains.page,
    "Transfer": transfer.page,
    "Playground": playground.page,
    "Live": live.page,
}


def mount(app: FastAPI, service: Service, run: Path | None) -> None:
    """Add the dashboard at `PATH`; what `app` answers elsewhere, and its OpenAPI document, stay as they are.

    A process has room for one, because NiceGUI keeps its pages for the whole process.

    Args:
        app: of the service.
        service: what is looked at.
        run: folder of a run or of a recommender, for pages that show its report.
    """
    visits = Visits(service.keyring)
    for name, page in _PAGES.items():
        _add(name, page, service, run, visits)
    sign_in.add(service, visits, PATH)
    run_pages.add(run, visits, PATH)
    _quiet()
    config = nicegui.app.config
    config.socket_io_js_transports = ["websocket"]  # polling would be one more door, and noise in the metrics
    core.sio.eio.transports = ["websocket"]
    core.sio.eio.cors_allowed_origins = []  # the gate says who may connect
    ui.run_with(
        app,
        title="crossaisle",
        favicon=_ICON,
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        mount_path=PATH,
        tailwind=False,
        storage_secret=secrets.token_urlsafe(32),
        session_middleware_kwargs={
            "session_cookie": "crossaisle",
            "max_age": None,
            "same_site": "strict",
            "path": PATH,
        },
        show_welcome_message=False,
    )
    app.routes[-1].app = Gate(nicegui.app, service, PATH)  # type: ignore[attr-defined]


def _add(
    name: str, build: Callable[[View], Awaitable[None]], service: Service, run: Path | None, visits: Visits
) -> None:
    async def page() -> RedirectResponse | None:
        session = str(nicegui.app.storage.browser["id"])
        role = await visits.role(session)
        if role is None:
            return RedirectResponse(f"{PATH}/sign-in")
        ui.add_css(STYLE)
        view = View(service, run, visits, session, role)
        with frame(view, name, PATH):
            await build(view)
        return None

    ui.page(PAGES[name], title=f"{name} · crossaisle", response_timeout=30.0)(page)


class _OneLine(logging.Handler):
    """What NiceGUI has to say goes to the service's log, without its words, which may name people."""

    def emit(self, record: logging.LogRecord) -> None:
        scope: dict[str, Any] = {}
        if record.exc_info and record.exc_info[1] is not None:
            note(scope, record.exc_info[1])
        where = f"{record.filename}:{record.lineno}"
        log("dashboard", {"level": record.levelname.lower(), "where": where} | scope.get("state", {}))


def _quiet() -> None:
    # Looking for its server, NiceGUI touches every object there is, and some of other libraries complain of that.
    warnings.filterwarnings("ignore", category=FutureWarning, module="nicegui.ui_run_with")
    logger = logging.getLogger("nicegui")
    logger.handlers, logger.propagate = [_OneLine(logging.WARNING)], False
