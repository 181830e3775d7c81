"""Access: who is signed in, kept in memory alone, so that no key and no session is ever on disk."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from ..serve.auth import ROLES
from ..serve.keyring import Keyring, digest_of
from ..stores.kinds import Role

_MOST = 10_000


@dataclass
class Visit:
    """What is kept of one browser.

    Attributes:
        digest: of the key; empty where nobody signed in.
        dark: the look that was chosen; None follows the system.
    """

    digest: str = ""
    dark: bool | None = None


class Visits:
    """Session id → visit. The id is in a signed cookie, whose secret dies with the process.

    Args:
        ring: the keys of the service.
    """

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._of: OrderedDict[str, Visit] = OrderedDict()

    def __getitem__(self, session: str) -> Visit:
        visit = self._of.pop(session, None) or Visit()
        self._of[session] = visit
        if len(self._of) > _MOST:
            self._of.popitem(last=False)
        return visit

    async def role(self, session: str) -> Role | None:
        """What this browser may do now; None where it has to sign in. A removed key is gone here too."""
        key = await self._ring.of_digest(self[session].digest)
        if self._ring.open:
            return "admin"
        return key.role if key else None

    async def may(self, session: str, role: Role) -> bool:
        """Whether this browser may do what `role` may."""
        mine = await self.role(session)
        return mine is not None and ROLES.index(mine) >= ROLES.index(role)

    async def sign_in(self, session: str, secret: str) -> str | None:
        """A new session id for the holder of `secret`, with the look of the old one; None where no key is like it."""
        digest = digest_of(secret)
        if await self._ring.of_digest(digest) is None:
            return None
        fresh = secrets.token_urlsafe(32)  # an id that was known before is worth nothing afterwards
        self._of[fresh] = Visit(digest, self[session].dark)
        self.sign_out(session)
        return fresh

    def sign_out(self, session: str) -> None:
        """Forget this browser."""
        self._of.pop(session, None)
