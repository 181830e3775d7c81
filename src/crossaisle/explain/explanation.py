"""Explanation: why an item was recommended, as plain frozen rows. docs/explain.md says what each number means."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..types import Basis

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Named:
    """An item by id and title."""

    item_id: str
    title: str | None

    @property
    def words(self) -> str:
        """What people call it."""
        return self.title or self.item_id


@dataclass(frozen=True)
class Because:
    """An item of the history that speaks for the recommended one.

    Attributes:
        item_id: its id.
        title: its title, where it has one.
        domain: where it is sold, see `domains.labels_of`.
        contribution: what having it adds to the score.
        share: of all that speaks for the item, 0 to 1.
    """

    item_id: str
    title: str | None
    domain: str
    contribution: float
    share: float


@dataclass(frozen=True)
class Counterfactual:
    """What the same person would have got without what they have of one domain.

    Attributes:
        domain: the one, other than the target's own, that speaks most for the item.
        purchases: how many items of the history are taken away.
        score: of the item then.
        place: of the item in the ranking then, from 1; None for an item that they have.
        gained: items that would enter the list.
        lost: items that would leave it.
    """

    domain: str
    purchases: int
    score: float
    place: int | None
    gained: tuple[Named, ...]
    lost: tuple[Named, ...]


@dataclass(frozen=True)
class Explanation:
    """Why one item has the score it has for one person: ``start + Σ by_domain = start + Σ by_modality = score``.

    Attributes:
        user: as asked; empty for a session.
        known: whether the user is in the data (a session is).
        item_id: the recommended item.
        title: its title, where it has one.
        domain: it is recommended in.
        method: that recommends.
        place: in the person's ranking without what they have already; None for an item that they have.
        place_for_anybody: in the ranking of the same items for somebody of whom nothing is known.
        score: of the method; comparable for one person only.
        start: what somebody without a history gets.
        because: items of the history that speak for it, most telling first.
        by_domain: domain → what the items of the history there add to the score.
        shares: domain → its part of all that speaks for the item, 0 to 1; empty where nothing does.
        by_modality: kind of knowledge → what it adds to the score.
        words: words of the title → what each adds to the score; None unless asked for.
        features: brand, category and price of the item → what each adds; None unless asked for.
        counterfactual: None where no other domain speaks for it.
        basis: what the score rests on.
        sampled: whether contributions are drawn (Shapley values) rather than worked out.
        sentence: all of it in plain words.
    """

    user: str
    known: bool
    item_id: str
    title: str | None
    domain: str
    method: str
    place: int | None
    place_for_anybody: int | None
    score: float
    start: float
    because: tuple[Because, ...]
    by_domain: Mapping[str, float]
    shares: Mapping[str, float]
    by_modality: Mapping[str, float]
    counterfactual: Counterfactual | None
    basis: Basis
    sampled: bool
    words: Mapping[str, float] | None = None
    features: Mapping[str, float] | None = None
    sentence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Person:
    """One person of a study, and what the transfer changed for them.

    Attributes:
        user: id.
        method: value of the transfer.
        control: value of the control.
        purchases: items that are visible of them in the target.
        elsewhere: items that are visible of them in the sources.
        sources: in how many source domains.
    """

    user: str
    method: float
    control: float
    purchases: int
    elsewhere: int
    sources: int


@dataclass(frozen=True)
class Group:
    """People, or questions, taken together: how many, and the mean difference transfer − control."""

    users: int
    difference: float


@dataclass(frozen=True)
class Gains:
    """Who gained and who lost at one step, transfer against the best control there.

    Attributes:
        step: as people say it.
        method: label of the transfer.
        control: label of the best control.
        metric: what is compared, such as ``ndcg@10``.
        users: asked on the headline's slice.
        gained: how many of them have more than with the control.
        lost: how many have less.
        difference: mean over all of them.
        by_slice: slice → people and mean difference.
        by_purchases: visible items in the target → people and mean difference.
        by_sources: number of source domains → people and mean difference.
        gained_most: examples, greatest gain first.
        lost_most: examples, greatest loss first.
    """

    step: str
    method: str
    control: str
    metric: str
    users: int
    gained: int
    lost: int
    difference: float
    by_slice: Mapping[str, Group]
    by_purchases: Mapping[str, Group]
    by_sources: Mapping[str, Group]
    gained_most: tuple[Person, ...]
    lost_most: tuple[Person, ...]


@dataclass(frozen=True)
class Source:
    """What one domain is to the recommendations of a sample of people.

    Attributes:
        domain: see `domains.labels_of`.
        share: its part of all that speaks for their top ten, mean over people.
        changed: part of their top ten that would be others without it, mean over people who have something there.
        users: people of the sample who have something there.
    """

    domain: str
    share: float
    changed: float
    users: int


@dataclass(frozen=True)
class TransferExplanation:
    """What of the old knowledge carried a recommender.

    Attributes:
        domain: target.
        method: that recommends.
        users: people of the sample behind `sources`.
        sources: domains, greatest share first.
        layers: layer → relative change of its weights against the base; by part of a blend; empty without a network.
        gains: one for each step that can be compared.
        sentences: all of it in plain words.
    """

    domain: str
    method: str
    users: int
    sources: tuple[Source, ...]
    layers: Mapping[str, float]
    gains: tuple[Gains, ...] = ()
    sentences: tuple[str, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return dataclasses.asdict(self)


def section(explanations: Sequence[Explanation], transfer: TransferExplanation | None = None) -> dict[str, Any]:
    """Everything as one JSON-able document, for pages and ``--json``."""
    found: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "explanations": [e.to_dict() for e in explanations]}
    return found if transfer is None else found | {"transfer": transfer.to_dict()}
