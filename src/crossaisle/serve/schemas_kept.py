"""Schemas of what is sent to be kept: events, items, users; and of erasing."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from .fields import (
    Id,
    Number,
    Price,
    Time,
    Word,
    example,
)


class EventIn(BaseModel):
    """Something that a user did."""

    model_config = example(
        event_id="e-1", user="1364", item="866211", event="purchase", timestamp="2026-11-27T12:00:00Z", price=0.99
    )
    event_id: Id = Field(description="Of the sender; sending it again is harmless.")
    user: Id
    item: Id
    domain: Id | None = Field(None, description="The served one where nothing is said.")
    event: Id = Field("interaction", description="view, click, cart, purchase, …")
    timestamp: Time | None = Field(None, description="When it happened (UTC where no zone is said); default now.")
    value: Number | None = None
    price: Price | None = None


class Events(BaseModel):
    """Several events, kept all or none."""

    model_config = example(events=[{"event_id": "e-1", "user": "1364", "item": "866211", "event": "view"}])
    events: Annotated[list[EventIn], Field(min_length=1, max_length=1_000)]


class Kept(BaseModel):
    """What is on disk now."""

    model_config = example(kept=1)
    kept: int = Field(description="Rows of this request that are on disk, those that were there before among them.")


class ItemIn(BaseModel):
    """What is known of an item."""

    model_config = example(
        item_id="new-1", title="oat drink", category="drinks", price=1.99, attributes={"size": "1 l"}
    )
    item_id: Id
    domain: Id | None = Field(None, description="The served one where nothing is said.")
    title: Word | None = None
    description: Word | None = None
    brand: Word | None = None
    category: Word | None = None
    price: Price | None = None
    attributes: Annotated[dict[Id, Word | Number | None], Field(max_length=100)] = Field(default_factory=dict)
    available: bool = True


class ItemsIn(BaseModel):
    """Items that are new or have changed."""

    model_config = example(items=[{"item_id": "new-1", "title": "oat drink", "price": 1.99}])
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=1_000)]


class UserIn(BaseModel):
    """What is known of a user beside their events."""

    model_config = example(user_id="1364", attributes={"language": "fi", "loyal": 1})
    user_id: Id
    attributes: Annotated[dict[Id, Word | Number | None], Field(max_length=100)] = Field(default_factory=dict)


class UsersIn(BaseModel):
    """Users that are new or have changed."""

    model_config = example(users=[{"user_id": "1364", "attributes": {"language": "fi"}}])
    users: Annotated[list[UserIn], Field(min_length=1, max_length=1_000)]


class ItemPlaced(BaseModel):
    """What became of an item."""

    item_id: str
    recommendable: bool = Field(description="Whether it can be in the next answer.")
    note: str | None = Field(None, description="Why not.")


class ItemsPlaced(BaseModel):
    """What became of the items."""

    model_config = example(items=[{"item_id": "new-1", "recommendable": True, "note": None}])
    items: list[ItemPlaced]


class Erased(BaseModel):
    """What went with a user."""

    model_config = example(rows=12, artifacts=1, note="weights learned from them stay until the next training.")
    rows: int = Field(description="Rows of events, of what was shown, and of what was known.")
    artifacts: int = Field(description="Artifacts that were written anew without them.")
    note: str
