"""Factors: users and items as short vectors, from interactions alone and in closed form, sweep by sweep."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp

from ..types import Floats

_EXACT = 32
"""Longer vectors are trained by conjugate gradients, three steps a sweep (Takács et al. 2011)."""


def factorised(
    users: sp.csr_matrix, factors: int, alpha: float, regularization: float, iterations: int, state: int
) -> tuple[Floats, Floats]:
    """Vectors (users, factors) and (items, factors) float32 of `users` (n, items) by `implicit` (Hu et al. 2008).

    Threads share the rows, each of which is solved alone: their number (OMP_NUM_THREADS) does not change the outcome.

    Args:
        users: (n, items) CSR event weights.
        factors: length of the vectors.
        alpha: confidence of an event is alpha × its weight, of a non-event 1.
        regularization: L2 penalty on the vectors.
        iterations: sweeps over users and items.
        state: of the first vectors.
    """
    from implicit.cpu.als import AlternatingLeastSquares

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # implicit advises on BLAS threads, which are the caller's to set
        model = AlternatingLeastSquares(
            factors=factors,
            alpha=alpha,
            regularization=regularization,
            iterations=iterations,
            num_threads=0,  # as many as OMP_NUM_THREADS allows
            random_state=state,
            use_cg=factors > _EXACT,
        )
        model.fit(users.astype(np.float32), show_progress=False)
    made = (np.ascontiguousarray(f, dtype=np.float32) for f in (model.user_factors, model.item_factors))
    people, items = made
    return people, items
