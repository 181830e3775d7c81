"""Batches for networks that read a person's whole row of items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..rng import generator


@dataclass(frozen=True)
class RowBatch:
    """One step's people: `rows` (n, items) float32, and the interactions in them."""

    rows: Tensor
    interactions: int

    def __len__(self) -> int:
        return self.interactions


@dataclass(frozen=True, eq=False)
class RowSampler:
    """Step number → `RowBatch`, everybody once an epoch; depends on seed and number alone.

    Attributes:
        rows: (people, items) CSR float32.
        seed: of the order.
        size: people a step (memory: size × items), fewer where there are not as many.
    """

    rows: sp.csr_matrix
    seed: int
    size: int

    def __call__(self, step: int) -> RowBatch:
        """The batch of `step`, counted from 1; where an epoch ends within it, the next one begins."""
        people = self.rows.shape[0]
        size = min(self.size, people)
        places = np.arange((step - 1) * size, step * size)
        epochs, within = np.divmod(places, people)
        orders = {e: generator(self.seed, "rows", str(e)).permutation(people) for e in np.unique(epochs)}
        chosen = [int(orders[e][w]) for e, w in zip(epochs, within, strict=True)]
        rows = self.rows[chosen]
        return RowBatch(torch.from_numpy(rows.toarray().astype(np.float32, copy=False)), rows.nnz)
