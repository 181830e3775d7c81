"""Weights of parts: searched on held-out people, and when one ranking beats another beyond noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..metrics import Doubles

_SURE = 0.025
"""One-sided level at which a ranking counts as better."""


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

    return bool((a != b).any() and ttest_rel(a, b, alternative="greater").pvalue < _SURE / tried)
