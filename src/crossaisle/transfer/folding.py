"""People folded into a factorisation: their vectors, solved from their events for given item vectors."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..metrics import Doubles, Numbers
from ..types import Codes, Floats

FOLD_BLOCK = 256
_FEW_FACTORS = 32
"""Up to so many factors systems of people who share their items are written down and solved outright."""
_PRECISE = 1e-16
"""Conjugate gradients end where the squared error is this share of the solution's size."""


def fold_in(
    users: sp.csr_matrix,
    factors: Floats,
    alpha: float,
    regularization: float,
    mean: Floats | None = None,
    strength: float = 0.0,
) -> Floats:
    """User vectors that minimise the ALS loss for given item vectors (Hu et al. 2008, eq. 4).

    (VᵀV + λI + Σ_i (α w_ui − 1) v_i v_iᵀ) x_u = Σ_i α w_ui v_i, by conjugate gradients for all users at once.
    Preconditioned with the part that all share, a user with m items needs at most m + 1 steps.

    With a `mean` m_u the loss has one more term, κ (x_u − m_u)ᵀ G (x_u − m_u) with G = VᵀV + λI: how far the scores of
    x_u over all items are from those of m_u. The first G is then (1 + κ) G, and κ G m_u is added on the right. Without
    events x_u = κ / (1 + κ) m_u, which ranks as m_u does.

    Args:
        users: (n, p) CSR weights; empty rows without a mean give zero vectors.
        factors: (p, f) item vectors.
        alpha: confidence of weight w is alpha·w.
        regularization: λ.
        mean: (n, f) vectors that are expected before any event is seen.
        strength: κ; 1: the mean says as much as that the user has none of all the items.

    Returns:
        (n, f) float32.
    """
    found = np.zeros((users.shape[0], factors.shape[1]), dtype=np.float32)
    item = factors.astype(np.float64)
    ground = item.T @ item + regularization * np.eye(item.shape[1])
    pull = None if mean is None else strength * (mean.astype(np.float64) @ ground)
    ground = ground if mean is None else (1 + strength) * ground
    inverse = np.asarray(np.linalg.inv(ground), dtype=np.float64)
    for start in range(0, users.shape[0], FOLD_BLOCK):
        part = slice(start, start + FOLD_BLOCK)
        block = (users[part].astype(np.float64) * alpha).tocsr()
        right = np.asarray(block @ item) + (0.0 if pull is None else pull[part])
        found[part] = (
            _outright(block, right, item, ground)
            if _share_items(block, item.shape[1])
            else _solved(block, right, item, ground, inverse)
        )
    return found


def fold_in_parts(weights: Numbers, rows: Codes, factors: Floats, regularization: float, wanted: Doubles) -> Doubles:
    """What each event adds to ``wanted · x_u`` with x_u of `fold_in` (Hu et al. 2008, section 5).

    The system W = VᵀV + λI + Σ_i (α w_ui − 1) v_i v_iᵀ taken as given, x_u = Σ_i α w_ui W⁻¹ v_i is a sum over events.

    Args:
        weights: (k,) confidences α w_ui.
        rows: (k,) of `factors`, the items of the events.
        factors: (p, f) item vectors.
        regularization: λ.
        wanted: (m, f) what user vectors are multiplied by.

    Returns:
        (m, k).
    """
    item, near = factors.astype(np.float64), factors[rows].astype(np.float64)
    system = item.T @ item + regularization * np.eye(item.shape[1]) + (near.T * (weights - 1.0)) @ near
    parts: Doubles = np.linalg.solve(system, wanted.T).T @ near.T * weights
    return parts


def _share_items(weights: sp.csr_matrix, factors: int) -> bool:
    """Whether several people have each a quarter of what any of them has: parts of one history, to explain it."""
    people, kinds = weights.shape[0], len(_kinds(weights))
    return people > 1 and factors <= _FEW_FACTORS < kinds and 4 * weights.nnz >= people * kinds


def _kinds(weights: sp.csr_matrix) -> Codes:
    return np.flatnonzero(np.bincount(weights.indices, minlength=weights.shape[1]))


def _outright(weights: sp.csr_matrix, right: Doubles, item: Doubles, ground: Doubles) -> Doubles:
    """As `_solved`; what an item adds to a system, v vᵀ, is written down once and summed for all in one product."""
    kinds = _kinds(weights)
    extra = sp.csr_matrix((weights.data - 1.0, weights.indices, weights.indptr), weights.shape)[:, kinds].toarray()
    upper = np.triu_indices(item.shape[1])
    near = item[kinds]
    systems = np.empty((len(right), *ground.shape))
    systems[:, upper[0], upper[1]] = extra @ (near[:, upper[0]] * near[:, upper[1]])
    systems[:, upper[1], upper[0]] = systems[:, upper[0], upper[1]]
    found: Doubles = np.asarray(np.linalg.solve(systems + ground, right[:, :, None])[:, :, 0], dtype=np.float64)
    return found


def _solved(weights: sp.csr_matrix, right: Doubles, item: Doubles, ground: Doubles, inverse: Doubles) -> Doubles:
    """(n, f) solutions for users with confidences `weights` (n, p) and right-hand sides `right` (n, f)."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    columns, extra = weights.indices, weights.data - 1.0
    near = item[columns]

    def left(x: Doubles) -> Doubles:
        inner = np.einsum("kf,kf->k", x[rows], near)
        pulled = sp.csr_matrix((extra * inner, columns, weights.indptr), weights.shape)
        return np.asarray(x @ ground + pulled @ item)

    x = right @ inverse
    residual = right - left(x)
    direction = ready = residual @ inverse
    worth = (residual * ready).sum(axis=1)
    limit = _PRECISE * np.maximum((right * x).sum(axis=1), 1e-300)
    for _ in range(int(np.diff(weights.indptr).max(initial=0)) + 1):
        open_rows = np.abs(worth) > limit
        if not open_rows.any():
            break
        pushed = left(direction)
        step = np.where(open_rows, worth / np.maximum((direction * pushed).sum(axis=1), 1e-300), 0.0)[:, None]
        x, residual = x + step * direction, residual - step * pushed
        ready = residual @ inverse
        fresh = (residual * ready).sum(axis=1)
        direction = ready + (fresh / np.maximum(worth, 1e-300))[:, None] * direction
        worth = fresh
    return x
