"""People folded in: parts of one history, which share their items, get the vectors that each gets alone."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from crossaisle.rng import generator
from crossaisle.transfer.folding import fold_in

ALPHA, PENALTY = 3.0, 0.5


def parts_of_one(items: int, factors: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """(40, items) random halves of one history of 60 items, the last of them empty; (items, factors) vectors."""
    draw = generator(0, "parts")
    users = np.zeros((40, items), dtype=np.float32)
    users[:, draw.choice(items, 60, replace=False)] = draw.random(60) + 0.5
    users *= draw.random(users.shape) < 0.5
    users[-1] = 0
    return sp.csr_matrix(users), draw.normal(size=(items, factors)).astype(np.float32)


@pytest.mark.parametrize("factors", [5, 40])
@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_parts_of_one_history_solve_their_own_equations(factors: int, strength: float) -> None:
    users, vectors = parts_of_one(300, factors)
    mean = generator(0, "mean").normal(size=(40, factors)).astype(np.float32) if strength else None
    found = fold_in(users, vectors, ALPHA, PENALTY, mean, strength)
    item = vectors.astype(np.float64)
    ground = item.T @ item + PENALTY * np.eye(factors)
    for row, trust in enumerate(ALPHA * users.toarray().astype(np.float64)):
        had = trust > 0
        system = (1 + strength) * ground + (item[had].T * (trust[had] - 1.0)) @ item[had]
        right = trust @ item + (0.0 if mean is None else strength * mean[row].astype(np.float64) @ ground)
        assert found[row] == pytest.approx(np.linalg.solve(system, right), rel=1e-4, abs=1e-6)


def test_a_person_among_parts_is_the_person_alone() -> None:
    users, vectors = parts_of_one(300, 5)
    together = fold_in(users, vectors, ALPHA, PENALTY)
    alone = np.vstack([fold_in(users[row], vectors, ALPHA, PENALTY) for row in range(40)])
    assert together == pytest.approx(alone, rel=1e-5, abs=1e-7)
    assert not together[-1].any()
