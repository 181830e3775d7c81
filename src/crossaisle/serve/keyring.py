"""API keys: random secrets with a role, of which the store has the hash alone."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time

from ..stores.kinds import Key, Role
from ..stores.store import Store
from ..stream.diary import now_utc

_FRESH = 2.0
"""Seconds after which keys are read again: how long a removed key may still be taken."""


def digest_of(secret: str) -> str:
    """SHA-256 in hex. A key has 256 random bits, so a slow hash would add nothing but time to each request."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_key(store: Store, name: str, role: Role) -> str:
    """Make a key and keep its hash. Returns the secret, which nobody can show again.

    Raises:
        ConfigError: the name is taken.
    """
    secret = f"ca_{secrets.token_urlsafe(32)}"
    store.add_key(Key(name, role, digest_of(secret), now_utc()))
    return secret


class Keyring:
    """The keys of a store, read again every two seconds.

    Attributes:
        open: there has been no key since the start, so everybody who reaches the service may do everything.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = store.keys()
        self._read = time.monotonic()
        self.open = not self._keys

    async def find(self, secret: str) -> Key | None:
        """The key of this secret."""
        return await self.of_digest(digest_of(secret))

    async def of_digest(self, digest: str) -> Key | None:
        """The key of this digest. Every key is compared, in constant time."""
        if time.monotonic() - self._read > _FRESH:
            self._read = time.monotonic()
            self._keys = await asyncio.to_thread(self._store.keys)
            self.open = self.open and not self._keys
        found = [k for k in self._keys if hmac.compare_digest(k.digest, digest)]
        return found[0] if found else None
