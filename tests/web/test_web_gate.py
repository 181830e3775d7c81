"""The gate alone: how often, how many at once, and what a page may load."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from crossaisle.web.gate import SOCKETS, Gate

OWN = [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")]


def gate(app: Any) -> Gate:
    service: Any = SimpleNamespace(keyring=SimpleNamespace(open=True))
    return Gate(app, service, "/dashboard")


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def asked(app: Gate, client: str, headers: list[tuple[bytes, bytes]] = OWN) -> dict[str, Any]:
    said: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": "/dashboard/", "headers": headers, "client": (client, 1)}
    await app(scope, None, send)  # type: ignore[arg-type]
    return said[0]


def test_one_address_can_ask_too_often_and_others_still_are_answered() -> None:
    async def told() -> tuple[list[int], int]:
        app = gate(page)
        mine = [(await asked(app, "10.0.0.1"))["status"] for _ in range(700)]
        return mine, (await asked(app, "10.0.0.2"))["status"]

    mine, other = asyncio.run(told())
    assert mine[0] == other == 200
    assert mine[-1] == 429


@pytest.mark.parametrize("origin", [b"http://localhost:8000.example", b"null", b"http://[", b""])
def test_pages_of_others_are_refused(origin: bytes) -> None:
    told = asyncio.run(asked(gate(page), "10.0.0.1", [OWN[0], (b"origin", origin)]))
    assert told["status"] == 403


def test_pages_load_from_nowhere_else() -> None:
    headers = dict(asyncio.run(asked(gate(page), "10.0.0.1"))["headers"])
    policy = headers[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_sockets_are_counted_and_let_go() -> None:
    async def told() -> list[str]:
        closing, said = asyncio.Event(), []

        async def held(scope: Any, receive: Any, send: Any) -> None:
            await closing.wait()

        app = gate(held)

        async def open_one() -> None:
            async def send(message: Any) -> None:
                said.append(message["type"])

            async def receive() -> dict[str, str]:
                return {"type": "websocket.connect"}

            await app({"type": "websocket", "path": "/dashboard/", "headers": OWN, "client": None}, receive, send)

        tasks = [asyncio.create_task(open_one()) for _ in range(SOCKETS)]
        await asyncio.sleep(0)
        await open_one()
        refused = list(said)
        closing.set()
        await asyncio.gather(*tasks)
        await open_one()
        return [*refused, "then", *said[len(refused) :]]

    assert asyncio.run(told()) == ["websocket.close", "then"]
