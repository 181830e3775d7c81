"""Who may do what: the dependency of each route that asks for a key, its role and its rate."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ..stores.kinds import Role
from .service import service_of

ROLES: tuple[Role, ...] = ("read", "write", "admin")
"""Each may do what those before it may."""
_bearer = HTTPBearer(auto_error=False, description="An API key, made by `crossaisle keys add`.")


def local(host: str) -> bool:
    """Whether only programs on this machine reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=256)
def names_this_machine(sent: str) -> bool:
    """Whether the header Host names this machine."""
    try:
        return local(urlsplit(f"//{sent}").hostname or "")
    except ValueError:
        return False


def needs(role: Role) -> Callable[..., Awaitable[None]]:
    """The dependency of routes that ask for `role`."""

    async def check(
        request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
    ) -> None:
        service = service_of(request)
        ring = service.keyring
        key = await ring.find(sent.credentials if sent else "")
        address = request.client.host if request.client else ""
        wait = service.buckets.take(f"key {key.name}" if key else f"address {address}")
        if wait:
            raise HTTPException(429, f"too many requests; ask again in {wait} s.", {"Retry-After": str(wait)})
        if key is None and ring.open:
            if names_this_machine(request.headers.get("host", "")):
                return
            # A page in somebody's browser may reach this machine under a name of its own.
            raise HTTPException(403, "without a key only 127.0.0.1 and localhost are answered; make a key.")
        if key is None:
            raise HTTPException(
                401, "a known API key is needed; send Authorization: Bearer KEY.", {"WWW-Authenticate": "Bearer"}
            )
        if ROLES.index(key.role) < ROLES.index(role):
            raise HTTPException(403, f"this key may {key.role}, but {role} is needed here; ask for another key.")

    return check
