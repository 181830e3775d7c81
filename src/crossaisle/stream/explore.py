"""Exploration: some places of a list go to new items, with probabilities that are known exactly."""

from __future__ import annotations

import numpy as np

from ..types import Codes, Doubles


def explored(best: Codes, new: Codes, epsilon: float, draw: np.random.Generator) -> tuple[Codes, Doubles]:
    """The list `best` with some of its places given to `new` items.

    Of the k places, min(k, m) are opened, drawn uniformly; each open place is given away with probability ε; the places
    that are given away get different new items, drawn uniformly. So at each place, whatever happens at the others, the
    item of `best` stands with probability 1 − ε · min(1, m / k), and each new item with probability ε / max(m, k).

    Args:
        best: (k,) the best places of the catalogue in order.
        new: (m,) distinct places of new items that are not in `best`.
        epsilon: ε, 0 to 1.
        draw: randomness.

    Returns:
        (k,) what is shown, and (k,) the probability that this item is shown at this place.
    """
    k, m = len(best), len(new)
    if not k or not m or not epsilon:
        return best, np.ones(k)
    opened = draw.choice(k, size=min(k, m), replace=False)
    given = opened[draw.random(len(opened)) < epsilon]
    shown, propensity = best.copy(), np.full(k, 1.0 - epsilon * min(1.0, m / k))
    shown[given] = draw.choice(new, size=len(given), replace=False)
    propensity[given] = epsilon / max(m, k)
    return shown, propensity
