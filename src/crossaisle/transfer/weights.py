"""Weights of parts: searched on held-out people, and when one ranking beats another beyond noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..metrics import Doubles
from ..rng import generator

_KEPT = 0.05
"""Share of the tried weights, the best ones, whose mean is taken: a mean of good ones varies less than the best."""
_SURE = 0.025
"""One-sided level at which a ranking counts as better."""


def candidates(parts: int, tries: int, seed: int) -> Doubles:
    """(parts + 1 + tries, parts) weights that sum to 1: each part alone, all alike, and points drawn on the simplex."""
    draw = generator(seed, "weights")
    drawn = draw.dirichlet(np.ones(parts), size=tries)
    return np.vstack([np.eye(parts), np.full((1, parts), 1.0 / parts), drawn])


def searched(parts: int, tries: int, seed: int, judged: Callable[[Doubles], Doubles]) -> tuple[Doubles, Doubles]:
    """The weights that rank best, and what each part reaches alone.

    Args:
        parts: how many.
        tries: points that are tried on the simplex.
        seed: of these points.
        judged: weights (tries, parts) → quality (tries, n) of each held-out case.

    Returns:
        (parts,) mean of the best weights tried, or the best part alone where it ranks better than that mean; and
        (parts, n) quality of each part alone.
    """
    tried = candidates(parts, tries, seed)
    values = judged(tried)
    means = values.mean(axis=1)
    best = np.argsort(-means, kind="stable")[: max(1, round(_KEPT * len(tried)))]
    mean, single = tried[best].mean(axis=0), int(np.argmax(means[:parts]))
    found = tried[single] if means[single] > judged(mean[None, :]).mean() else mean
    return np.asarray(found), values[:parts]


def beats(a: Doubles, b: Doubles, tried: int = 1) -> bool:
    """Whether `a` is better than `b` on the same cases (n,) beyond noise, by a paired t test.

    Args:
        a: the better one, perhaps.
        b: what it is compared with.
        tried: of so many that were tried `a` is the best; they share the level of the test (Bonferroni).
    """
    from scipy.stats import ttest_rel  # a service does without it, and starts sooner

    return bool((a != b).any() and ttest_rel(a, b, alternative="greater").pvalue < _SURE / tried)
