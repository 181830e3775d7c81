"""Two sides, the sources and the target: what a step of an alignment draws of each, and what the towers make of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..distances import proxy_a
from ..models.base import tensors_of
from ..rng import generator
from ..train.batches import Batch, Sampler
from ..types import Codes, Floats
from .network import Shop, Target, item_vectors_of

Part = Literal["items", "users"]
_JURY = 128
"""People, and items, against whom vectors are scored."""
_MEASURED = 2000
"""Most items of a side that `told_apart` looks at."""


@dataclass(frozen=True)
class Rows:
    """Vectors of both sides.

    Attributes:
        vectors: (n, d).
        domain: (n,) 0 for the target, else the number of the source.
        jury: (m, d) vectors of people, or of items, whom the vectors are scored against: the same at every step, as the
            network sees them now; without gradient.
    """

    vectors: Tensor
    domain: Tensor
    jury: Tensor

    @cached_property
    def scaled(self) -> Tensor:
        """`vectors` with mean 0 and variance 1 in every column, over both sides: to shrink them all gains nothing."""
        centred = self.vectors - self.vectors.mean(dim=0)
        return centred / self.vectors.std(dim=0).clamp_min(1e-6)

    def pair(self) -> tuple[Tensor, Tensor]:
        """`scaled` of the sources, and of the target."""
        return self.scaled[self.domain > 0], self.scaled[self.domain == 0]


Sides = dict[Part, Rows]


@dataclass(frozen=True)
class Lesson:
    """One step.

    Attributes:
        elsewhere: examples of a source.
        own: examples of the target; None where too little is visible.
        items: (task, number of the domain, item codes) of what is aligned.
    """

    elsewhere: Batch
    own: Batch | None
    items: tuple[tuple[int, int, Codes], ...]

    def __len__(self) -> int:
        return len(self.elsewhere) + (0 if self.own is None else len(self.own))


@dataclass(frozen=True, eq=False)
class Lessons:
    """Step number → `Lesson`; depends on seed and number alone.

    Attributes:
        shop: content and problem.
        elsewhere: batches of the sources.
        own: batches of the target; None where too little is visible.
        sample: items drawn of each side a step.
        parts: what is aligned.
    """

    shop: Shop
    elsewhere: Sampler
    own: Sampler | None
    sample: int
    parts: tuple[Part, ...]

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Head → number of its source, from 1."""
        names = [self.shop.base.tasks[t.task].rsplit("/", 1)[0] for t in self.elsewhere.tasks]
        order = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        return {t.task: order[name] for t, name in zip(self.elsewhere.tasks, names, strict=True)}

    @property
    def domains(self) -> int:
        """Sources and the target."""
        return 1 + max(self.numbers.values())

    @cached_property
    def shelves(self) -> dict[int, tuple[int, Codes]]:
        """Number of a domain → the head that its items are read for, and their codes."""
        shelves = {0: (len(self.shop.base.tasks), self.shop.problem.catalogue)}
        for task in self.elsewhere.tasks:
            shelves.setdefault(self.numbers[task.task], (task.task, task.catalogue))
        return shelves

    def __call__(self, step: int) -> Lesson:
        """The lesson of `step`."""
        draw = generator(self.elsewhere.seed, "sides", str(step))
        each = -(-self.sample // (self.domains - 1))
        items = tuple(
            (task, number, draw.choice(codes, self.sample if number == 0 else each, replace=True))
            for number, (task, codes) in self.shelves.items()
        )
        return Lesson(self.elsewhere(step), None if self.own is None else self.own(step), items)

    @cached_property
    def jury(self) -> tuple[Tensor, Tensor, Codes]:
        """Profiles, levels and items of the sources that are the same at every step."""
        draw, each = generator(self.elsewhere.seed, "jury"), -(-_JURY // len(self.elsewhere.tasks))
        rows = [(t, draw.integers(0, len(t.users), each), draw.choice(t.catalogue, each)) for t in self.elsewhere.tasks]
        batches = [self.elsewhere.batch(t, users, items, True) for t, users, items in rows]
        profile, levels = (torch.cat([getattr(b, n) for b in batches]) for n in ("profile", "levels"))
        return profile, levels, np.concatenate([items for *_, items in rows])

    def sides(self, target: Target, lesson: Lesson) -> Sides:
        """What the towers say of `lesson`."""
        network, (profile, levels, items) = target.network, self.jury
        made: Sides = {}
        if "items" in self.parts:
            with torch.no_grad():
                people = network.users(profile, levels, 0)[0]
            read = [network.items(*tensors_of(self.shop.content, codes), task)[0] for task, _, codes in lesson.items]
            domain = [torch.full((len(codes),), number) for _, number, codes in lesson.items]
            made["items"] = Rows(torch.cat(read), torch.cat(domain), people)
        if "users" in self.parts and lesson.own is not None:
            with torch.no_grad():
                shelf = network.items(*tensors_of(self.shop.content, items), 0)[0]
            both = ((lesson.elsewhere, self.numbers[lesson.elsewhere.task]), (lesson.own, 0))
            said = [network.user(b.profile, b.levels, b.task) for b, _ in both]
            made["users"] = Rows(torch.cat(said), torch.cat([torch.full((len(b),), n) for b, n in both]), shelf)
        return made

    def told_apart(self, target: Target) -> float:
        """Proxy A-distance (see `proxy_a`) between item vectors of the sources and of the target."""
        draw = generator(self.elsewhere.seed, "told apart")
        parts: tuple[list[Floats], list[Floats]] = ([], [])
        for number, (task, codes) in self.shelves.items():
            kept = codes if len(codes) <= _MEASURED else np.sort(draw.choice(codes, _MEASURED, replace=False))
            vectors = item_vectors_of(target.network, self.shop.content.take(kept), task)[:, :-1]
            parts[number > 0].append(vectors)
        return proxy_a(np.concatenate(parts[1]), np.concatenate(parts[0]))
