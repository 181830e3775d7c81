"""Routes that take events. What they acknowledge is on disk, and counts in the next answer."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from ..stores.kinds import Event
from ..stream.diary import now_utc
from .auth import needs
from .schemas_kept import EventIn, Events, Kept
from .service import service_of

router = APIRouter(prefix="/v1", tags=["events"], dependencies=[Depends(needs("write"))])


@router.post("/events", response_model=Kept)
async def event(request: Request, sent: EventIn) -> Kept:
    """Keep one event; sending its id again changes nothing."""
    return await _kept(request, [sent])


@router.post("/events/batch", response_model=Kept)
async def events(request: Request, sent: Events) -> Kept:
    """Keep several events, all or none; ids that are known change nothing."""
    return await _kept(request, sent.events)


async def _kept(request: Request, sent: list[EventIn]) -> Kept:
    service = service_of(request)
    domain, now = service.live.now.shop.domain, now_utc()
    await service.record(
        [
            Event(
                event_id=e.event_id,
                user_id=e.user,
                item_id=e.item,
                domain=e.domain or domain,
                event=e.event,
                timestamp=e.timestamp or now,
                value=e.value,
                price=e.price,
            )
            for e in sent
        ]
    )
    return Kept(kept=len(sent))
