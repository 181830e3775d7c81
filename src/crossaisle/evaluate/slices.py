"""Slices: whom and what a Problem asks about, and the per-user values of a scorer on every slice.

| slice | ranked | relevant |
|---|---|---|
| ``all`` | whole catalogue | test items |
| ``repeat`` | whole catalogue | test items the user had before |
| ``new`` | without the items the user had before | test items not had before |
| ``head``, ``middle``, ``tail`` | as ``new`` | those of ``new`` by popularity before the cut |
| ``cold_item`` | as ``new`` | those of ``new`` that nobody visibly bought |
| ``cold_user``, ``warm_user`` | as ``new`` | those of ``new``, users without / with visible target events |
| ``twin_free`` | as ``new`` | those of ``new`` without a twin that the user visibly holds in a source |

*Before* means in the target in any row of train, valid or hidden: what the split hides is hidden from
methods, not from the judge. Head items are the most popular ones that together have the first 50 % of these
rows, middle the next 30 %, tail the rest and the items without any row. Test rows of items outside the
catalogue are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.twins import twin_pairs
from ..errors import TrainingError
from ..metrics import RANKING, Doubles, Numbers, hits_of, top_k
from ..transfer.problem import Problem, count_matrix
from ..types import Codes, Floats, History

HEAD, MIDDLE = 0.5, 0.8
RANKED_WHOLE = ("all", "repeat")
SLICES = (
    "all", "repeat", "new", "head", "middle", "tail", "cold_item", "cold_user", "warm_user", "twin_free"
)  # fmt: skip


@dataclass(frozen=True)
class Slices:
    """The evaluation sets of one Problem, made once and shared by all methods.

    Attributes:
        users: (n,) sorted codes of the users with test rows in the target.
        had: (n, catalogue) CSR bool; what each had in the target before the cut.
        relevant: slice → (n, catalogue) CSR bool; users without relevant items are not part of the slice.
        outside: number of test pairs whose item is not in the catalogue.
    """

    users: Codes
    had: sp.csr_matrix
    relevant: Mapping[str, sp.csr_matrix]
    outside: int = 0


@dataclass(frozen=True)
class UserValues:
    """One metric of one slice: `values` (n,) float64 for the users with codes `users` (n,), sorted."""

    users: Codes
    values: Doubles


Key = tuple[str, str, int]
"""(slice, metric, k)."""


Twins = Callable[[str, Codes], sp.csr_matrix]
"""(source domain, item codes of the target) → (items, world items) bool, as `twin_pairs` gives it."""


def slices_of(problem: Problem, twins: Twins | None = None) -> Slices:
    """All evaluation sets of `problem`; nothing else but the splits reads `split.test` and `split.hidden`.

    Args:
        problem: what is asked.
        twins: finds twins; give one that remembers when several problems of one target are judged.
    """
    find = twins if twins is not None else partial(twin_pairs, problem.world, problem.target)
    split, code = problem.split, problem.domain_codes[-1]
    test = _of(split.test, code)
    users = np.unique(test["user"].to_numpy()).astype(np.int64)
    asked = _pairs(test, users, problem)
    had = sum((_pairs(_of(rows, code), users, problem) for rows in (split.train, split.valid, split.hidden)),
              start=sp.csr_matrix(asked.shape))  # fmt: skip
    repeat = asked.multiply(had > 0)
    new = asked - repeat
    visible = _item_counts(problem, (split.train,))
    before = _item_counts(problem, (split.train, split.valid, split.hidden))
    head, middle = popularity_parts(before)
    warm = np.isin(users, problem.target_rows["user"].to_numpy())
    relevant = {
        "all": asked,
        "repeat": repeat,
        "new": new,
        "head": new @ _diagonal(head),
        "middle": new @ _diagonal(middle),
        "tail": new @ _diagonal(~head & ~middle),
        "cold_item": new @ _diagonal(visible == 0),
        "cold_user": _diagonal(~warm) @ new,
        "warm_user": _diagonal(warm) @ new,
        "twin_free": new - _twins_held(problem, users, new, find),
    }
    outside = test.select("user", "item").unique().height - int(asked.nnz)
    return Slices(users, _bool(had), {name: _bool(rows) for name, rows in relevant.items()}, outside)


def popularity_parts(counts: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """(head, middle): bool masks (items,) of the items with the first 50 % and the next 30 % of `counts`."""
    order = np.argsort(-counts, kind="stable")
    total = max(counts.sum(), 1)
    already = np.empty(len(counts))
    already[order] = (np.cumsum(counts[order]) - counts[order]) / total
    sold = counts > 0
    head = sold & (already < HEAD)
    return head, sold & ~head & (already < MIDDLE)


def rank_users(
    score: Callable[[History], Floats], problem: Problem, slices: Slices, k: int = 10, block: int = 512
) -> dict[str, Codes]:
    """Rank the catalogue for every test user.

    Args:
        score: history of n users → (n, catalogue) scores.
        problem: gives the histories; its test rows are not touched here.
        slices: from `slices_of`.
        k: places kept.
        block: users scored at a time.

    Returns:
        ``{"all": (users, k), "new": (users, k)}`` catalogue columns, −1 where nothing is left to rank.

    Raises:
        TrainingError: when a score is not a number.
    """
    found: dict[str, list[Codes]] = {"all": [], "new": []}
    for start in range(0, len(slices.users), block):
        scores = np.array(score(problem.history_for(slices.users[start : start + block])), copy=True)
        if np.isnan(scores).any():
            raise TrainingError(
                "a method gave scores that are not numbers (NaN); lower its learning rate or report it."
            )
        found["all"].append(top_k(scores, k))
        rows, columns = slices.had[start : start + block].nonzero()
        scores[rows, columns] = -np.inf
        found["new"].append(top_k(scores, k))
    width = min(k, len(problem.catalogue))
    return {n: np.concatenate(parts) if parts else np.zeros((0, width), np.int64) for n, parts in found.items()}


def values_of(
    ranked: Mapping[str, Codes],
    slices: Slices,
    ks: Sequence[int] = (10,),
    metrics: Sequence[str] = ("ndcg", "recall"),
) -> dict[Key, UserValues]:
    """Per-user values of every slice, metric and k from `rank_users`' rankings; without empty slices."""
    values: dict[Key, UserValues] = {}
    for name, relevant in slices.relevant.items():
        number = np.diff(relevant.indptr)
        asked = np.flatnonzero(number)
        if not len(asked):
            continue
        places = ranked["all" if name in RANKED_WHOLE else "new"]
        hits = hits_of(places, relevant)[asked]
        for metric in metrics:
            for k in ks:
                values[name, metric, k] = UserValues(slices.users[asked], RANKING[metric](hits, number[asked], k))
    return values


