"""Batches for ranking: users with the profile they have without the item that is to be found, and drawn negatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from ..models.profile import Profiles, only
from ..rng import generator
from ..types import Codes, Floats

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """One step's examples, all of one task.

    Attributes:
        task: number of the head.
        profile: (n, 2q + 2), see `Profiles.pair`.
        levels: (n, c) user attributes.
        items: (m,) item codes whose vectors are needed.
        positive: (n,) places in `items` of what was met.
        negatives: (k,) places in `items` of what was drawn.
        excluded: (n, k) True where a drawn item is no negative for that user: the user has it.
    """

    task: int
    profile: Tensor
    levels: Tensor
    items: Codes
    positive: Tensor
    negatives: Tensor
    excluded: Tensor

    def __len__(self) -> int:
        return len(self.positive)


@dataclass(frozen=True)
class Batches:
    """One step's examples of several tasks.

    Attributes:
        parts: a batch of each.
    """

    parts: tuple[Batch, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))


@dataclass(frozen=True, eq=False)
class TaskData:
    """What one task trains on: r distinct (user, item) pairs of a users with events of the task.

    Attributes:
        task: number of the head.
        users: (r,) places of users in `active`, sorted.
        items: (r,) item codes.
        weights: (r,) event weights of the pairs in the whole history.
        met: (a, items) CSR of the pairs; what a user has is never a negative.
        catalogue: (m,) sorted item codes of the domain.
        active: (a,) sorted user codes.
        inside: (a, q + 2) `Profiles.sums` of the history on the catalogue.
        elsewhere: (a, q + 2) the same on all other items.
    """

    task: int
    users: Codes
    items: Codes
    weights: Floats
    met: sp.csr_matrix
    catalogue: Codes
    active: Codes
    inside: Floats
    elsewhere: Floats

    def take(self, rows: Codes) -> TaskData:
        """With the pairs `rows` alone to be found; nothing else is forgotten."""
        return replace(self, users=self.users[rows], items=self.items[rows], weights=self.weights[rows])


@dataclass(frozen=True, eq=False)
class Sampler:
    """Step number → `Batch`; depends on seed and number alone, so that training can be resumed.

    Attributes:
        tasks: what is trained on.
        profiles: histories → profiles.
        levels: (users, c) user attributes.
        seed: of the draws.
        size: examples a step.
        negatives: items drawn a step; the whole catalogue where it is not larger.
        launch: share of steps in which users are seen without their history in the domain, as on day one.
    """

    tasks: tuple[TaskData, ...]
    profiles: Profiles
    levels: Codes
    seed: int
    size: int = 256
    negatives: int = 512
    launch: float = 0.7

    def __call__(self, step: int) -> Batch:
        """The batch of `step`."""
        place, rows, drawn, launch = self.draw(step)
        return self.batch(self.tasks[place], rows, drawn, launch)

    def draw(self, step: int) -> tuple[int, Codes, Codes, bool]:
        """What `step` draws: place of its task in `tasks`, pairs of it, items, and whether it is seen as on day one."""
        draw = generator(self.seed, "batch", str(step))
        place = int(draw.choice(len(self.tasks), p=self.shares))
        return place, *self._drawn(self.tasks[place], draw, self.size)

    def several(self, step: int, number: int) -> Batches:
        """One batch each of `number` tasks, drawn as above, or of all where there are no more.

        They share `size`: as many examples a step as with one task, but at least one of each.
        """
        draw = generator(self.seed, "batches", str(step))
        few = min(number, len(self.tasks))
        chosen = np.sort(draw.choice(len(self.tasks), few, replace=False, p=self.shares)).tolist()
        tasks, size = [self.tasks[t] for t in chosen], max(1, self.size // few)
        return Batches(tuple(self.batch(t, *self._drawn(t, draw, size)) for t in tasks))

    def _drawn(self, data: TaskData, draw: np.random.Generator, size: int) -> tuple[Codes, Codes, bool]:
        rows, drawn = draw.integers(0, len(data.users), size), data.catalogue
        if len(drawn) > self.negatives:
            drawn = draw.choice(drawn, self.negatives, replace=False)
        return rows, drawn, bool(draw.random() < self.launch)

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """(tasks,) chance of each task: large ones come more often, by the root of their size."""
        weights = np.sqrt([len(t.users) for t in self.tasks])
        made: npt.NDArray[np.float64] = weights / weights.sum()
        return made

    def batch(self, data: TaskData, rows: Codes, drawn: Codes, launch: bool) -> Batch:
        """The batch of the pairs `rows` of `data` against the items `drawn`."""
        places, positive = data.users[rows], data.items[rows]
        items, place = np.unique(np.concatenate([positive, drawn]), return_inverse=True)
        return Batch(
            data.task,
            torch.from_numpy(self.seen(data, rows, np.full(len(rows), launch))),
            torch.from_numpy(self.levels[data.active[places]]),
            items,
            torch.from_numpy(place[: len(rows)]),
            torch.from_numpy(place[len(rows) :]),
            torch.from_numpy(among(data.met, places, drawn)),
        )

    def seen(self, data: TaskData, rows: Codes, launch: Bools) -> Floats:
        """(n, 2q + 2) profiles of the users of `rows` without what is to be found.

        Args:
            data: a task.
            rows: (n,) of its pairs.
            launch: (n,) True where the history in the domain is not seen.
        """
        places = data.users[rows]
        inside = data.inside[places] - self.profiles.sums_of(data.items[rows], data.weights[rows])
        return self.profiles.pair(data.elsewhere[places], np.where(launch[:, None], np.float32(0.0), inside))


def among(met: sp.csr_matrix, rows: Codes, drawn: Codes) -> Bools:
    """(n, k) True where `met` holds (rows[i], drawn[j]); `drawn` are distinct."""
    starts = met.indptr[rows].astype(np.int64)
    lengths = met.indptr[rows + 1] - starts
    ends = np.cumsum(lengths)
    items = met.indices[np.repeat(starts - ends + lengths, lengths) + np.arange(lengths.sum())]
    order = np.argsort(drawn)
    place = np.searchsorted(drawn, items, sorter=order).clip(max=len(drawn) - 1)
    hit = drawn[order[place]] == items
    found = np.zeros((len(rows), len(drawn)), dtype=np.bool_)
    found[np.repeat(np.arange(len(rows)), lengths)[hit], order[place[hit]]] = True
    return found


def task_data(
    own: Mapping[int, sp.csr_matrix], catalogues: Mapping[int, Codes], events: sp.csr_matrix, profiles: Profiles
) -> tuple[TaskData, ...]:
    """`TaskData` of each task with at least one pair.

    Args:
        own: by number of the head: (users, items) CSR, positive where a pair is to be found.
        catalogues: by number of the head: item codes of the domain; pairs are among them.
        events: (users, items) CSR event weights of all that may be read, pairs among them.
        profiles: histories → profiles.
    """
    return tuple(_task(t, o.tocsr(), catalogues[t], events, profiles) for t, o in own.items() if o.nnz)


def _task(task: int, own: sp.csr_matrix, catalogue: Codes, events: sp.csr_matrix, profiles: Profiles) -> TaskData:
    active = np.flatnonzero(np.diff(own.indptr)).astype(np.int64)
    met, history = own[active], events[active]
    users, items = (codes.astype(np.int64) for codes in met.nonzero())
    listed = np.zeros(events.shape[1], dtype=np.bool_)
    listed[catalogue] = True
    inside, elsewhere = (profiles.sums(only(history, mask)) for mask in (listed, ~listed))
    weights = np.asarray(history[users, items], dtype=np.float32).ravel()
    return TaskData(task, users, items, weights, met, catalogue, active, inside, elsewhere)
