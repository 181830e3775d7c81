"""Voters: whose events answer for the items of the target, and what sells among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..metrics import Bools
from ..types import Codes, Floats
from .problem import Problem


@dataclass(frozen=True, eq=False)
class Voters:
    """People who have items of the target's catalogue.

    Attributes:
        users: (n,) codes.
        bought: (n, catalogue) CSR float32 of 0 and 1: in the target, or elsewhere by those who never bought there.
        elsewhere: (n,) 0 for people of the target, 1 for the others.
        popularity: (2, catalogue) float32, share of the people of either kind who have the item; the target's is
            shrunk to the other.
    """

    users: Codes
    bought: sp.csr_matrix
    elsewhere: Codes
    popularity: Floats


def voters_of(
    problem: Problem, both: bool, prior_people: float, most: int | None = None, told: Bools | None = None
) -> Voters:
    """People of the target and, where items are shared between domains, people who have the same items elsewhere.

    Popularity in the target is shrunk to popularity elsewhere: (n p + q p') / (n + q) with n people of the target.

    Args:
        problem: what is visible.
        both: take people of other domains, too.
        prior_people: q.
        told: (users,) of whom anything is known to tell them apart by; the others do not vote.
        most: how many are taken at most: the target's first, then those with most items.
    """
    here = (problem.target_counts > 0).astype(np.float32).tocsr()
    of_target = np.diff(here.indptr) > 0
    bought = here
    if both:
        everywhere = (problem.history.counts[:, problem.catalogue] > 0).astype(np.float32)
        bought = (here + sp.diags((~of_target).astype(np.float32)) @ everywhere).tocsr()
    if told is not None:
        bought = (sp.diags(told.astype(np.float32)) @ bought).tocsr()
        bought.eliminate_zeros()
    users = _kept(bought, of_target, most)
    bought, elsewhere = bought[users], (~of_target[users]).astype(np.int64)
    home, abroad = (np.asarray(bought[elsewhere == g].sum(axis=0)).ravel() for g in (0, 1))
    others = int(elsewhere.sum())
    abroad = abroad / max(others, 1)
    pull = prior_people if others else 0.0
    home = (home + pull * abroad) / max(len(users) - others + pull, 1e-9)
    return Voters(users, bought, elsewhere, np.stack([home, abroad]).astype(np.float32))


def _kept(bought: sp.csr_matrix, of_target: Bools, most: int | None) -> Codes:
    """Sorted rows of `bought` with events, `most` of them: the target's first, then the fullest."""
    number = np.diff(bought.indptr)
    users = np.flatnonzero(number).astype(np.int64)
    order = np.lexsort((-number[users], ~of_target[users]))
    return np.sort(users[order[:most]])
