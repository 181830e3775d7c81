"""Neighbours by co-purchase: which items the same people have, whatever the method that recommends."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import scipy.sparse as sp

from .index import Top, top_k
from .types import Codes, Floats, History


class Reason(TypedDict):
    """An item of the user's history that people have together with a recommended one (cosine, 0 to 1)."""

    item_id: str
    title: str | None
    cosine: float


def buyers_of(history: History) -> sp.csr_matrix:
    """(item codes, users) CSR float32: 1 where the user had the item."""
    buyers = history.counts.T.tocsr()
    buyers.data = np.ones(buyers.nnz, dtype=np.float32)
    return buyers


def cosines(buyers: sp.csr_matrix, asked: Codes, others: Codes) -> Floats:
    """(asked, others) cosine between rows of `buyers` (items, users): |both| / √(|one| · |other|)."""
    common = (buyers[others] @ buyers[asked].T.toarray()).T
    people = np.maximum(np.diff(buyers.indptr), 1).astype(np.float32)
    found: Floats = common / np.sqrt(people[asked][:, None] * people[others])
    return found


def bought_together(buyers: sp.csr_matrix, asked: Codes, others: Codes, n: int) -> Top:
    """For each of `asked` (item codes, −1 unknown) its n closest among `others`, itself and strangers left out."""
    found = cosines(buyers, np.maximum(asked, 0), others)
    found[(asked[:, None] < 0) | (asked[:, None] == others) | (found == 0)] = -np.inf
    return top_k(found, n)
