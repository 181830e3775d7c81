"""Levels of a stack: weights of the parts for each kind of person, and trees above them; learned from lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..metrics import Bools, Doubles, ndcg_at, place_of
from ..types import Codes, Floats
from .common import standardised
from .lists import Lists
from .trees import Trees, fit_trees
from .weights import beats, ensemble_selection

Level = Literal["auto", "linear", "trees"]
K = 10
"""Places of the ranking that weights and trees are judged on."""
SLICES = ("cold", "few", "warm")
"""Kinds of people by how many items of the catalogue they have: none, 1 to 4, 5 or more."""
_EDGES = (1, 5)


@dataclass(frozen=True)
class Learning:
    """How levels are learned.

    Attributes:
        level: ``linear``: weights; ``trees``: a ranker above; ``auto``: trees where they rank better beyond noise.
        folds: groups of people of which each is judged by trees that did not see it.
        trees: how many.
        rounds: of `ensemble_selection`.
        min_lists: with fewer lists all parts count alike, and a slice has no weights of its own.
        seed: of everything random.
    """

    level: Level
    folds: int
    trees: int
    rounds: int
    min_lists: int
    seed: int


@dataclass(frozen=True, eq=False)
class Levels:
    """What was learned.

    Attributes:
        weights: (slices, parts) float32, each row's sum 1.
        trees: the ranker; none at the linear level.
        share: how much the linear level counts beside the trees, 0 or 1.
    """

    weights: Floats
    trees: Trees | None = None
    share: float = 0.0

    def linear(self, standard: Sequence[Floats], known: Codes) -> Floats:
        """(n, m) weighted sum of standardised scores, a list of (n, m); `known` (n,) items of the catalogue."""
        mine = self.weights[slice_of(known)]
        total: Floats = np.zeros_like(standard[0])
        for number, part in enumerate(standard):
            total += mine[:, number, None] * part
        return total

    def judged(self, features: Floats, linear: Floats) -> Floats:
        """(n, m) of trees over (n, m, f) features, with the linear level beside them at its share."""
        if self.trees is None:
            return linear
        return mixed(self.trees.predict(features), linear, self.share)


def slice_of(known: Codes) -> Codes:
    """Number of the slice of people who have `known` (n,) items of the catalogue."""
    return np.searchsorted(_EDGES, known, side="right").astype(np.int64)


def learned(lists: Lists, learning: Learning) -> tuple[Levels, dict[str, Any]]:
    """Levels, and facts about them: held-out quality of each, and why a level was left away.

    Trees are judged out of fold by person, so that no list judges itself.
    """
    parts = lists.scores.shape[2]
    facts: dict[str, Any] = {"held_out": len(lists.users)}
    if parts == 1 or len(lists.users) < learning.min_lists:
        alike = np.full((len(SLICES), parts), 1.0 / parts, dtype=np.float32)
        return Levels(alike), facts | {"level": "linear", "why": "too little to learn from"}
    levels, own = _linear(lists, learning)
    mixture = levels.linear(_by_part(lists.scores), lists.known)
    linear = ndcg_of(mixture)
    facts |= own | {"validation_ndcg_linear": round(float(linear.mean()), 4)}
    if learning.level == "linear":
        return levels, facts | {"level": "linear"}
    unseen = out_of_fold(lists, learning)
    share, above = max(((s, ndcg_of(mixed(unseen, mixture, s))) for s in (0.0, 1.0)), key=lambda pair: pair[1].mean())
    facts |= {"validation_ndcg_trees": round(float(above.mean()), 4)}
    if not beats(above, linear) and learning.level == "auto":
        return levels, facts | {"level": "linear", "why": "trees did not rank better beyond noise"}
    trees = fit_trees([lists.features], learning.trees, learning.seed)
    return Levels(levels.weights, trees, share), facts | {"level": "trees", "share_of_linear": share}


def _linear(lists: Lists, learning: Learning) -> tuple[Levels, dict[str, Any]]:
    """Weights for everybody, and for a slice where weights of its own rank better beyond noise.

    A slice's weights are selected on half of its people and compared on the other half.
    """
    everybody = np.ones(len(lists.users), dtype=bool)
    overall = _selected(lists, everybody, learning)
    weights = np.tile(overall, (len(SLICES), 1))
    place, second = slice_of(lists.known), np.unique(lists.users, return_inverse=True)[1] % 2 == 1
    own = []
    for number, name in enumerate(SLICES):
        mine = place == number
        if mine.sum() < 2 * learning.min_lists or mine.all():
            continue
        half = _selected(lists, mine & ~second, learning)
        judged = lists.scores[mine & second]
        if beats(ndcg_of(judged @ half), ndcg_of(judged @ overall)):
            weights[number] = _selected(lists, mine, learning)
            own.append(name)
    return Levels(weights), {"own_weights": own} if own else {}


def _selected(lists: Lists, rows: Bools, learning: Learning) -> Floats:
    scores = lists.scores[rows]

    def judged(weights: Doubles) -> Doubles:
        return np.stack([ndcg_of(scores @ w.astype(np.float32)) for w in weights])

    found, _ = ensemble_selection(scores.shape[2], learning.rounds, judged)
    return found.astype(np.float32)


def _by_part(scores: Floats) -> list[Floats]:
    return [scores[:, :, number] for number in range(scores.shape[2])]


def out_of_fold(lists: Lists, learning: Learning) -> Floats:
    """(n, 1 + negatives) of trees that saw no list of the same person."""
    people = np.unique(lists.users)
    fold = np.searchsorted(people, lists.users) % max(2, learning.folds)
    found = np.empty(lists.features.shape[:2], dtype=np.float32)
    for number in np.unique(fold):
        trees = fit_trees([lists.features[fold != number]], learning.trees, learning.seed)
        found[fold == number] = trees.predict(lists.features[fold == number])
    return found


def mixed(judged: Floats, linear: Floats, share: float) -> Floats:
    """Trees, and `share` times the weights, both standardised over the items at hand."""
    return standardised(judged) + np.float32(share) * standardised(linear)


def ndcg_of(scores: Floats) -> Doubles:
    """(n,) nDCG@10 of lists whose first item is the wanted one; a tie counts half a place."""
    return ndcg_at(place_of(scores[:, 0], scores[:, 1:]), K)