def evaluate_users(
    score: Callable[[History], Floats],
    problem: Problem,
    ks: Sequence[int] = (10,),
    metrics: Sequence[str] = ("ndcg", "recall"),
    block: int = 512,
    slices: Slices | None = None,
) -> dict[Key, UserValues]:
    """Score all test users and give the per-user values of every slice.

    Args:
        score: history of n users → (n, catalogue) scores, for example ``recommender.scorer.score``.
        problem: what is asked.
        ks: cut-offs.
        metrics: names in `crossaisle.metrics.RANKING`.
        block: users scored at a time.
        slices: from `slices_of(problem)`; give it when several methods are judged on one problem.

    Returns:
        (slice, metric, k) → users and values.

    Raises:
        TrainingError: when a score is not a number.
    """
    sets = slices if slices is not None else slices_of(problem)
    return values_of(rank_users(score, problem, sets, max(ks), block), sets, ks, metrics)


def _of(rows: pl.DataFrame, domain: int) -> pl.DataFrame:
    return rows.filter(pl.col("domain") == domain)


def _pairs(rows: pl.DataFrame, users: Codes, problem: Problem) -> sp.csr_matrix:
    """(users, catalogue) CSR of ones where a row pairs them; other users and items are left out."""
    kept = rows.select("user", "item").unique().filter(pl.col("user").is_in(users.tolist()))
    return count_matrix(kept, problem.world.n_users, problem.world.n_items)[users][:, problem.catalogue]


def _item_counts(problem: Problem, parts: Sequence[pl.DataFrame]) -> Codes:
    counts = np.zeros(problem.world.n_items, dtype=np.int64)
    for rows in parts:
        items = _of(rows, problem.domain_codes[-1])["item"].to_numpy()
        counts += np.bincount(items, minlength=len(counts))
    return counts[problem.catalogue]


def _twins_held(problem: Problem, users: Codes, relevant: sp.csr_matrix, find: Twins) -> sp.csr_matrix:
    """Those pairs of `relevant` whose item has a twin that the user visibly holds in a source domain."""
    relevant = relevant.tocsr().copy()
    relevant.eliminate_zeros()
    columns = np.unique(relevant.indices)
    held = sp.csr_matrix(relevant.shape)
    widen = sp.csr_matrix(
        (np.ones(len(columns)), (np.arange(len(columns)), columns)), (len(columns), relevant.shape[1])
    )
    for source in problem.sources:
        twins = find(source, problem.catalogue[columns])
        if twins.nnz == 0:
            continue
        rows = _of(problem.visible, problem.world.domain_code(source))
        owned = count_matrix(rows, problem.world.n_users, problem.world.n_items)[users]
        held = held + (owned @ twins.T.astype(np.float32)) @ widen
    return relevant.multiply(held > 0).tocsr()


def _diagonal(mask: np.ndarray) -> sp.csr_matrix:
    return sp.diags(np.asarray(mask, dtype=np.float32)).tocsr()


def _bool(matrix: sp.csr_matrix) -> sp.csr_matrix:
    made = sp.csr_matrix(matrix)
    made.eliminate_zeros()
    made.sort_indices()
    return made.astype(np.bool_)
