"""Running the app by uvicorn: one process, graceful on SIGTERM, patient with nobody for ever."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..errors import ConfigError
from .auth import local
from .logs import log
from .settings import Settings

_KEEP_ALIVE = 75
"""Seconds that an idle connection stays open."""
_MESSAGE = 1_000_000
"""Greatest message of a page, in bytes."""
_OPEN = 16_384
"""Connections and files that are wanted at once, as far as the system allows."""


def check_bind(host: str, keys: int) -> None:
    """Refuse to be public without a key.

    Raises:
        ConfigError: others can reach `host`, and there is no key.
    """
    if not keys and not local(host):
        raise ConfigError(
            f"without a key everybody who reaches {host} could do everything; make one with `crossaisle keys add`, or "
            "leave --host at 127.0.0.1."
        )


def run(app: FastAPI, host: str, port: int, settings: Settings, dashboard: str | None = None) -> None:
    """Serve `app` until SIGTERM or SIGINT; then requests in work are finished.

    Args:
        app: of the service.
        host: to listen on.
        port: to listen on; 0 takes a free one.
        settings: limits.
        dashboard: path of the pages for people, which need WebSockets; None where `app` has none.

    Raises:
        ConfigError: the address cannot be had.
    """
    torch.set_num_threads(1)
    _allow_connections()
    gc.collect()
    gc.freeze()  # what is here now stays: looking through all of it again would stop every request for a while
    with suppress(OSError, AttributeError):  # what loading left is given back, where the C library can
        ctypes.CDLL(None).malloc_trim(0)
    bound = _bound(host, port)
    address = {"host": host, "port": bound.getsockname()[1]}
    if dashboard is not None:
        name = f"[{host}]" if ":" in host else host
        address["dashboard"] = f"http://{name}:{address['port']}{dashboard}/"
        sys.stderr.write(f"dashboard: {address['dashboard']}\n")
    log("listening", address)
    config = uvicorn.Config(
        app,
        http=_patient(settings.body_seconds),
        ws="none" if dashboard is None else "websockets-sansio",
        ws_max_size=_MESSAGE,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.stop_seconds) or 1,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn sends it once more when all is done
    try:
        uvicorn.Server(config).run(sockets=[bound])
    finally:
        log("stopped")


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)  # whoever reads the address in the log may come at once, and waits until all is ready
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot listen on {host}:{port}: {reason}; choose another --host or --port.") from None
    return made


def _allow_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN if hard == resource.RLIM_INFINITY else min(_OPEN, hard)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _patient(seconds: float) -> type[asyncio.Protocol]:
    """The protocol of uvicorn, which waits for ever for headers, with an end to it."""

    class Patient(HttpToolsProtocol):
        """Closes a connection whose headers have not come within some seconds."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._stop()
            self._wait()

        def on_headers_complete(self) -> None:
            self._stop()
            super().on_headers_complete()

        def _wait(self) -> None:
            self._timer = self.loop.call_later(seconds, self._late)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()

        def _late(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                self.transport.close()

    return Patient
