"""Teachers of a small network: trained networks, or vectors of items and people from interactions alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from ..config import as_dict, build
from ..encoders.content import Content
from ..errors import ArtifactError
from ..models.base import Base, item_rows, tensors_of
from ..models.factors import factorised
from ..models.network import Network
from ..models.profile import only
from ..rng import generator
from ..train.batches import Sampler, task_data
from ..train.checkpoint import keeping, kept_in
from ..types import Codes
from .common import scores_of
from .ground import Ground
from .method import FUSIONS

FACTORS = "als"
"""Name of the teacher that reads interactions alone; all others are fusion methods."""


@dataclass(frozen=True)
class Answer:
    """What a teacher says of a batch.

    Attributes:
        scores: (n, 1 + k) of what was met, then of what was drawn.
        vectors: (m, f) of the batch's items.
        known: (m,) True for items that the teacher knows.
    """

    scores: Tensor
    vectors: Tensor
    known: Tensor


class Teacher(Protocol):
    """Knows some tasks of the student.

    Attributes:
        width: f, of its item vectors.
    """

    @property
    def width(self) -> int:
        """See above."""

    def __call__(self, task: int, rows: Codes, drawn: Codes, launch: bool) -> Answer:
        """What it says of pairs `rows` of the student's task `task`, against items `drawn`."""


@dataclass(frozen=True, eq=False)
class NetworkTeacher:
    """A trained network.

    Attributes:
        network: whose heads answer.
        content: of every item, as this teacher reads it.
        sampler: the student's tasks with histories as this teacher reads them.
        heads: number of its head, by the student's.
        alone: whether it knows histories in the domain alone, and so always sees them.
    """

    network: Network
    content: Content
    sampler: Sampler
    heads: Mapping[int, int]
    alone: bool

    @property
    def width(self) -> int:
        """Of its item vectors."""
        return self.network.sizes.dim

    def __call__(self, task: int, rows: Codes, drawn: Codes, launch: bool) -> Answer:
        """See `Teacher`."""
        data = next(t for t in self.sampler.tasks if t.task == self.heads[task])
        batch = self.sampler.batch(data, rows, drawn, launch and not self.alone)
        with torch.no_grad():
            vectors, biases = self.network.items(*tensors_of(self.content, batch.items), batch.task)
            positive, scores = scores_of(self.network, batch, vectors, biases)
        return Answer(
            torch.cat([positive[:, None], scores], dim=1), vectors, torch.ones(len(vectors), dtype=torch.bool)
        )

    @classmethod
    def of(cls, base: Base, ground: Ground, domains: tuple[str, ...]) -> Self:
        """The teacher `base`, which was fused from `domains` of what the student reads."""
        heads = {t: base.tasks.index(name) for t, name in enumerate(ground.tasks) if t and name in base.tasks}
        own = {heads[t]: pairs for t, pairs in ground.own.items() if t in heads}
        shelves = {heads[t]: shelf for t, shelf in ground.catalogues.items() if t in heads}
        tasks = task_data(own, shelves, only(ground.events, listed(ground, domains)), base.profiles)
        sampler = Sampler(tasks, base.profiles, ground.levels, ground.seed)
        alone = len(domains) < len(ground.sources)
        # Which items are known by their ids depends on who had them: one domain's reader is not that of all.
        content = base.reader.read(item_rows(ground.world)) if alone else ground.content
        return cls(base.network(), content, sampler, heads, alone)


