"""Swing: two items are alike when pairs of people who have both have little else in common."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..types import Codes

BLOCK = 512
"""People who are paired with all others at once (memory: 12 bytes × block × people at most)."""


def swing(users: sp.csr_matrix, catalogue: Codes, alpha: float) -> sp.csr_matrix:
    """Similarities S_ij = Σ over pairs of people u ≠ v who both have i and j of w_u w_v / (α + |I_u ∩ I_v|).

    Yang et al. 2020, Large Scale Product Graph Construction for Recommendation in E-commerce, arXiv:2010.05525;
    w_u = 1 / √|I_u|. Each pair counts once. A pair with fewer than two common items adds nothing, so S = Pᵀ K P with a
    row of P for every other pair, 1 at the items they have in common, and K the diagonal of their weights: no loop over
    people or items. Time grows with the number of such pairs, which is the square of an item's number of people.

    Args:
        users: (n, world items) CSR; stored values count as 1.
        catalogue: (c,) item codes.
        alpha: α ≥ 0; more levels out how much pairs of few and of many common items count.

    Returns:
        (c, world items) CSR float32; an item's similarity to itself is left in.
    """
    has = sp.csr_matrix((np.ones(users.nnz, dtype=np.float32), users.indices, users.indptr), users.shape)
    has = has[np.diff(has.indptr) > 1]
    weight = np.maximum(np.diff(has.indptr), 1.0) ** -0.5
    people = has.T.tocsr()
    total = sp.csr_matrix((len(catalogue), has.shape[1]), dtype=np.float32)
    for start in range(0, has.shape[0], BLOCK):
        common = sp.triu(has[start : start + BLOCK] @ people, k=start + 1).tocoo()
        pair = common.data > 1
        u, v, number = common.row[pair] + start, common.col[pair], common.data[pair]
        both = has[u].multiply(has[v]).tocsr()
        pairs = sp.diags((weight[u] * weight[v] / (alpha + number)).astype(np.float32))
        total = total + both[:, catalogue].T.tocsr() @ (pairs @ both)
    return total.tocsr()
