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
import scipy.sparse as sp

from .types import Asked, Codes, Contributions, Doubles, Explains, History, Scorer

ANSWERS = 512
"""About how many histories a sampled attribution scores: the fewer events, the more orders."""
_BLOCK = 128
"""Histories that are scored at once."""


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
    for _ in range(pairs):
        order = draw.permutation(events)
        for way in (order, order[::-1]):
            parts[way] += np.diff(_prefixes(scorer, history, asked, way), axis=0, prepend=nobody[None])
    return Contributions(nobody, parts.T / (2 * pairs))


def keeping(history: History, events: Codes) -> History:
    """The one person of `history` with these stored `events` (sorted) alone."""
    return _coalitions(history, [events])


def without_events(history: History) -> History:
    """The one person of `history`, of whom nothing is known."""
    return keeping(history, np.zeros(0, dtype=np.int64))


def _prefixes(scorer: Scorer, history: History, asked: Asked, order: Codes) -> Doubles:
    """(events, m) what is asked, with the first 1, 2, … of the events in `order`."""
    found = []
    for start in range(0, len(order), _BLOCK):
        rows = [np.sort(order[: n + 1]) for n in range(start, min(start + _BLOCK, len(order)))]
        found.append(_answers(scorer, _coalitions(history, rows), asked))
    return np.concatenate(found)


def _coalitions(history: History, rows: list[Codes]) -> History:
    """The one person of `history` once for each of `rows`, with those stored events alone."""
    kept, ends = np.concatenate(rows), np.cumsum([0, *(len(r) for r in rows)])
    counts = sp.csr_matrix(
        (history.counts.data[kept], history.counts.indices[kept], ends), (len(rows), history.counts.shape[1])
    )
    return History(counts, history.ages[kept], np.repeat(history.users, len(rows)))


def _answers(scorer: Scorer, history: History, asked: Asked) -> Doubles:
    """(n, m) what is asked of n histories."""
    found: Doubles = scorer.score(history).astype(np.float64) @ asked.T
    return found
