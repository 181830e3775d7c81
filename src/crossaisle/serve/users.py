"""The route that forgets a user: in the store, in memory, and in every artifact that the service has."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from .artifacts import forget_everywhere
from .auth import needs
from .fields import Id
from .schemas import Erased
from .service import Service, service_of

router = APIRouter(prefix="/v1", tags=["users"], dependencies=[Depends(needs("admin"))])
_NOTE = "weights that were learned from them among others stay until the next training, which leaves them out."


@router.delete("/users/{user_id:path}", response_model=Erased)
async def erase(request: Request, user_id: Annotated[Id, Path(examples=["1364"])]) -> Erased:
    """Erase all traces of a user: events, what they were shown, their history, and their id in all artifacts."""
    service = service_of(request)
    async with service.changing:
        return await asyncio.to_thread(_erase, service, user_id)


def _erase(service: Service, user: str) -> Erased:
    # First the store, which remembers the wish: should the power fail now, the next start goes on with it.
    rows = service.store.erase_users([user])
    service.live.forget(user)
    return Erased(rows=rows, artifacts=forget_everywhere(service.artifacts, [user]), note=_NOTE)
