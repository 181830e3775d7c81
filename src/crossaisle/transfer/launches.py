"""Pseudo-launches: sources pretend to open, so that how to learn from a few pairs can be learned."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..fusion.common import event_weights, liked_rows
from ..rng import generator
from ..train.batches import Batch, Sampler, TaskData, task_data
from ..types import Codes
from .network import Shop

QUERIES = 256
"""Pairs of later people on which a pseudo-launch is judged."""
_SUPPORT = 512
"""Most pairs that a pseudo-launch shows."""
_LEAST = 20
"""A source with fewer pairs is none to learn from, and neither is a shelf."""
_NARROW = 10
"""A source with fewer items is no shelf either."""


@dataclass(frozen=True)
class Episode:
    """Pseudo-launches side by side.

    Attributes:
        batches: one each, all of one shape: `support` pairs of early people, then those of later ones.
        support: number of pairs that are shown.
    """

    batches: tuple[Batch, ...]
    support: int

    def __len__(self) -> int:
        return sum(len(batch) for batch in self.batches)


@dataclass(frozen=True, eq=False)
class Launches:
    """Step number → `Episode`; depends on seed and number alone.

    A pseudo-launch is a shelf of items of one source, drawn at random. It shows the pairs of people who come early,
    as many for each item as the target shows, and is judged on pairs of people who come later. All are seen without
    what they had in that source, as on a launch day.

    Attributes:
        sampler: what each source sells, and who has it.
        shots: pairs per item that are shown.
        side: launches a step.
        shelf: most items of a launch.
    """

    sampler: Sampler
    shots: float
    side: int
    shelf: int

    def __call__(self, step: int) -> Episode:
        """The launches of `step`."""
        draw = generator(self.sampler.seed, "launches", str(step))
        tasks = self.sampler.tasks
        chosen = [tasks[n] for n in draw.choice(len(tasks), self.side, replace=self.side > len(tasks))]
        size = min(self.shelf, *(len(t.catalogue) for t in chosen))
        shelves = [self._shelf(task, size, draw) for task in chosen]
        most = min(len(rows) for _, rows in shelves) // 2
        support = max(1, min(round(self.shots * size), most, _SUPPORT))
        pairs = zip(chosen, shelves, strict=True)
        return Episode(tuple(self._batch(t, *shelf, support, draw) for t, shelf in pairs), support)

    def _shelf(self, data: TaskData, size: int, draw: np.random.Generator) -> tuple[Codes, Codes]:
        """(size,) sorted item codes, half of them sold ones where chance alone finds too few pairs, and their pairs."""
        items = np.sort(draw.choice(data.catalogue, size, replace=False))
        rows = np.flatnonzero(np.isin(data.items, items))
        if len(rows) < _LEAST:
            sold = _first(draw.permutation(data.items), (size + 1) // 2)
            items = np.sort(_first(np.concatenate([sold, draw.permutation(items)]), size))
            rows = np.flatnonzero(np.isin(data.items, items))
        return items, rows

    def _batch(self, data: TaskData, items: Codes, rows: Codes, support: int, draw: np.random.Generator) -> Batch:
        came = draw.permutation(len(data.active))[data.users[rows]]
        order = np.argsort(came, kind="stable")
        rows, came = rows[order], came[order]
        later = rows[came > came[support - 1]]
        asked = draw.choice(later if len(later) else rows[support - 1 :], QUERIES)
        return self.sampler.batch(data, np.concatenate([rows[:support], asked]), items, launch=True)


def _first(codes: Codes, number: int) -> Codes:
    """The first `number` distinct ones of `codes`, in their order."""
    _, places = np.unique(codes, return_index=True)
    return codes[np.sort(places)[:number]]


def launches_of(shop: Shop, shots: float, side: int, shelf: int) -> Launches | None:
    """The pseudo-launches that the visible rows of the sources allow; None where there are none."""
    problem, world = shop.problem, shop.problem.world
    seen = dataclasses.replace(world, interactions=problem.visible)
    pairs = [event_weights(liked_rows(seen, (name,)), world.n_users, world.n_items) for name in problem.sources]
    catalogues = {n: world.catalogue(name) for n, name in enumerate(problem.sources)}
    own = {n: p for n, p in enumerate(pairs) if p.nnz >= _LEAST and len(catalogues[n]) >= _NARROW}
    if not own:
        return None
    tasks = task_data(own, catalogues, shop.events, shop.profiles)
    return Launches(Sampler(tasks, shop.profiles, shop.levels, problem.seed), shots, side, shelf)
