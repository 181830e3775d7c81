"""Weights of parts: searched on held-out people, and when one ranking beats another beyond noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..metrics import Bools, Doubles
from ..types import Codes, Floats

_SURE = 0.025
"""One-sided level at which a ranking counts as better."""
_SAME = 1e-9
"""Differences of a quality that are rounding."""


def most_likely(scores: Floats, starts: Codes, wanted: Bools) -> Doubles:
    """The weights under which people most likely choose what they wanted from the lists before them.

    Multinomial logit (McFadden 1974; in ranking the top-one likelihood of ListNet, Cao et al. 2007): item i of a list
    is chosen with probability softmax(θ·s)ᵢ over it, and θ ≥ 0 maximises the mean over lists of the mean log
    probability of what was wanted. It is convex, so there is one answer and no chance, and each purchase says something
    wherever it stands, which nDCG@10 does not: on few people that is less noise. Weights are θ over its sum, since its
    scale orders nothing.

    Args:
        scores: (candidates, parts) of one list after another.
        starts: (lists,) where each begins.
        wanted: (candidates,) at least one of each list.

    Returns:
        (parts,) weights that sum to 1; all 0 where no part says anything.
    """
    from scipy.optimize import minimize  # a service does without it, and starts sooner

    sizes = np.diff(np.append(starts, len(wanted)))
    share = wanted / np.repeat(np.add.reduceat(wanted, starts, dtype=np.float64), sizes)

    def loss(theta: Doubles) -> tuple[float, Doubles]:
        mixed = (scores @ theta.astype(np.float32)).astype(np.float64)
        mixed -= np.repeat(np.maximum.reduceat(mixed, starts), sizes)
        chance = np.exp(mixed)
        total = np.add.reduceat(chance, starts)
        chance /= np.repeat(total, sizes)
        value = np.log(total).sum() - share @ mixed
        return value / len(starts), ((chance - share).astype(np.float32) @ scores).astype(np.float64) / len(starts)

    parts = scores.shape[1]
    # From 0 a part that says the same of all items stays there.
    found = minimize(loss, np.zeros(parts), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * parts).x
    return np.asarray(found / found.sum() if found.sum() > 0 else found)


def ensemble_selection(parts: int, rounds: int, judged: Callable[[Doubles], Doubles]) -> tuple[Doubles, Doubles]:
    """The weights that rank best, and what each part reaches alone.

    Ensemble selection with replacement (Caruana et al. 2004): in each round the part is added to those chosen so far
    that makes their mean rank best; a part's weight is how often it was chosen. No chance, few parts, and never worse
    on the cases than the best part alone, which is the first round.

    Args:
        parts: how many.
        rounds: of adding; weights are multiples of 1 over the best round's number.
        judged: weights (tries, parts) → quality (tries, n) of each held-out case.

    Returns:
        (parts,) weights that sum to 1, of the best round; and (parts, n) quality of each part alone.
    """
    each = np.eye(parts)
    chosen, alone = np.zeros(parts), judged(each)
    reached: list[tuple[float, Doubles]] = []
    for number in range(1, rounds + 1):
        tried = (chosen + each) / number
        means = alone.mean(axis=1) if number == 1 else judged(tried).mean(axis=1)
        best = int(means.argmax())
        reached.append((float(means[best]), tried[best]))
        chosen = chosen + each[best]
    return max(reached, key=lambda pair: pair[0])[1], alone


def beats(a: Doubles, b: Doubles, tried: int = 1) -> bool:
    """Whether `a` is better than `b` on the same cases (n,) beyond noise, by a paired t test.

    Args:
        a: the better one, perhaps.
        b: what it is compared with.
        tried: of so many that were tried `a` is the best; they share the level of the test (Bonferroni).
    """
    from scipy.stats import ttest_rel  # a service does without it, and starts sooner

    gain = a - b
    if len(gain) < 2:
        return False
    if np.ptp(gain) < _SAME:  # a t test has nothing to go by
        return bool(gain.mean() > _SAME)
    return bool(ttest_rel(a, b, alternative="greater").pvalue < _SURE / tried)
