"""Attribution: what each event of a history adds to a score, of any scorer.

A scorer that `Explains` itself answers in closed form. Of any other only scores are needed: Shapley values,

    φ_e = mean over orders π of the events of  s(what comes before e in π, and e) − s(what comes before e in π)

(Shapley 1953; sampled as by Štrumbelj & Kononenko 2014, Explaining prediction models and individual predictions with
feature contributions). Orders are drawn in pairs, each with its reverse (antithetic: Mitchell et al. 2022, Sampling
Permutations for Shapley Value Estimation). In every order the differences telescope, so that the sum is exact however
few are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .types import Asked, Codes, Contributions, Doubles, Explains, History, Scorer

ANSWERS = 512
"""About how many histories a sampled attribution scores: the fewer events, the more orders."""
_NUMBERS = 2**22
"""Scores, and events to choose from, that are held at once: as many histories as have so many together."""
_LEAST = 128
"""But at least so many histories."""


def contributions_of(scorer: Scorer, history: History, asked: Asked, seed: int = 0) -> Contributions:
    """What each event of the one person of `history` adds to `asked` (m, catalogue): exact, or sampled."""
    if isinstance(scorer, Explains):
        return scorer.contributions(history, asked)
    return sampled(scorer, history, asked, seed)


def is_sampled(scorer: Scorer) -> bool:
    """Whether any of the contributions to a score are drawn rather than worked out."""
    parts: Mapping[str, Scorer] = getattr(scorer, "parts", {})
    return not isinstance(scorer, Explains) or any(is_sampled(part) for part in parts.values())


def sampled(scorer: Scorer, history: History, asked: Asked, seed: int = 0) -> Contributions:
    """Shapley values of the events from scores alone; `seed` draws the orders."""
    events = history.counts.nnz
    nobody = _answers(scorer, without_events(history), asked)[0]
    parts = np.zeros((events, len(asked)))
    if not events:
        return Contributions(nobody, parts.T)
    draw, pairs = np.random.default_rng(seed), max(1, ANSWERS // (2 * events))
    orders = [draw.permutation(events) for _ in range(pairs)]
    ways = np.stack([way for order in orders for way in (order, order[::-1])])
    ahead = _prefixes(scorer, history, asked, ways)
    for way, found in zip(ways, ahead, strict=True):
        parts[way] += np.diff(found, axis=0, prepend=nobody[None])
    return Contributions(nobody, parts.T / len(ways))


def keeping(history: History, events: Codes) -> History:
    """The one person of `history` with these stored `events` (sorted) alone."""
    kept = np.zeros((1, history.counts.nnz), dtype=np.bool_)
    kept[0, events] = True
    return coalitions(history, kept)


def without_events(history: History) -> History:
    """The one person of `history`, of whom nothing is known."""
    return keeping(history, np.zeros(0, dtype=np.int64))


def _prefixes(scorer: Scorer, history: History, asked: Asked, orders: Codes) -> Doubles:
    """(orders, events, m) what is asked, with the first 1, 2, … of the events of each of `orders` (orders, events)."""
    events, (m, catalogue) = orders.shape[1], asked.shape
    found, lengths = np.empty((orders.size, m)), np.tile(np.arange(events), len(orders))
    places = np.argsort(orders, axis=1)
    size = max(_LEAST, _NUMBERS // max(catalogue, events))
    for start in range(0, orders.size, size):
        rows = np.arange(start, min(start + size, orders.size))
        kept = places[rows // events] <= lengths[rows, None]
        found[rows] = _answers(scorer, coalitions(history, kept), asked)
    return found.reshape(len(orders), events, m)


def coalitions(history: History, kept: npt.NDArray[np.bool_]) -> History:
    """The one person of `history` once for each row of `kept` (n, events), with those stored events alone."""
    events, ends = np.nonzero(kept)[1], np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    counts = sp.csr_matrix(
        (history.counts.data[events], history.counts.indices[events], ends), (len(kept), history.counts.shape[1])
    )
    return History(counts, history.ages[events], np.repeat(history.users, len(kept)))


def _answers(scorer: Scorer, history: History, asked: Asked) -> Doubles:
    """(n, m) what is asked of n histories."""
    wanted = np.flatnonzero(asked.any(axis=0))
    found: Doubles = scorer.score(history)[:, wanted].astype(np.float64) @ asked[:, wanted].T
    return found
