"""Twins: one product filed in two domains, which leaks the answer from one to the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..types import Codes
from .world import World

MIN_USERS = 3
MIN_JACCARD = 0.8


def twin_pairs(world: World, domain: str, other: str, items: Codes) -> sp.csr_matrix:
    """Which of `items` in `domain` have which twins in `other`.

    Two items are twins when they have at least 3 users in common and the Jaccard of their user sets is at
    least 0.8, over all rows of the people that both domains share. An id listed in both domains is its own
    twin.

    Args:
        world: all rows, whatever the split, as twins are a property of the data and train nothing.
        domain: where `items` are.
        other: where twins are looked for.
        items: (n,) item codes.

    Returns:
        (n, world items) CSR bool.
    """
    here, there = _holders(world, domain), _holders(world, other)
    shared = np.intersect1d(here["user"].unique(), there["user"].unique())
    return twins(
        _matrix(here, shared, world.n_items)[:, items],
        _matrix(there, shared, world.n_items),
        items,
    )


def twins(a: sp.csc_matrix, b: sp.csc_matrix, items: Codes) -> sp.csr_matrix:
    """`twin_pairs` of columns: which of `items` are twins of which columns of `b`.

    Args:
        a: (people, n) CSC of 0 and 1, who has which of `items` in one domain.
        b: (people, world items) CSC, the same people in the other.
        items: (n,) item codes: column of `b` that is the same item.

    Returns:
        (n, world items) CSR bool.
    """
    size_a, size_b = _sizes(a), _sizes(b)
    same = sp.csr_matrix((np.ones(len(items)), (np.arange(len(items)), items)), shape=(len(items), b.shape[1]))
    own = same @ sp.diags((size_b > 0).astype(np.float64))
    # Items with fewer users than needed cannot be twins: leaving them out keeps the product small.
    common = ((a @ sp.diags((size_a >= MIN_USERS) * 1.0)).T @ (b @ sp.diags((size_b >= MIN_USERS) * 1.0))).tocoo()
    union = size_a[common.row] + size_b[common.col] - common.data
    keep = (common.data >= MIN_USERS) & (common.data >= MIN_JACCARD * union - 1e-9)
    found = sp.csr_matrix((np.ones(keep.sum()), (common.row[keep], common.col[keep])), shape=common.shape)
    return ((found + own) > 0).tocsr()


def remembering(world: World, domain: str) -> Callable[[str, Codes], sp.csr_matrix]:
    """``(other, items)`` → `twin_pairs`, found once for equal arguments."""
    found: dict[tuple[str, bytes], sp.csr_matrix] = {}

    def find(other: str, items: Codes) -> sp.csr_matrix:
        key = (other, items.tobytes())
        if key not in found:
            found[key] = twin_pairs(world, domain, other, items)
        return found[key]

    return find


def _holders(world: World, domain: str) -> pl.DataFrame:
    code = world.domain_code(domain)
    return world.interactions.filter(pl.col("domain") == code).select("user", "item").unique()


def _matrix(pairs: pl.DataFrame, users: Codes, n_items: int) -> sp.csc_matrix:
    user = pairs["user"].to_numpy()
    place = np.searchsorted(users, user)
    keep = place < len(users)
    keep[keep] = users[place[keep]] == user[keep]
    item = pairs["item"].to_numpy()
    index = (place[keep], item[keep])
    return sp.coo_matrix((np.ones(keep.sum()), index), shape=(len(users), n_items)).tocsc()


def _sizes(matrix: sp.csc_matrix) -> Codes:
    sizes: Codes = np.diff(matrix.indptr).astype(np.int64)
    return sizes
