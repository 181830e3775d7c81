"""Batches for ranking: users with the profile they have without the item that is to be found, and drawn negatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..models.profile import Profiles
from ..rng import generator
from ..types import Codes, Floats


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


@dataclass(frozen=True, eq=False)
class TaskData:
    """What one task trains on.

    Attributes:
        task: number of the head.
        users: (r,) user codes of distinct (user, item) pairs.
        items: (r,) their item codes.
        catalogue: (m,) sorted item codes of the domain.
        own: (users, items) CSR event weights of the task.
        active: (a,) sorted user codes with events of the task.
        sums: (a, q + 1) `Profiles.sums` of the events of the task, for the users `active`.
    """

    task: int
    users: Codes
    items: Codes
    catalogue: Codes
    own: sp.csr_matrix
    active: Codes
    sums: Floats


@dataclass(frozen=True, eq=False)
class Sampler:
    """Step number → `Batch`; depends on seed and number alone, so that training can be resumed.

    Attributes:
        tasks: what is trained on.
        events: (users, items) CSR event weights of all domains that may be read.
        sums: (users, q + 1) `Profiles.sums` of them.
        profiles: histories → profiles.
        levels: (users, c) user attributes.
        seed: of the draws.
        size: examples a step.
        negatives: items drawn a step; the whole catalogue where it is not larger.
        launch: share of steps in which users are seen without their history in the domain, as on day one.
    """

    tasks: tuple[TaskData, ...]
    events: sp.csr_matrix
    sums: Floats
    profiles: Profiles
    levels: Codes
    seed: int
    size: int = 256
    negatives: int = 512
    launch: float = 0.7

    def __call__(self, step: int) -> Batch:
        """The batch of `step`."""
        draw = generator(self.seed, "batch", str(step))
        weights = np.sqrt([len(t.users) for t in self.tasks])
        data = self.tasks[int(draw.choice(len(self.tasks), p=weights / weights.sum()))]
        rows = draw.integers(0, len(data.users), self.size)
        drawn = data.catalogue
        if len(drawn) > self.negatives:
            drawn = draw.choice(drawn, self.negatives, replace=False)
        return self.batch(data, rows, drawn, bool(draw.random() < self.launch))

    def batch(self, data: TaskData, rows: Codes, drawn: Codes, launch: bool) -> Batch:
        """The batch of the pairs `rows` of `data` against the items `drawn`."""
        users, positive = data.users[rows], data.items[rows]
        own = data.own[users]
        inside = data.sums[np.searchsorted(data.active, users)]
        elsewhere = self.sums[users] - inside
        inside = np.zeros_like(inside) if launch else inside - self._one(users, positive)
        items, place = np.unique(np.concatenate([positive, drawn]), return_inverse=True)
        return Batch(
            data.task,
            torch.from_numpy(self.profiles.pair(elsewhere, inside)),
            torch.from_numpy(self.levels[users]),
            items,
            torch.from_numpy(place[: len(rows)]),
            torch.from_numpy(place[len(rows) :]),
            torch.from_numpy((own[:, drawn].toarray() > 0) | (positive[:, None] == drawn[None, :])),
        )

    def _one(self, users: Codes, items: Codes) -> Floats:
        """(n, q + 1) what item ``items[i]`` adds to the sums of user ``users[i]``."""
        weights = np.asarray(self.events[users, items]).ravel() * self.profiles.rarity[items]
        return np.hstack([weights[:, None] * self.profiles.facts[items], weights[:, None] ** 2])


def task_data(
    own: Mapping[int, sp.csr_matrix], catalogues: Mapping[int, Codes], profiles: Profiles
) -> tuple[TaskData, ...]:
    """`TaskData` of each task number with at least one event."""
    found = []
    for task, events in own.items():
        users, items = (codes.astype(np.int64) for codes in events.nonzero())
        active = np.flatnonzero(np.diff(events.indptr)).astype(np.int64)
        if len(users):
            sums = profiles.sums(events[active])
            found.append(TaskData(task, users, items, catalogues[task], events, active, sums))
    return tuple(found)
