"""Schemas of lists, similar items, orders and reasons, with an example of each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from ..types import Basis
from .fields import (
    Allowed,
    Categories,
    Count,
    Id,
    Items,
    Price,
    Session,
    example,
)


class FilterFields(BaseModel):
    """What a list may hold, and how long it is."""

    domain: Id | None = Field(None, description="Must be the one that is served; a check for senders.")
    k: Count = Field(10, description="Places of the list; at most as many as the catalogue has items.")
    exclude_seen: bool = Field(True, description="Leave out what the person has met.")
    available: Allowed | None = Field(None, description="Only these item ids.")
    min_price: Price | None = Field(None, description="Only items that cost at least this.")
    max_price: Price | None = Field(None, description="Only items that cost at most this.")
    categories: Categories | None = Field(None, description="Only items of these categories.")


class Recommend(FilterFields):
    """A list for a user."""

    model_config = example(user="1364", k=3, exclude_seen=True, max_price=12.5, explore=0.1)
    user: Id = Field(description="Known or not; an unknown one gets an honest general answer.")
    explore: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Share of places for new items; the probability of each place is kept and told."
    )


class RecommendSession(FilterFields):
    """A list for somebody of whom only some items are known."""

    model_config = example(items=["1029743", "866211"], k=3)
    items: Session = Field(description="What they just met; unknown ids are passed over.")


class Listed(BaseModel):
    """One place of a list."""

    item_id: str
    title: str | None
    price: float | None
    score: float
    propensity: float | None = Field(None, description="Probability of this item at this place, where places explore.")


class List(BaseModel):
    """A list, and what it rests on."""

    model_config = example(
        request_id="9f0c",
        version="a1b2c3",
        domain="NUTRITION",
        basis="history",
        known=True,
        items=[{"item_id": "866211", "title": "bananas", "price": 0.99, "score": 1.25, "propensity": None}],
    )
    request_id: str
    version: str
    domain: str
    basis: Basis
    known: bool = Field(description="Whether anything is known of the user.")
    items: list[Listed]


class Similar(BaseModel):
    """Items like one item."""

    model_config = example(item="866211", k=3)
    item: Id
    k: Count = 10


class SimilarItem(BaseModel):
    """One item that is like another."""

    item_id: str
    title: str | None
    score: float
    basis: str


class SimilarList(BaseModel):
    """Items like one item, most alike first."""

    model_config = example(
        version="a1b2c3", items=[{"item_id": "1029743", "title": "milk", "score": 0.8, "basis": "history"}]
    )
    version: str
    items: list[SimilarItem]


class Rank(BaseModel):
    """A list of the sender's, to be put in order for a user or a session."""

    model_config = example(user="1364", items=["866211", "1029743"])
    user: Id | None = None
    session: Session | None = Field(None, description="In place of a user: items they just met.")
    items: Items


class Ranked(BaseModel):
    """The items in order, and those that are unknown here."""

    model_config = example(
        version="a1b2c3",
        basis="history",
        items=[{"item_id": "866211", "score": 1.2}, {"item_id": "1029743", "score": 0.4}],
        unknown=[],
    )
    version: str
    basis: Basis
    items: list[dict[str, Any]]
    unknown: list[str]


class Explain(BaseModel):
    """Why a user gets items."""

    model_config = example(user="1364", items=["866211"], n=2)
    user: Id
    items: Annotated[list[Id], Field(min_length=1, max_length=100)]
    n: Annotated[int, Field(ge=1, le=20)] = Field(3, description="Items of their history named for each.")


class Explained(BaseModel):
    """For each item, what speaks for it; the fields are those of `crossaisle.explain.Explanation`."""

    model_config = example(
        version="a1b2c3",
        items=[
            {
                "item_id": "866211",
                "score": 1.2,
                "because": [
                    {"item_id": "1029743", "title": "milk", "domain": "DAIRY", "contribution": 0.4, "share": 0.6}
                ],
                "sentence": "bananas, mostly because of milk.",
            }
        ],
    )
    version: str
    items: list[dict[str, Any]]
