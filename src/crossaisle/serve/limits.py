"""Limits: how much one request may bring, how long it may take, and how many one key may make."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive, Scope

_DISCARDED = 32
"""A body of up to this many times the limit is read to its end, so that the client is listening when it is refused."""
_BUCKETS = 10_000


class TooLarge(Exception):
    """The body is above the limit."""


class TooSlow(Exception):
    """The body did not come in time."""


class Gone(Exception):
    """The client left before its body had come."""


async def body_of(scope: Scope, receive: Receive, most: int, seconds: float) -> bytes:
    """The whole body of a request.

    Raises:
        TooLarge: above `most` bytes.
        TooSlow: not here after `seconds`.
        Gone: the client left.
    """
    said = dict(scope["headers"]).get(b"content-length", b"0")
    large = said.isdigit() and int(said) > most
    parts: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part: bytes = message.get("body", b"")
                total, more = total + len(part), message.get("more_body", False)
                large = large or total > most
                if total > _DISCARDED * most:
                    break
                if not large:
                    parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    if large:
        raise TooLarge
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` first."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class Buckets:
    """A token bucket for each name: `burst` tokens, of which `rate` a second come back.

    Args:
        rate: tokens a second.
        burst: most tokens.
        clock: seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> int:
        """Take a token: 0 where there was one, else whole seconds until there is."""
        now = self._clock()
        left, then = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        wait = 0 if left >= 1 else math.ceil((1 - left) / self._rate)
        self._left[name] = (left if wait else left - 1, now)
        if len(self._left) > _BUCKETS:
            self._left.popitem(last=False)
        return wait
