"""Ranking, click and exposure metrics: pure functions that give per-user arrays; `evaluate` aggregates.

Ranking metrics take ``hits`` (n users, width) bool, whether the item at each place of the ranking is
relevant, best place first, and ``relevant`` (n,), how many relevant items each user has. A user without
relevant items gets NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .types import Codes
from .types import Doubles as Doubles

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]


def top_k(scores: Numbers, k: int) -> Codes:
    """Columns of the k best scores of each row, best first; equal scores stand in column order.

    Args:
        scores: (n, m) numbers, none NaN; −inf marks what may not be ranked.
        k: places; more than m places are cut to m.

    Returns:
        (n, min(k, m)) column numbers, −1 where a row has nothing left that may be ranked.
    """
    n, m = scores.shape
    k = min(k, m)
    if n == 0 or k == 0:
        return np.zeros((n, k), dtype=np.int64)
    worst = np.partition(scores, m - k, axis=1)[:, m - k : m - k + 1]
    kept, level = scores > worst, scores == worst
    room = k - kept.sum(axis=1)
    tied = level.sum(axis=1) > room
    level[tied] &= np.cumsum(level[tied], axis=1, dtype=np.int32) <= room[tied, None]
    found = np.nonzero(kept | level)[1].reshape(n, k)
    values = np.take_along_axis(scores, found, axis=1)
    found = np.take_along_axis(found, np.lexsort((found, -values), axis=1), axis=1)
    return np.where(np.isneginf(np.take_along_axis(scores, found, axis=1)), -1, found).astype(np.int64)


def hits_of(ranked: Codes, relevant: sp.csr_matrix) -> Bools:
    """Whether each ranked item is relevant.

    Args:
        ranked: (n, k) columns of `relevant`; −1 is never a hit.
        relevant: (n, m) CSR; a stored non-zero marks a relevant item.

    Returns:
        (n, k) bool.
    """
    n, m = relevant.shape
    rows, columns = relevant.nonzero()
    wanted = np.sort(rows.astype(np.int64) * m + columns)
    if not len(wanted):
        return np.zeros(ranked.shape, dtype=np.bool_)
    asked = np.arange(n, dtype=np.int64)[:, None] * m + ranked
    place = np.minimum(np.searchsorted(wanted, asked), len(wanted) - 1)
    found: Bools = (wanted[place] == asked) & (ranked >= 0)
    return found


def ndcg(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """nDCG@k, binary relevance: Σ 1/log2(place+1) over hits, by that of min(k, relevant) hits on top."""
    top = hits[:, :k]
    return _ratio(top @ _discount(k)[: top.shape[1]], ideal_dcg(relevant, k))


def ideal_dcg(relevant: Numbers, k: int) -> Doubles:
    """Σ 1/log2(place+1) of min(k, relevant) hits on top: what nDCG@k is divided by."""
    return np.asarray(np.concatenate([[0.0], np.cumsum(_discount(k))])[np.minimum(relevant, k).astype(np.int64)])


def _discount(k: int) -> Doubles:
    return 1.0 / np.log2(np.arange(2, max(k, 1) + 2))


def recall(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """Recall@k: share of the relevant items that stand in the first k places."""
    return _ratio(hits[:, :k].sum(axis=1), relevant)


def precision(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """Precision@k: hits in the first k places divided by k."""
    return _ratio(hits[:, :k].sum(axis=1), np.where(relevant > 0, k, 0))


def hit(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """Hit@k: 1 when any relevant item stands in the first k places, else 0."""
    return _ratio(hits[:, :k].any(axis=1), relevant > 0)


def mrr(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """MRR@k: 1/place of the first hit, 0 beyond k."""
    top = hits[:, :k]
    first = np.where(top.any(axis=1), 1.0 / (top.argmax(axis=1) + 1.0) if top.shape[1] else 0.0, 0.0)
    return _ratio(first, relevant > 0)


def average_precision(hits: Bools, relevant: Numbers, k: int) -> Doubles:
    """AP@k: mean of precision at each hit's place, divided by min(k, relevant); MAP@k is its mean."""
    top = hits[:, :k]
    at_place = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    return _ratio((at_place * top).sum(axis=1), np.minimum(relevant, k))


def place_of(wanted: Numbers, others: Numbers) -> Doubles:
    """(n,) places from 1 of scores `wanted` (n,) among `others` (n, m); a tie counts half a place."""
    mine = wanted[:, None]
    above, alike = np.count_nonzero(others > mine, axis=1), np.count_nonzero(others == mine, axis=1)
    return np.asarray(1.0 + above + 0.5 * alike)


def ndcg_at(places: Doubles, k: int) -> Doubles:
    """nDCG@k of lists with one wanted item at `places` (n,): 1 / log2(place + 1), 0 beyond k."""
    return np.where(places <= k, 1.0 / np.log2(places + 1.0), 0.0)


RANKING: Mapping[str, Callable[[Bools, Numbers, int], Doubles]] = {
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "hit": hit,
    "mrr": mrr,
    "map": average_precision,
}
"""Ranking metrics by the names that reports use."""


