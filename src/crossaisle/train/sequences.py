"""Batches of sequences: what people of one domain met, in order, what came next, and drawn negatives of the domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from ..rng import generator
from ..types import Codes, History


@dataclass(frozen=True)
class SequenceBatch:
    """One step's sequences; what is to be found in them is all of one domain.

    Attributes:
        items: (m,) item codes whose vectors are needed.
        sequences: (n, l) places in `items`, the latest last; filled at the right with any place.
        at: (k,) places in (n, l + 1), row by row: after so many items came something of the domain.
        positive: (k,) places in `items` of what came next.
        negatives: (j,) places in `items` of what was drawn.
        excluded: (k, j) True where a drawn item is no negative for that person: the person has it.
    """

    items: Codes
    sequences: Tensor
    at: Tensor
    positive: Tensor
    negatives: Tensor
    excluded: Tensor

    def __len__(self) -> int:
        return len(self.positive)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Items of n people in order.

    Attributes:
        items: (n, l) item codes, the latest last; 0 fills at the right.
        number: (n,) how many of a row are items.
    """

    items: Codes
    number: Codes

    @classmethod
    def of(cls, history: History, read: npt.NDArray[np.bool_], length: int) -> Sequences:
        """The latest `length` items of each person, of those where `read` (items,); ties in age by item code."""
        counts = history.counts
        rows = np.repeat(np.arange(len(history)), np.diff(counts.indptr))
        kept = np.flatnonzero(read[counts.indices])
        order = kept[np.lexsort((counts.indices[kept], -history.ages[kept], rows[kept]))]
        whole = np.bincount(rows[order], minlength=len(history))
        place = np.arange(len(order)) - np.repeat(np.cumsum(whole) - whole, whole)
        number = np.minimum(whole, length)
        place = place - (whole - number)[rows[order]]  # what is too old gets a place below 0
        late = place >= 0
        items = np.zeros((len(history), max(int(number.max(initial=0)), 1)), dtype=np.int64)
        items[rows[order][late], place[late]] = counts.indices[order][late]
        return cls(items, number)

    def take(self, rows: Codes) -> Sequences:
        """The given `rows`, no wider than the longest of them."""
        number = self.number[rows]
        return Sequences(self.items[rows, : max(int(number.max(initial=0)), 1)], number)

    def among(self, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """(n, l) True where an item stands that is `inside` (items,)."""
        there = np.arange(self.items.shape[1])[None, :] < self.number[:, None]
        return np.asarray(there & inside[self.items])


@dataclass(frozen=True, eq=False)
class DomainData:
    """What is to be found in one domain.

    Attributes:
        rows: (a,) rows of the sequences with something to find.
        pairs: how many there are to find.
        inside: (items,) True for items that were sold in the domain.
        sold: (m,) their codes; negatives are drawn of these, since what nobody could buy yet was not passed over.
    """

    rows: Codes
    pairs: int
    inside: npt.NDArray[np.bool_]
    sold: Codes

    @classmethod
    def of(cls, sequences: Sequences, sold: Codes, n_items: int) -> DomainData:
        """What `sequences` have to find among the item codes `sold`."""
        inside = np.zeros(n_items, dtype=np.bool_)
        inside[sold] = True
        found = sequences.among(inside)
        return cls(np.flatnonzero(found.any(axis=1)), int(found.sum()), inside, sold)


@dataclass(frozen=True, eq=False)
class SequenceSampler:
    """Step number → `SequenceBatch`; depends on seed and number alone, so that training can be resumed.

    Attributes:
        sequences: of all people.
        met: (people, items) CSR; what a person has is never a negative.
        domains: with something to find; a domain comes as often as the root of how much that is.
        seed: of the draws.
        size: people a step.
        negatives: items drawn a step; all that are sold where that is not more.
    """

    sequences: Sequences
    met: sp.csr_matrix
    domains: tuple[DomainData, ...]
    seed: int
    size: int
    negatives: int

    def __call__(self, step: int) -> SequenceBatch:
        """The batch of `step`."""
        draw = generator(self.seed, "sequences", str(step))
        weights = np.sqrt([d.pairs for d in self.domains])
        data = self.domains[int(draw.choice(len(self.domains), p=weights / weights.sum()))]
        rows = draw.choice(data.rows, min(self.size, len(data.rows)), replace=False)
        drawn = data.sold
        if len(drawn) > self.negatives:
            drawn = draw.choice(drawn, self.negatives, replace=False)
        return self.batch(data, rows, drawn)

    def batch(self, data: DomainData, rows: Codes, drawn: Codes) -> SequenceBatch:
        """The batch of the people `rows` against the items `drawn`."""
        chosen = self.sequences.take(rows)
        row, column = chosen.among(data.inside).nonzero()
        width = chosen.items.shape[1]
        items, place = np.unique(np.concatenate([chosen.items.ravel(), drawn]), return_inverse=True)
        placed = place[: chosen.items.size].reshape(chosen.items.shape)
        has = self.met[rows][:, drawn].toarray() > 0
        return SequenceBatch(
            items,
            torch.from_numpy(placed[:, :-1].copy()),
            torch.from_numpy(row * width + column),
            torch.from_numpy(placed[row, column]),
            torch.from_numpy(place[chosen.items.size :]),
            torch.from_numpy(has[row]),
        )
