"""Prequential: events are asked of two recommenders before either learns from them; the guard says which one serves.

Dawid 1984, Present position and potential developments: the prequential approach. People are asked for the items of
the target that they met in a window and had not met before; what they had done until the window began is known to both
recommenders, whatever those were fitted on. Each person counts once, however many events they have.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.vocab import Vocab
from ..data.world import World
from ..evaluate.result import Verdict
from ..evaluate.stats import MIN_USERS, paired
from ..fusion.common import liked_rows
from ..metrics import Doubles, hits_of, ndcg
from ..recommender import Recommender
from ..transfer.problem import count_matrix, history_of
from ..types import Codes, History

MARGIN = 0.05
K = 10


@dataclass(frozen=True, eq=False)
class Exam:
    """n people, what was known of them when the window began, and what they met that was new to them.

    Attributes:
        user_ids: n ids.
        history: of n users, in the item codes of `item_ids`.
        wanted: (n, items) CSR; a stored value marks an item of the target that the user met anew in the window.
        item_ids: vocabulary of the codes.
    """

    user_ids: tuple[str, ...]
    history: History
    wanted: sp.csr_matrix
    item_ids: Vocab

    def __len__(self) -> int:
        return len(self.user_ids)


@dataclass(frozen=True)
class Judgement:
    """What a window says of a candidate beside the current recommender.

    Attributes:
        users: people that were asked.
        k: places of the list.
        current: mean nDCG@k of what is served; None without people, as are the numbers below.
        candidate: of the candidate.
        difference: candidate minus current, paired over people.
        low: end of its 95 % bootstrap interval.
        high: other end.
        verdict: of the guard.
        promote: whether the candidate is to be served.
        why: one sentence.
    """

    users: int
    k: int
    current: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    promote: bool
    why: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def exam_of(known: World, window: pl.DataFrame, target: str, start: datetime) -> Exam:
    """The exam of a window.

    Args:
        known: everything that came before the window.
        window: rows of the window in the codes of `known`.
        target: domain that is asked about.
        start: when the window began; ages of events are counted from here.
    """
    rows = liked_rows(replace(known, interactions=window), (target,)).select("user", "item").unique()
    mine = known.interactions.filter(pl.col("user").is_in(rows["user"].unique().implode()))
    fresh = rows.join(mine, on=["user", "item"], how="anti").sort("user", "item")
    users = fresh["user"].unique().sort().to_numpy().astype(np.int64)
    history = history_of(mine, known.n_users, known.n_items, start).take(users)
    wanted = count_matrix(fresh, known.n_users, known.n_items)[users]
    return Exam(tuple(known.user_ids.decode(users)), history, wanted, known.item_ids)


def answered(shop: Recommender, exam: Exam, k: int = K) -> Doubles:
    """(n,) nDCG@k of `shop` for each person of the exam; items that it does not know count as missed."""
    if not len(exam):
        return np.zeros(0)
    _, places, _ = shop.ranker.top(history_for(shop, exam), min(k, len(shop.catalogue)), exclude_seen=True,
                                   available=None)  # fmt: skip
    codes = np.append(exam.item_ids.encode(shop.item_ids.ids.gather(shop.catalogue)), -1)
    return ndcg(hits_of(codes[places], exam.wanted), np.diff(exam.wanted.indptr), k)


def history_for(shop: Recommender, exam: Exam) -> History:
    """What is known of the people of the exam, in the codes of `shop`; items that it does not know are left out."""
    counts = exam.history.counts
    met, place = np.unique(counts.indices, return_inverse=True)
    codes: Codes = shop.item_ids.encode(exam.item_ids.ids.gather(met))[place]
    kept = codes >= 0
    rows = np.repeat(np.arange(len(exam)), np.diff(counts.indptr))[kept]
    order = np.lexsort((codes[kept], rows))
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(exam)))])
    own = sp.csr_matrix((counts.data[kept][order], codes[kept][order], ends), (len(exam), len(shop.item_ids)))
    return History(own, exam.history.ages[kept][order], shop.user_ids.encode(list(exam.user_ids)))


def judge(current: Recommender, candidate: Recommender, exam: Exam, margin: float = MARGIN, k: int = K) -> Judgement:
    """Ask both, and say which is to be served.

    A candidate that helps is promoted and one that hurts is not. Where the interval holds 0, the fresher one is
    promoted unless its mean is lower than that of the current one by more than `margin` of it. With fewer than
    `MIN_USERS` people nothing is promoted.
    """
    if not len(exam):
        return Judgement(0, k, None, None, None, None, None, "no difference", False, "nobody met anything new.")
    old, new = answered(current, exam, k), answered(candidate, exam, k)
    found, users = paired(new, old), len(exam)
    promote, why = _decided(float(old.mean()), found.difference, found.verdict, users, margin)
    numbers = (float(old.mean()), float(new.mean()), found.difference, found.low, found.high)
    return Judgement(users, k, *numbers, found.verdict, promote, why)


def _decided(current: float, difference: float, verdict: Verdict, users: int, margin: float) -> tuple[bool, str]:
    if users < MIN_USERS:
        return False, f"{users} people are too few to judge; at least {MIN_USERS} are needed."
    if verdict != "no difference":
        better = verdict == "helps"
        return better, f"the candidate is {'better' if better else 'worse'}, and the interval excludes 0."
    if difference >= -margin * current:
        return True, "no difference is proved, and the fresher one is not worse by more than the margin."
    return False, f"no difference is proved, but the mean is lower by more than {margin:.0%}."