@dataclass(frozen=True)
class FactorOptions:
    """Options of the teacher `als`."""

    factors: int = 32
    """Length of the vectors."""
    alpha: float = 10.0
    """Confidence of an event is alpha × its weight, of a non-event 1."""
    regularization: float = 10.0
    """L2 penalty on the vectors."""
    iterations: int = 15
    """Sweeps over users and items."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.factors, self.iterations) < 1 or min(self.alpha, self.regularization) <= 0:
            raise ValueError("factors and iterations must be at least 1, alpha and regularization above 0.")


@dataclass(frozen=True, eq=False)
class FactorTeacher:
    """Vectors from interactions: what items are to people, whatever their content says.

    Attributes:
        people: (users, f) vectors.
        items: (items, f) vectors.
        known: (items,) True for items that somebody has.
        sampler: of the student.
    """

    people: Tensor
    items: Tensor
    known: Tensor
    sampler: Sampler

    @property
    def width(self) -> int:
        """Of its item vectors."""
        return self.items.shape[1]

    def __call__(self, task: int, rows: Codes, drawn: Codes, launch: bool) -> Answer:
        """See `Teacher`. It has seen whole histories, what is to be found among them; scores have a spread of 1."""
        data = next(t for t in self.sampler.tasks if t.task == task)
        users, met = data.active[data.users[rows]], data.items[rows]
        people = self.people[torch.from_numpy(users)]
        scores = people @ self.items[torch.from_numpy(drawn)].T
        positive = (people * self.items[torch.from_numpy(met)]).sum(dim=1, keepdim=True)
        spread = scores.std(dim=1, keepdim=True).clamp(min=1e-6)
        items = torch.from_numpy(np.unique(np.concatenate([met, drawn])))
        return Answer(torch.cat([positive, scores], dim=1) / spread, self.items[items], self.known[items])

    @classmethod
    def of(cls, ground: Ground, sampler: Sampler, domains: tuple[str, ...], options: FactorOptions) -> Self:
        """The teacher of `domains`."""
        o, events = options, only(ground.events, listed(ground, domains))
        state = int(generator(ground.seed, "als").integers(2**31 - 1))
        people, items = factorised(events, o.factors, o.alpha, o.regularization, o.iterations, state)
        known = np.bincount(events.indices, minlength=events.shape[1]) > 0
        return cls(torch.from_numpy(people), torch.from_numpy(items), torch.from_numpy(known), sampler)


def listed(ground: Ground, domains: tuple[str, ...]) -> Any:
    """(items,) True for items of `domains`."""
    found = np.zeros(ground.world.n_items, dtype=np.bool_)
    for name in domains:
        found[ground.world.catalogue(name)] = True
    return found


def teachers_of(
    name: str, groups: tuple[tuple[str, ...], ...], options: Mapping[str, Any], ground: Ground, sampler: Sampler
) -> tuple[Teacher, ...]:
    """A teacher `name` for each group of domains.

    Raises:
        MethodError: no such teacher.
        ConfigError: options that it does not have.
    """
    if name == FACTORS:
        ready = build(FactorOptions, options, f"teacher_options of {name!r}")
        return tuple(FactorTeacher.of(ground, sampler, g, ready) for g in groups)
    chosen, seen = FUSIONS.get(name), {"content": as_dict(ground.options.content)}
    trained: Any = build(chosen.options, {**options, **seen}, f"teacher_options of {name!r}")

    def base(number: int, domains: tuple[str, ...]) -> Base:
        return kept(f"teacher-{number}", lambda: chosen.fit(ground.world, domains, trained, ground.seed))

    return tuple(NetworkTeacher.of(base(n, g), ground, g) for n, g in enumerate(groups))


def kept(name: str, make: Callable[[], Base]) -> Base:
    """The base that `make` gives; within `checkpoint.keeping` it is made once, however often training goes on."""
    folder = kept_in()
    if folder is None:
        return make()
    try:
        return Base.load(folder / name)
    except ArtifactError:  # none yet
        with keeping(folder / f"{name}.part"):
            made = make()
        made.save(folder / name)
        shutil.rmtree(folder / f"{name}.part", ignore_errors=True)
        return made


@contextmanager
def forgotten() -> Iterator[None]:
    """When the block has ended well, what `kept` has kept is removed."""
    yield
    folder = kept_in()
    for path in [] if folder is None else folder.glob("teacher-*"):
        shutil.rmtree(path, ignore_errors=True)
