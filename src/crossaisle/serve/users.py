"""Routes of users: what is known of them, and forgetting them in the store, in memory and in every artifact."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from ..errors import ConfigError
from ..stores.kinds import User
from .artifacts import forget_everywhere
from .auth import needs
from .fields import Id
from .schemas_kept import Erased, Kept, UsersIn
from .service import Service, service_of

router = APIRouter(prefix="/v1", tags=["users"])
_NOTE = "weights that were learned from them among others stay until the next training, which leaves them out."


@router.put("/users", response_model=Kept, dependencies=[Depends(needs("write"))])
async def users(request: Request, sent: UsersIn) -> Kept:
    """Keep what is known of users, new or changed, for your own use: answers are made from events alone."""
    rows = [User(u.user_id, u.attributes) for u in sent.users]
    if len({r.user_id for r in rows}) < len(rows):
        raise ConfigError("a user is sent twice; give every user_id once.")
    await asyncio.to_thread(service_of(request).store.put_users, rows)
    return Kept(kept=len(rows))


@router.delete("/users/{user_id:path}", response_model=Erased, dependencies=[Depends(needs("admin"))])
async def erase(request: Request, user_id: Annotated[Id, Path(examples=["1364"])]) -> Erased:
    """Erase all traces of a user: events, what they were shown, their history, and their id in all artifacts."""
    service = service_of(request)
    return await service.change(_erase, service, user_id)


def _erase(service: Service, user: str) -> Erased:
    # First the store, which remembers the wish: should the power fail now, the next start goes on with it.
    with service.changing:
        rows = service.store.erase_users([user])
        service.live.forget(user)
        service.attention.forget(user)
        return Erased(rows=rows, artifacts=forget_everywhere(service.artifacts, [user]), note=_NOTE)
