"""Guard: what surrounds every request: its id, limits, time, metrics and line in the log."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import limits
from .logs import log, note, route_of
from .metrics import Metrics
from .problems import problem
from .settings import Settings

_LONG = 600.0
"""Seconds that loading a version or erasing a user may take."""
_CLOSE = {"connection": "close"}


class Guard:
    """ASGI middleware.

    Args:
        app: what is guarded.
        settings: limits.
        metrics: counters.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        begun = time.perf_counter()
        self._working += 1
        self._metrics.working.set(self._working)
        try:
            await self._answer(scope, receive, answer)
        finally:
            self._working -= 1
            self._metrics.working.set(self._working)
            self._tell(scope, answer, time.perf_counter() - begun)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        own = self._settings
        if self._working > own.max_waiting:
            await answer.problem(503, "too many requests are in work; ask again in a second.", {"retry-after": "1"})
            return
        try:
            body = await limits.body_of(scope, receive, own.max_body, own.body_seconds)
        except limits.TooLarge:
            await answer.problem(413, f"the body is above {own.max_body:,} bytes; send it in parts.", _CLOSE)
            return
        except limits.TooSlow:
            await answer.problem(408, f"the body did not come within {own.body_seconds:g} s; send it again.", _CLOSE)
            return
        except limits.Gone:
            answer.status = 499
            return
        await self._inside(scope, limits.replayed(body, receive), answer)

    async def _inside(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        long = scope["method"] == "DELETE" or scope["path"].startswith(("/v1/versions", "/v1/experiments"))
        try:
            async with asyncio.timeout(_LONG if long else self._settings.answer_seconds):
                await self._app(scope, receive, answer)
        except TimeoutError as error:
            note(scope, error)
            await answer.problem(503, "the answer took too long; ask again later.")
        except Exception as error:
            note(scope, error)
            await answer.problem(500, "this is a fault of the service; its log tells more under this request's id.")

    def _tell(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route, method = route_of(scope), scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(route, method, answer.status, seconds)
        facts: dict[str, Any] = {"request_id": answer.request_id, "route": route, "method": method}
        facts |= {"status": answer.status, "ms": round(1000 * seconds, 2)}
        if error := scope["state"].get("error"):
            facts["error"] = error
        log("request", facts)


_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")


class _Answer:
    """The `send` of one request, which adds the id and remembers the status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status = 0
        self.request_id = scope.setdefault("state", {})["request_id"] = uuid4().hex
        self._scope, self._send = scope, send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self.request_id
        await self._send(message)

    async def problem(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self.status:
            return
        response: Any = problem(status, detail, headers, request_id=self.request_id)
        await response(self._scope, _nothing, self)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
