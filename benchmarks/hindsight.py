"""Hindsight without luck: the best recipe chosen on one half of the test people, judged on the other half.

The best of many recipes on a few hundred test people is the best partly by chance, and its value there is too high.
Choosing on one half and judging on the other takes the chance out of the value; the choice itself is as good as half
of the test people make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SPLITS = 500
"""Random splits of each launch's test people into halves."""
SEED = 20


@dataclass(frozen=True, eq=False)
class Halved:
    """One launch, judged on the half of its test people that chose nothing; (splits,) each.

    Attributes:
        chosen: mean of the recipe that `auto` chose.
        hindsight: mean of the recipe that is best on the other half.
        most: mean of the recipe that is best on this very half.
    """

    chosen: np.ndarray
    hindsight: np.ndarray
    most: np.ndarray


def halved(values: np.ndarray, chosen: int, splits: int = SPLITS, seed: int = SEED) -> Halved:
    """Split people at random, again and again.

    Args:
        values: (recipes, people) on the test rows.
        chosen: row of the recipe that is judged.
        splits: how many.
        seed: of the splits.
    """
    draw, people = np.random.default_rng(seed), values.shape[1]
    choosing = np.zeros((people, splits))
    choosing[: people // 2] = 1.0
    choosing = draw.permuted(choosing, axis=0)
    there = values @ choosing / max(people // 2, 1)
    here = values @ (1.0 - choosing) / (people - people // 2)
    best = there.argmax(axis=0)
    return Halved(here[chosen], here[best, np.arange(splits)], here.max(axis=0))


def fair(launches: Sequence[Halved], targets: Sequence[str], near: float) -> Mapping[str, float]:
    """The numbers: of `launches`, whose targets are `targets`; what reaches the share `near` counts as close.

    A target's value is the sum over its launches. Hindsight and what is chosen are means over splits, as a single half
    is noisy; the last two numbers are of single halves, where what is best on the half itself has its luck back.
    """
    names = sorted(set(targets))
    chosen, best, most = (
        np.stack([sum(getattr(h, n) for h, t in zip(launches, targets, strict=True) if t == name) for name in names])
        for n in ("chosen", "hindsight", "most")
    )
    ratios = [h.chosen.mean() / max(h.hindsight.mean(), 1e-9) for h in launches]
    return {
        "mean of chosen over hindsight": float(np.mean(ratios)),
        "launches within 3 %": float(np.mean(np.array(ratios) >= near)),
        "targets within 3 % (sum over steps)": float(np.mean(chosen.mean(axis=1) >= near * best.mean(axis=1))),
        "hindsight over the best on the half itself": float(np.mean(best.mean(axis=1) / most.mean(axis=1))),
        "targets where hindsight is within 3 % of the best on the half itself": float(np.mean(best >= near * most)),
        "targets where auto is within 3 % of the best on the half itself": float(np.mean(chosen >= near * most)),
    }
