"""Gate: what every request of the dashboard passes: who may come from where, how often, and what a page may load."""

from __future__ import annotations

from types import SimpleNamespace

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..serve.auth import names_this_machine
from ..serve.limits import Buckets
from ..serve.problems import problem
from ..serve.service import Service

SOCKETS = 200
"""Pages that may be open at once."""
_RATE, _BURST = 50.0, 500.0
"""Requests a second that one address may make in the long run, and at once: a page has some twenty files."""
_HEADERS = {
    # Vue compiles templates in the browser, which is why scripts of this origin may evaluate.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class Gate:
    """ASGI app around the pages.

    Args:
        app: the pages.
        service: whose keyring counts.
        path: where the pages are.
    """

    def __init__(self, app: ASGIApp, service: Service, path: str) -> None:
        self._app, self._service = app, service
        self._route = SimpleNamespace(path=path)
        self._sockets, self._buckets = 0, Buckets(_RATE, _BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hold one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route  # one label in metrics and logs, however many files a page has
        inner = dict(scope)
        if scope["type"] == "websocket":
            await self._socket(inner, receive, send)
        elif refused := self._refusal(scope):
            status, detail = refused
            await problem(status, detail)(scope, receive, send)
        else:
            await self._app(inner, receive, _guarded(send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sockets >= SOCKETS or self._refusal(scope) or "origin" not in Headers(scope=scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        self._sockets += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sockets -= 1

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason; None where the request may pass."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._service.keyring.open and not names_this_machine(host):
            return 403, "without a key only 127.0.0.1 and localhost are answered; make a key."
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "this comes from a page of somebody else; open the dashboard itself."
        client = scope.get("client")
        if wait := self._buckets.take(client[0] if client else ""):
            return 429, f"too many requests; ask again in {wait} s."
        return None


def _guarded(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)  # a page of a run may do less
        await send(message)

    return sent
