"""What the fusions of a network share: options, what is read of a World, and the base that comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from ..data.world import World
from ..encoders.attributes import AttributeEncoder
from ..encoders.content import Content, ContentOptions, ContentReader
from ..errors import MethodError
from ..models.base import Base, item_rows, mark_of, people_of, user_levels
from ..models.network import Network, Sizes
from ..models.profile import Profiles
from ..train.balance import BALANCES
from ..train.batches import Sampler, TaskData, task_data
from ..train.loop import Phase, Trained
from ..types import Codes
from .common import event_weights, liked_rows, sizes_of, tasks_of


@dataclass(frozen=True)
class NetworkOptions:
    """Options that every fusion of a network has."""

    steps: int = 1500
    """Steps of the optimiser."""
    batch: int = 256
    """Examples a step."""
    negatives: int = 512
    """Items drawn a step as not chosen."""
    rate: float = 2e-3
    """Learning rate at its highest."""
    decay: float = 1e-2
    """Weight decay."""
    dim: int = 64
    """Width of item and user vectors."""
    hidden: int = 128
    """Width of hidden layers."""
    collaborative: int = 64
    """Width of the collaborative part of user profiles."""
    launch: float = 0.7
    """Share of steps in which users are seen without their history in the domain, as on a launch day."""
    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read."""
    balance: str = "sum"
    """How tasks (domain, event), or the terms of contrastive, distil and esmm, are balanced: sum, which shows the
    network one task a step, or one of uncertainty, gradnorm, pcgrad, mgda, alignedmtl and upgrad, which weigh several
    against each other."""
    tasks_a_step: int = 4
    """Tasks that a step of a balance other than sum sees at most, where tasks are balanced; they share the `batch`
    examples."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        BALANCES.get(self.balance)
        if self.tasks_a_step < 2:
            raise ValueError("tasks_a_step must be at least 2: a balance weighs tasks against each other.")
        if min(self.steps, self.batch, self.negatives, self.dim, self.hidden, self.collaborative) < 1:
            raise ValueError("steps, batch, negatives, dim, hidden and collaborative must be at least 1.")
        if not 0 <= self.launch <= 1 or self.rate <= 0:
            raise ValueError("launch must be a share from 0 to 1 and rate above 0.")

    def phase(self) -> Phase:
        """The phase of training that these options mean; it can be resumed."""
        return Phase("fuse", self.steps, self.rate, self.decay, resumable=True)


@dataclass(frozen=True, eq=False)
class Ground:
    """What fusion reads of a World.

    Attributes:
        world: holds visible rows only.
        sources: domains that are fused.
        options: of the method.
        seed: of everything random.
        reader: item rows → content.
        content: of every item.
        people: user rows → attributes; None where users have none.
        events: (users, items) CSR event weights of the sources.
        profiles: histories → profiles.
        tasks: names of the heads: ``shared``, then ``domain/event``.
        own: event weights by task number.
        catalogues: item codes by task number.
    """

    world: World
    sources: tuple[str, ...]
    options: NetworkOptions
    seed: int
    reader: ContentReader
    content: Content
    people: AttributeEncoder | None
    events: sp.csr_matrix
    profiles: Profiles
    tasks: tuple[str, ...]
    own: Mapping[int, sp.csr_matrix]
    catalogues: Mapping[int, Codes]

    @classmethod
    def open(cls, world: World, sources: tuple[str, ...], options: NetworkOptions, seed: int) -> Self:
        """Read items, users and histories.

        Raises:
            MethodError: there are no interactions, or items say nothing of themselves.
        """
        own, catalogues, names = tasks_of(world, sources)
        if not own:
            raise MethodError(f"nothing to fuse: {', '.join(sources) or 'no source'} has no visible interactions.")
        events = event_weights(liked_rows(world, sources), world.n_users, world.n_items)
        had = np.bincount(events.indices, minlength=world.n_items) > 0
        reader, content = ContentReader.fit(item_rows(world), options.content, had)
        if not (content.text.shape[1] + content.numeric.shape[1] + content.levels.shape[1]):
            raise MethodError(
                "nothing to fuse: items have no title, price or attribute that can be read; add such columns to items, "
                "read their ids (content.ids = auto), or take a method of interactions alone (ease, als, user_kernel)."
            )
        profiles = Profiles.fit(events, content, options.collaborative, seed)
        people = people_of(world)
        return cls(
            world, tuple(sources), options, seed, reader, content, people, events, profiles, names, own, catalogues
        )

    @cached_property
    def data(self) -> tuple[TaskData, ...]:
        """What each task trains on."""
        return task_data(self.own, self.catalogues, self.events, self.profiles)

    @cached_property
    def levels(self) -> Codes:
        """(users, c) user attributes."""
        return user_levels(self.world, self.people)

    def sampler(self) -> Sampler:
        """Batches of one task a step."""
        o = self.options
        return Sampler(self.data, self.profiles, self.levels, self.seed, o.batch, o.negatives, o.launch)

    def sizes(self, design: str = "shared", experts: int = 0, own: int = 0) -> Sizes:
        """Widths of a network of `design` (see `Sizes`) for what was read."""
        o = self.options
        sizes = sizes_of(self.content, self.reader, self.profiles, self.people, o.dim, o.hidden)
        return dataclasses.replace(sizes, design=design, experts=experts, own=own)

    def base(self, fusion: str, network: Network, done: Trained, **facts: Any) -> Base:
        """The base with the weights of `network`."""
        told = {
            "items": mark_of(self.world),
            "steps": done.steps,
            "interactions_per_second": round(done.interactions_per_second),
            "losses": dict(done.losses),
            **({} if self.options.balance == "sum" else {"balance": self.options.balance}),
            **facts,
        }
        weights = {n: t.detach().clone() for n, t in network.state_dict().items()}
        parts = (self.reader, self.people, self.profiles, network.sizes, self.tasks)
        return Base(fusion, self.sources, *parts, weights, told)
