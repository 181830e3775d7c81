"""The kinds of rows that a service keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Role = Literal["read", "write", "admin"]
"""``read`` asks for recommendations, ``write`` also sends events and items, ``admin`` also erases and promotes."""
State = Literal["candidate", "current", "previous", "retired"]


@dataclass(frozen=True)
class Event:
    """Something that a user did; the columns of ``interactions``, and an id that makes sending it twice harmless.

    Attributes:
        event_id: of the sender; a second event of the same id is ignored.
        user_id: who.
        item_id: what.
        domain: where.
        event: kind, such as ``view`` or ``purchase``.
        timestamp: when it happened, naive UTC.
        value: rating or quantity.
        price: of one unit.
    """

    event_id: str
    user_id: str
    item_id: str
    domain: str
    event: str
    timestamp: datetime
    value: float | None = None
    price: float | None = None


@dataclass(frozen=True)
class Item:
    """What is known of an item in one domain.

    Attributes:
        item_id: id.
        domain: where it is sold.
        content: ``title``, ``brand``, ``category``, ``price`` and attributes, as far as they are known.
        available: whether it may be recommended.
    """

    item_id: str
    domain: str
    content: dict[str, Any] = field(default_factory=dict)
    available: bool = True


@dataclass(frozen=True)
class User:
    """What is known of a user beside their events.

    Attributes:
        user_id: id.
        attributes: whatever the shop knows, such as language or kind of customer.
    """

    user_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exposure:
    """One item that was shown, with the probability that it was: what off-policy estimates need.

    Attributes:
        request_id: of the answer that it was part of.
        user_id: who saw it.
        item_id: what.
        position: place in the list, 1 is first.
        propensity: probability of that item at that place under the rule that chose it.
        version: of the artifact.
        timestamp: naive UTC.
    """

    request_id: str
    user_id: str
    item_id: str
    position: int
    propensity: float
    version: str
    timestamp: datetime


@dataclass(frozen=True)
class Version:
    """An artifact that is, was or may be served.

    Attributes:
        name: unique.
        path: folder of the artifact.
        made: naive UTC.
        state: at most one is ``current``, and at most one ``previous``, to which one step leads back.
        facts: what is worth knowing: quality, guard, rows learned from.
    """

    name: str
    path: str
    made: datetime
    state: State = "candidate"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """An experiment that is or was served.

    Attributes:
        name: unique.
        design: variants, metrics and rule, as `crossaisle.experiments.Experiment` has them.
        begun: naive UTC.
        shown: number of the last exposure before it began.
        ended: naive UTC; None while it runs. At most one runs.
        result: what it said when it ended.
    """

    name: str
    design: dict[str, Any]
    begun: datetime
    shown: int = 0
    ended: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Marks:
    """Where a store stands: what differs from an earlier look has changed since.

    Attributes:
        events: number of the last event that is there.
        shown: number of the last exposure that is there.
        items: how often items were put.
        erased: how many people asked to be forgotten.
        current: name of the version that is served.
        trial: name of the experiment that runs.
    """

    events: int
    shown: int
    items: int
    erased: int
    current: str | None
    trial: str | None


@dataclass(frozen=True)
class Key:
    """An API key; the store has its hash alone.

    Attributes:
        name: for people.
        role: what it may do.
        digest: scrypt or SHA-256 hash of the secret, in hex.
        made: naive UTC.
    """

    name: str
    role: Role
    digest: str
    made: datetime
