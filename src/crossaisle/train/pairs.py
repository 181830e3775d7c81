"""Batches for contrastive learning: pairs of a user and an item from all tasks, and what else belongs together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..rng import generator
from ..types import Codes, Floats
from .batches import Batch, Bools, Sampler, among


@dataclass(frozen=True)
class Views:
    """Users seen twice.

    Attributes:
        one: (n, 2q + 2) profiles of a part of each history.
        other: (n, 2q + 2) profiles of another part, drawn alike.
    """

    one: Tensor
    other: Tensor


@dataclass(frozen=True)
class Pairs:
    """One step's pairs (u_a, i_a), of all tasks.

    Attributes:
        profile: (n, 2q + 2) of the users, without the item and perhaps without its domain.
        levels: (n, c) user attributes.
        users: (n,) user codes.
        items: (n,) item codes.
        log_q: (n,) log of the chance that a draw is items[a].
        has: (n, n) True where user a has items[b].
        more: (n,) for each pair another item of the same user, of another domain where there is one.
        has_more: (n, n) True where user a has more[b].
        paired: (n,) True where there is another item.
        views: the users seen twice; None where none are wanted.
    """

    profile: Tensor
    levels: Tensor
    users: Codes
    items: Codes
    log_q: Tensor
    has: Tensor
    more: Codes
    has_more: Tensor
    paired: Tensor
    views: Views | None


@dataclass(frozen=True)
class Mixed:
    """A step: the ranking batch of one task, and pairs of all."""

    rank: Batch
    pairs: Pairs

    def __len__(self) -> int:
        return len(self.rank) + len(self.pairs.items)


@dataclass(frozen=True, eq=False)
class PairSampler:
    """Step number → `Mixed`; depends on seed and number alone, so that training can be resumed.

    Attributes:
        ranks: draws the ranking batches; its tasks, size and share of launches hold for the pairs as well.
        events: (users, items) CSR event weights of all that is seen.
        kept: share of a history's events that a view keeps; 0: no views are made.
    """

    ranks: Sampler
    events: sp.csr_matrix
    kept: float = 0.0

    def __call__(self, step: int) -> Mixed:
        """The batch of `step`."""
        return Mixed(self.ranks(step), self.pairs(step))

    def pairs(self, step: int) -> Pairs:
        """The pairs of `step`: tasks as often as in ranking, each with its own launches."""
        draw, ranks = generator(self.ranks.seed, "pairs", str(step)), self.ranks
        numbers = draw.multinomial(ranks.size, ranks.shares)
        parts = [(t, draw.integers(0, len(t.users), n)) for t, n in zip(ranks.tasks, numbers, strict=True)]
        launch = draw.random(ranks.size) < ranks.launch
        starts = np.concatenate([[0], np.cumsum(numbers)])
        seen = [ranks.seen(t, r, launch[a:b]) for (t, r), a, b in zip(parts, starts[:-1], starts[1:], strict=True)]
        users = np.concatenate([t.active[t.users[r]] for t, r in parts])
        items = np.concatenate([t.items[r] for t, r in parts])
        home = np.repeat(np.arange(len(parts)), numbers)
        more = self._more(users, items, home, draw)
        return Pairs(
            profile=torch.from_numpy(np.vstack(seen)),
            levels=torch.from_numpy(ranks.levels[users]),
            users=users,
            items=items,
            log_q=torch.from_numpy(self.log_q[items]),
            has=torch.from_numpy(self._has(users, items)),
            more=more,
            has_more=torch.from_numpy(self._has(users, more)),
            paired=torch.from_numpy(more != items),
            views=self._views(users, draw) if self.kept else None,
        )

    @cached_property
    def log_q(self) -> Floats:
        """(items,) log of the chance that a pair has the item: Σ_t p(t) · share of the task's pairs that have it."""
        n_items, tasks = self.events.shape[1], zip(self.ranks.tasks, self.ranks.shares, strict=True)
        chance = sum(p * np.bincount(t.items, minlength=n_items) / len(t.items) for t, p in tasks)
        made: Floats = np.log(np.maximum(chance, 1e-30)).astype(np.float32)
        return made

    @cached_property
    def _listed(self) -> Bools:
        """(tasks, items) True for items of the task's domain."""
        listed = np.zeros((len(self.ranks.tasks), self.events.shape[1]), dtype=np.bool_)
        for row, task in enumerate(self.ranks.tasks):
            listed[row, task.catalogue] = True
        return listed

    def _has(self, users: Codes, items: Codes) -> Bools:
        found, place = np.unique(items, return_inverse=True)
        return among(self.events, users, found)[:, place]

    def _more(self, users: Codes, items: Codes, home: Codes, draw: np.random.Generator) -> Codes:
        """(n,) of each user an item other than items[a], of another domain where there is one; else items[a]."""
        history = self.events[users]
        row = np.repeat(np.arange(len(users)), np.diff(history.indptr))
        column = history.indices
        worth = draw.random(len(row)) + ~self._listed[home[row], column]
        worth[column == items[row]] = -1.0
        order = np.lexsort((worth, row))  # the last of each row is the one
        last = order[history.indptr[1:] - 1]
        return np.where(worth[last] >= 0, column[last], items).astype(np.int64)

    def _views(self, users: Codes, draw: np.random.Generator) -> Views:
        one, other = (thinned(self.events[users], self.kept, draw) for _ in range(2))
        profiles = self.ranks.profiles
        nothing = np.zeros((len(users), profiles.facts.shape[1] + 2), dtype=np.float32)
        return Views(*(torch.from_numpy(profiles.pair(profiles.sums(v), nothing)) for v in (one, other)))


def thinned(events: sp.csr_matrix, kept: float, draw: np.random.Generator) -> sp.csr_matrix:
    """`events` (n, items) with each event kept with chance `kept`; a row that would lose all loses none."""
    stays = draw.random(events.nnz) < kept
    row = np.repeat(np.arange(events.shape[0]), np.diff(events.indptr))
    some = np.bincount(row, stays, minlength=events.shape[0]) > 0
    stays |= ~some[row]
    ends = np.concatenate([[0], np.cumsum(stays)])[events.indptr]
    return sp.csr_matrix((events.data[stays], events.indices[stays], ends), shape=events.shape)