def ranks_among(scores: Numbers, positives: Codes, candidates: Codes) -> Doubles:
    """Place of each row's positive among its candidates; a tied candidate counts half a place.

    Args:
        scores: (n, m) scores of all items.
        positives: (n,) columns.
        candidates: (n, c) columns without the positive; −1 pads short lists.

    Returns:
        (n,) places from 1; halves where scores tie.
    """
    mine = np.take_along_axis(scores, positives[:, None], axis=1)
    others = np.take_along_axis(scores, np.maximum(candidates, 0), axis=1)
    counts = candidates >= 0
    above = ((others > mine) & counts).sum(axis=1)
    level = ((others == mine) & counts).sum(axis=1)
    places: Doubles = 1.0 + above + 0.5 * level
    return places


def hit_from_ranks(ranks: Doubles, k: int) -> Doubles:
    """1 where the place is ≤ k, else 0; the mean is HR@k."""
    return (ranks <= k).astype(np.float64)


def ndcg_from_ranks(ranks: Doubles, k: int) -> Doubles:
    """1/log2(place+1) where the place is ≤ k, else 0: nDCG@k with one relevant item."""
    return np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)


def auc(scores: Numbers, labels: Numbers) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN when a class is missing."""
    return gauc(scores, labels, np.zeros(len(scores), dtype=np.int64))


def gauc(scores: Numbers, labels: Numbers, groups: Numbers) -> float:
    """AUC inside each group, averaged by the groups' numbers of rows (Zhou et al. 2018, DIN, eq. 7).

    Args:
        scores: (n,) any numbers.
        labels: (n,) 0 or 1.
        groups: (n,) for example user codes; groups with one class only are left out.

    Returns:
        The weighted mean, NaN when no group has both classes.
    """
    if len(scores) == 0:
        return float("nan")
    group = np.unique(groups, return_inverse=True)[1]
    order = np.lexsort((scores, group))
    group, score, label = group[order], scores[order], labels[order].astype(np.float64)
    size = np.bincount(group)
    start = np.cumsum(size) - size
    fresh = np.r_[True, (group[1:] != group[:-1]) | (score[1:] != score[:-1])]
    tie = np.cumsum(fresh) - 1
    place = np.bincount(tie, np.arange(1, len(score) + 1)) / np.bincount(tie)
    within = place[tie] - start[group]
    positive = np.bincount(group, label)
    negative = size - positive
    area = np.bincount(group, within * label) - positive * (positive + 1) / 2
    both = (positive > 0) & (negative > 0)
    if not both.any():
        return float("nan")
    return float(np.average(area[both] / (positive * negative)[both], weights=size[both]))


def logloss(probabilities: Numbers, labels: Numbers, clip: float = 1e-7) -> Doubles:
    """(n,) −log of the probability given to what happened; probabilities stay `clip` away from 0 and 1."""
    p = np.clip(probabilities.astype(np.float64), clip, 1.0 - clip)
    return -np.where(labels > 0, np.log(p), np.log1p(-p))


def calibration_error(probabilities: Numbers, labels: Numbers, bins: int = 10) -> float:
    """Expected calibration error over `bins` bins of equal numbers of rows: mean |predicted − observed rate|.

    Rows with equal probability share a bin, so the result does not depend on row order. NaN without rows.
    """
    if len(probabilities) == 0:
        return float("nan")
    p = probabilities.astype(np.float64)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, p, side="left")
    gap = np.bincount(place, p) - np.bincount(place, labels.astype(np.float64))
    return float(np.abs(gap).sum() / len(p))


def coverage(ranked: Codes, n_items: int) -> float:
    """Share of the catalogue's `n_items` that stands in at least one of the rankings (n, k)."""
    return len(np.unique(ranked[ranked >= 0])) / n_items if n_items else float("nan")


def novelty(ranked: Codes, popularity: Numbers) -> Doubles:
    """(n,) mean −log2 of each ranked item's share of interactions (add-one smoothed): rarer is higher.

    Args:
        ranked: (n, k) columns, −1 pads.
        popularity: (m,) interactions of each item.
    """
    share = (popularity + 1.0) / (popularity.sum() + len(popularity))
    shown = ranked >= 0
    surprise = np.where(shown, -np.log2(share[np.maximum(ranked, 0)]), 0.0)
    return _ratio(surprise.sum(axis=1), shown.sum(axis=1))


def gini(ranked: Codes, n_items: int) -> float:
    """Gini index of exposure: 0 when all items are shown equally often, towards 1 when one takes all."""
    exposure = np.sort(np.bincount(ranked[ranked >= 0].ravel(), minlength=n_items)).astype(np.float64)
    total = exposure.sum()
    if total == 0:
        return float("nan")
    place = np.arange(1, len(exposure) + 1)
    return float(((2 * place - len(exposure) - 1) * exposure).sum() / (len(exposure) * total))


def _ratio(above: npt.ArrayLike, below: Numbers) -> Doubles:
    """`above / below`, NaN where `below` is 0."""
    base = np.asarray(below, dtype=np.float64)
    ratio: Doubles = np.divide(np.asarray(above), base, out=np.full(len(base), np.nan), where=base > 0)
    return ratio
