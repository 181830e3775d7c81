"""Schemas of requests and answers, with an example of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..experiments.assignment import MetricName
from ..types import Basis
from .fields import (
    Allowed,
    Categories,
    Count,
    Id,
    Items,
    Number,
    Price,
    Session,
    Share,
    Time,
    VersionName,
    Word,
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


class VersionIn(BaseModel):
    """An artifact to be made a version."""

    model_config = example(name="2026-11-27", artifact="2026-11-27")
    name: VersionName
    artifact: Id = Field(description="Folder inside the service's own folder of artifacts.")
    last_event: Annotated[int, Field(ge=0, le=2**62)] | None = Field(
        None, description="Number of the last event in the store that it learned from."
    )


class VersionOut(BaseModel):
    """An artifact that is, was or may be served."""

    model_config = example(name="2026-11-27", state="current", made="2026-11-27T12:00:00", facts={"method": "finetune"})
    name: str
    state: Literal["candidate", "current", "previous", "retired"]
    made: datetime
    facts: dict[str, Any]


class VersionList(BaseModel):
    """All versions, newest first."""

    model_config = example(
        versions=[{"name": "a1b2c3", "state": "current", "made": "2026-11-27T12:00:00", "facts": {}}]
    )
    versions: list[VersionOut]


class RuleIn(BaseModel):
    """When an experiment ends; the fields are those of `crossaisle.experiments.Rule`."""

    model_config = example(users=20_000, least=0.02)
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(0.05, description="Chance of any false win or harm.")
    users: Annotated[int, Field(ge=1, le=2**40)] = Field(10_000, description="Where intervals are to be narrowest.")
    least: Annotated[float, Field(ge=0, le=1_000)] = Field(
        0.0, description="Smallest gain worth having, as a share of the control's metric."
    )
    max_users: Annotated[int, Field(ge=1, le=2**40)] = Field(100_000, description="At which it ends without a winner.")


class ExperimentIn(BaseModel):
    """One question put to users."""

    model_config = example(name="new-blend", variants={"a1b2c3": 0.5, "2026-11-27": 0.5}, metric="cvr")
    name: VersionName
    variants: Annotated[dict[VersionName, Share], Field(min_length=2, max_length=10)] = Field(
        description="Version → share of the users; the first is the control and must be what is served."
    )
    metric: MetricName = Field("ctr", description="What decides.")
    guards: Annotated[list[MetricName], Field(max_length=3)] = Field(
        default_factory=list, description="Metrics that a variant must not harm."
    )
    rule: RuleIn = RuleIn.model_validate({})
    window_days: Annotated[float, Field(gt=0, le=365)] = Field(
        7.0, description="Days from a user's first list whose events count; numbers come when they are over."
    )
    end_by_rule: bool = Field(True, description="End it as the rule says and promote a winner, without being asked.")


class ExperimentOut(ExperimentIn):
    """An experiment that is or was."""

    model_config = example(
        name="new-blend",
        variants={"a1b2c3": 0.5, "2026-11-27": 0.5},
        metric="cvr",
        begun="2026-11-27T12:00:00",
        ended=None,
        result={"decision": {"word": "go on", "variant": None, "sentence": "nothing is settled yet: go on."}},
    )
    begun: datetime
    ended: datetime | None = Field(description="None while it runs.")
    result: dict[str, Any] = Field(description="Variants, intervals that hold at every look, and the decision.")


class ExperimentList(BaseModel):
    """All experiments, newest first."""

    model_config = example(experiments=[])
    experiments: list[ExperimentOut]


class ExperimentEnd(BaseModel):
    """How an experiment ends."""

    model_config = example(winner="2026-11-27")
    winner: VersionName | None = Field(None, description="Version to serve from now on; what is served where absent.")


class AlarmOut(BaseModel):
    """A signal of drift that has changed."""

    model_config = example(
        signal="unknown_items",
        at="2026-11-27T12:00:00",
        since="2026-11-26T18:00:00",
        before=0.03,
        after=0.27,
        sentence="share of a visit's items that nobody had met … went up from 0.03 to 0.27 since 2026-11-26 18:00: …",
    )
    signal: str
    at: datetime
    since: datetime
    before: float
    after: float
    sentence: str = Field(description="What, from what to what, since when, and what to do.")


class AlarmList(BaseModel):
    """Alarms of drift since the service started, newest first."""

    model_config = example(watching=True, alarms=[])
    watching: bool = Field(description="Whether anything is watched: `crossaisle serve --data`, with the extra stream.")
    alarms: list[AlarmOut]


class Health(BaseModel):
    """Whether the service lives, or can answer."""

    model_config = example(status="ok", version="a1b2c3", domain="NUTRITION")
    status: str
    version: str
    domain: str


class Problem(BaseModel):
    """What went wrong, in one sentence (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "a known API key is needed."}
            ]
        }
    )
    type: str
    title: str
    status: int
    detail: str
