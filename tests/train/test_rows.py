"""Batches of rows: everybody once an epoch, by the number of the step alone."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from crossaisle.train.rows import RowSampler

ROWS = sp.csr_matrix(np.diag(np.arange(1, 8)).astype(np.float32))


def test_everybody_comes_once_an_epoch() -> None:
    sampler = RowSampler(ROWS, 3, 2)
    seen = np.concatenate([sampler(s).rows.numpy().max(axis=1) for s in range(1, 8)])  # 14 rows: two epochs
    assert sorted(seen[:7]) == list(range(1, 8)) == sorted(seen[7:])
    assert list(seen[:7]) != list(seen[7:])


def test_a_step_depends_on_its_number_alone() -> None:
    there = RowSampler(ROWS, 3, 4)(5).rows
    assert np.array_equal(RowSampler(ROWS, 3, 4)(5).rows, there)
    assert not np.array_equal(RowSampler(ROWS, 4, 4)(5).rows, there)


def test_a_batch_larger_than_all_is_everybody() -> None:
    batch = RowSampler(ROWS, 0, 100)(3)
    assert len(batch) == 7
    assert sorted(batch.rows.numpy().max(axis=1)) == list(range(1, 8))
