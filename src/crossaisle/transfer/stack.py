"""Stack: a ranker over recommenders of different kinds, trained on what was held out from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np

from ..metrics import Doubles, ndcg_at, place_of
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Floats, History, Scorer, Tensors
from .common import standardised
from .lists import Facts, Hold, Lists, Sampling, features_of, lists_of
from .method import transfer
from .parts import fit_part, pack_parts, unpack_parts, usable
from .problem import Problem
from .result import recommender_for
from .trees import Trees, fit_trees
from .weights import beats, searched

PARTS = ("popularity", "item_knn@all", "als_mix@all", "graph_filter@all", "user_kernel")
K = 10
"""Places of the ranking that weights and trees are judged on."""
_ABOVE = 1e-3
"""Between the shortlist and the rest."""


@dataclass(frozen=True)
class StackOptions:
    """Options of `stack`."""

    parts: tuple[str, ...] = PARTS
    """Methods to combine: ``method``, ``method@scope``, or a label whose options name a ``method``; those whose needs
    are not met are left out."""
    part_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of parts, by name as in `parts`."""
    level: Literal["auto", "linear", "trees"] = "auto"
    """``linear``: weights of the parts; ``trees``: a gradient-boosted ranker above; ``auto``: trees where they win."""
    hold: Hold = "half"
    """What is hidden of a person to learn from: ``one`` item (known people will be asked), ``all`` (cold people), or
    ``half``: either."""
    folds: int = 3
    """Rounds of holding out; all parts are fitted in each and once more on everything."""
    lists: int = 20_000
    """Held-out purchases to learn from, at most."""
    negatives: int = 100
    """Items drawn beside each."""
    hard: float = 0.5
    """Share of them that the parts rank first; the rest is drawn from the whole catalogue."""
    events: tuple[str, ...] = ()
    """Kinds of events that make lists, such as ``purchase``; all when empty."""
    shortlist: int = 1000
    """How many items, the best by the linear level, the trees put in order; the rest follows below."""
    trees: int = 200
    """Trees of the ranker."""
    tries: int = 400
    """Weights that are tried at the linear level."""
    min_lists: int = 200
    """With fewer held-out purchases all parts count alike."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        least = min(self.folds, self.lists, self.negatives, self.shortlist, self.trees, self.tries, self.min_lists)
        if not self.parts or least < 1 or not 0 <= self.hard <= 1:
            raise ValueError("at least one part, numbers of 1 or more, and hard between 0 and 1 are needed.")


@scorer("stack")
@dataclass(frozen=True, eq=False)
class StackScorer:
    """Parts, their weights, and trees that put the shortlist in order.

    Attributes:
        parts: name → scorer.
        weights: (parts,) float32, sum 1.
        facts: counts of items and people.
        trees: the ranker; none at the linear level.
        shortlist: how many items it orders.
        share: how much the linear level counts beside the trees, 0 or 1.
    """

    kind: ClassVar[str] = "stack"
    parts: Mapping[str, Scorer]
    weights: Floats
    facts: Facts
    trees: Trees | None
    shortlist: int
    share: float = 0.0

    def score(self, history: History) -> Floats:
        """(n, catalogue) the shortlist above 0 in the order of the trees, the rest below."""
        raw = [part.score(history) for part in self.parts.values()]
        standard = [standardised(r) for r in raw]
        linear: Floats = np.tensordot(self.weights, np.stack(standard), axes=1)
        if self.trees is None or not len(history):
            return linear
        n, items = linear.shape
        number = min(self.shortlist, items)
        columns = np.argpartition(-linear, number - 1, axis=1)[:, :number]
        rows = np.arange(n)
        features = features_of(raw, standard, self.facts, history, rows, columns)
        judged = mixed(self.trees.predict(features), linear[rows[:, None], columns], self.share)
        below = linear - linear.max(axis=1, keepdims=True) - _ABOVE
        below[rows[:, None], columns] = judged - judged.min(axis=1, keepdims=True)
        return np.asarray(below, dtype=np.float32)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, parts = pack_parts(self.parts)
        tensors |= {"weights": self.weights, "items": self.facts.items, "catalogue": self.facts.catalogue}
        if self.trees is not None:
            tensors["trees"] = self.trees.to_bytes()
        return tensors, {"shortlist": self.shortlist, "share": self.share, "parts": parts}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        trees = Trees.from_bytes(tensors["trees"]) if "trees" in tensors else None
        facts = Facts(tensors["items"], tensors["catalogue"])
        parts = unpack_parts(tensors, meta["parts"])
        return cls(parts, tensors["weights"], facts, trees, meta["shortlist"], meta["share"])


@transfer(
    "stack",
    options=StackOptions,
    paper="stacked generalisation: Wolpert 1992; ranker: LambdaMART, Burges 2010, by LightGBM",
    needs=("warm_items",),
    wants=("base",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: StackOptions) -> Recommender:
    """Recommenders of different kinds under a ranker that was trained on purchases held out from all of them."""
    names, left_out = usable("stack", options.parts, base, problem, options.part_options)

    def scorers(asked: Problem) -> list[Scorer]:
        return [fit_part("stack", n, base, asked, options.part_options).scorer for n in names]

    lists = lists_of(problem, scorers, sampling_of(options))
    weights, trees, share, told = learned(lists, len(names), options, problem.seed)
    kept = dict(zip(names, scorers(problem), strict=True))
    made = StackScorer(kept, weights.astype(np.float32), Facts.of(problem), trees, options.shortlist, share)
    shown = {n: round(float(w), 3) for n, w in zip(names, weights, strict=True)}
    return recommender_for(problem, "stack", made, weights=shown, left_out=left_out, **told)


def sampling_of(options: StackOptions) -> Sampling:
    """How lists are drawn under `options`."""
    return Sampling(options.hold, options.folds, options.lists, 5, options.negatives, options.hard, options.events)


def learned(
    lists: Lists, parts: int, options: StackOptions, seed: int
) -> tuple[Doubles, Trees | None, float, dict[str, Any]]:
    """Weights (parts,), trees or none, the share of the weights beside them, and facts about all.

    Trees are judged out of fold by person, so that no list judges itself, and kept where they beat the weights beyond
    noise (paired t test over lists), or where ``level`` asks for them.
    """
    facts: dict[str, Any] = {"held_out": len(lists.users)}
    if parts == 1 or len(lists.users) < options.min_lists:
        return np.full(parts, 1.0 / parts), None, 0.0, facts | {"level": "linear", "why": "too little to learn from"}
    weights, _ = searched(parts, options.tries, seed, lambda w: ndcg_of(lists.scores @ w.astype(np.float32)))
    mixture = lists.scores @ weights.astype(np.float32)
    linear = ndcg_of(mixture)
    facts |= {"validation_ndcg_linear": round(float(linear.mean()), 4)}
    if options.level == "linear":
        return weights, None, 0.0, facts | {"level": "linear"}
    unseen = out_of_fold(lists, options, seed)
    share, above = max(((s, ndcg_of(mixed(unseen, mixture, s))) for s in (0.0, 1.0)), key=lambda pair: pair[1].mean())
    facts |= {"validation_ndcg_trees": round(float(above.mean()), 4)}
    if not beats(above, linear) and options.level == "auto":
        return weights, None, 0.0, facts | {"level": "linear", "why": "trees did not rank better beyond noise"}
    trees = fit_trees(lists.features, options.trees, seed)
    return weights, trees, share, facts | {"level": "trees", "share_of_linear": share}


def out_of_fold(lists: Lists, options: StackOptions, seed: int) -> Floats:
    """(n, 1 + negatives) of trees that saw no list of the same person."""
    people = np.unique(lists.users)
    fold = np.searchsorted(people, lists.users) % max(2, options.folds)
    found = np.empty(lists.features.shape[:2], dtype=np.float32)
    for number in np.unique(fold):
        trees = fit_trees(lists.features[fold != number], options.trees, seed)
        found[fold == number] = trees.predict(lists.features[fold == number])
    return found


def mixed(judged: Floats, linear: Floats, share: float) -> Floats:
    """Trees, and `share` times the weights, both standardised over the items at hand."""
    return standardised(judged) + np.float32(share) * standardised(linear)


def ndcg_of(scores: Floats) -> Doubles:
    """(n,) nDCG@10 of lists whose first item is the wanted one; a tie counts half a place."""
    return ndcg_at(place_of(scores[:, 0], scores[:, 1:]), K)
