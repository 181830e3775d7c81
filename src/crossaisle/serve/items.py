"""The route that takes items: new ones are recommended from their content at the next request."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from fastapi import APIRouter, Depends, Request

from ..errors import ConfigError
from ..stores.kinds import Item
from .auth import needs
from .schemas_kept import ItemIn, ItemPlaced, ItemsIn, ItemsPlaced
from .service import service_of

router = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(needs("write"))])


@router.put("/items", response_model=ItemsPlaced)
async def items(request: Request, sent: ItemsIn) -> ItemsPlaced:
    """Keep items, new or changed. Price, category and availability count at once, other content for new items only."""
    service = service_of(request)
    domain = service.live.now.shop.domain
    rows = [item_of(i, domain) for i in sent.items]
    if len({(r.item_id, r.domain) for r in rows}) < len(rows):
        raise ConfigError("an item is sent twice; give every item_id once.")
    found = await asyncio.to_thread(service.live.put_items, rows)
    return ItemsPlaced(items=[ItemPlaced(**asdict(p)) for p in found])


def item_of(sent: ItemIn, domain: str) -> Item:
    """The row of a store; attributes have no say over the columns that every item has."""
    own = sent.model_dump(include={"title", "description", "brand", "category", "price"}, exclude_none=True)
    content = {n: v for n, v in sent.attributes.items() if v is not None and n not in ("item_id", "domain")} | own
    return Item(sent.item_id, sent.domain or domain, content, sent.available)
