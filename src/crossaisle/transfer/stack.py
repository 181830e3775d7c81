"""Stack: a ranker over recommenders of different kinds, trained on what was held out from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Floats, History, Scorer, Tensors
from .common import standardised
from .features import Facts, features_of
from .levels import SLICES, Learning, Level, Levels, learned
from .lists import Hold, Lists, Sampling, lists_of, together
from .method import transfer
from .parts import fit_part, pack_parts, unpack_parts, usable
from .problem import Problem
from .result import recommender_for
from .trees import Trees

PARTS = ("popularity", "item_knn@all", "als_mix@all", "graph_filter@all", "user_kernel")
_ABOVE = 1e-3
"""Between the shortlist and the rest."""
_GROUPS = 2
"""Of people, each judged by trees that learned from the other: enough to say whether trees help at all."""


@dataclass(frozen=True)
class StackOptions:
    """Options of `stack`."""

    parts: tuple[str, ...] = PARTS
    """Methods to combine: ``method``, ``method@scope``, or a label whose options name a ``method``; those whose needs
    are not met are left out."""
    part_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of parts, by name as in `parts`."""
    level: Level = "auto"
    """``linear``: weights of the parts, apart for people with no, few and many known items where that pays; ``trees``:
    a gradient-boosted ranker above; ``auto``: trees where they win."""
    hold: Hold = "half"
    """What is hidden of a person to learn from: ``one`` item (known people will be asked), ``all`` (cold people), or
    ``half``: either."""
    folds: int = 3
    """Rounds of holding out; all parts are fitted in each and once more on everything."""
    lists: int = 20_000
    """Held-out purchases to learn from, at most."""
    negatives: int = 100
    """Items drawn beside each."""
    drawn_from: Literal["shortlist", "catalogue"] = "shortlist"
    """Where: among what the trees will have to order, or, where random items will be asked, from everything."""
    events: tuple[str, ...] = ()
    """Kinds of events that make lists, such as ``purchase``; all when empty."""
    shortlist: int = 1000
    """How many items, the best by all parts alike, the trees put in order; the rest follows below."""
    trees: int = 200
    """Trees of the ranker."""
    rounds: int = 40
    """Rounds in which a part is added to the linear level; more make finer weights."""
    min_lists: int = 200
    """With fewer held-out purchases all parts count alike."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        least = min(self.folds, self.lists, self.negatives, self.shortlist, self.trees, self.rounds, self.min_lists)
        if not self.parts or least < 1:
            raise ValueError("at least one part, and numbers of 1 or more are needed.")


@scorer("stack")
@dataclass(frozen=True, eq=False)
class StackScorer:
    """Parts, their weights, and trees that put the shortlist in order.

    Attributes:
        parts: name → scorer.
        levels: weights and trees.
        facts: counts of items and people.
        shortlist: how many items the trees order.
    """

    kind: ClassVar[str] = "stack"
    parts: Mapping[str, Scorer]
    levels: Levels
    facts: Facts
    shortlist: int

    def score(self, history: History) -> Floats:
        """(n, catalogue) the shortlist above 0 in the order of the trees, the rest below."""
        raw = [part.score(history) for part in self.parts.values()]
        standard = [standardised(r) for r in raw]
        linear = self.levels.linear(standard, self.facts.known(history))
        if self.levels.trees is None or not len(history):
            return linear
        n, items = linear.shape
        number = min(self.shortlist, items)
        columns = np.argpartition(-together(standard), number - 1, axis=1)[:, :number]
        rows = np.arange(n)
        features = features_of(raw, standard, self.facts, history, rows, columns)
        judged = self.levels.judged(features, linear[rows[:, None], columns])
        below = linear - linear.max(axis=1, keepdims=True) - _ABOVE
        below[rows[:, None], columns] = judged - judged.min(axis=1, keepdims=True)
        return np.asarray(below, dtype=np.float32)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, parts = pack_parts(self.parts)
        tensors |= {"weights": self.levels.weights, "items": self.facts.items, "catalogue": self.facts.catalogue}
        if self.levels.trees is not None:
            tensors["trees"] = self.levels.trees.to_bytes()
        return tensors, {"shortlist": self.shortlist, "share": self.levels.share, "parts": parts}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        trees = Trees.from_bytes(tensors["trees"]) if "trees" in tensors else None
        levels = Levels(tensors["weights"], trees, meta["share"])
        facts = Facts(tensors["items"], tensors["catalogue"])
        return cls(unpack_parts(tensors, meta["parts"]), levels, facts, meta["shortlist"])


@transfer(
    "stack",
    options=StackOptions,
    paper="stacked generalisation: Wolpert 1992; ranker: LambdaMART, Burges 2010, by LightGBM",
    when="many purchases of the target, or of people in common, are there to hold out, and minutes to train",
    cost="high",
    needs=("warm_items",),
    wants=("base",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: StackOptions) -> Recommender:
    """Recommenders of different kinds under a ranker that was trained on purchases held out from all of them."""
    return stacked(problem, options, prepare(base, problem, options))


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that takes long: from it stacks of fewer parts are made quickly (see `crossaisle bench --ablation`).

    Attributes:
        parts: name → scorer, fitted on everything that is visible.
        lists: held-out purchases, seen through parts that were fitted without them.
        left_out: name → why a part could not be used.
    """

    parts: Mapping[str, Scorer]
    lists: Lists
    left_out: Mapping[str, str]

    def without(self, name: str) -> Prepared:
        """The same, had part `name` not been asked for."""
        number = list(self.parts).index(name)
        rest = {n: p for n, p in self.parts.items() if n != name}
        return Prepared(rest, self.lists.without(number), self.left_out)


def prepare(base: Base | None, problem: Problem, options: StackOptions) -> Prepared:
    """Fit all parts, on everything and with purchases held out.

    Raises:
        MethodError: no part is usable.
    """
    names, left_out = usable("stack", options.parts, base, problem, options.part_options)
    fit_all = partial(fitted, base, options=options, names=names)
    lists = lists_of(problem, lambda smaller: list(fit_all(smaller).values()), sampling_of(options))
    if not len(lists.users):
        lists = Lists.empty(len(names))
    return Prepared(fit_all(problem), lists, left_out)


def fitted(base: Base | None, problem: Problem, options: StackOptions, names: Iterable[str]) -> dict[str, Scorer]:
    """Parts `names`, fitted on what is visible in `problem`."""
    return {n: fit_part("stack", n, base, problem, options.part_options).scorer for n in names}


def stacked(problem: Problem, options: StackOptions, prepared: Prepared) -> Recommender:
    """Learn the levels and put them above the parts."""
    levels, told = learned(prepared.lists, learning_of(options, problem.seed))
    made = StackScorer(prepared.parts, levels, Facts.of(problem), options.shortlist)
    shown = [{n: round(float(w), 3) for n, w in zip(prepared.parts, row, strict=True)} for row in levels.weights]
    weights = shown[0] if all(row == shown[0] for row in shown) else dict(zip(SLICES, shown, strict=True))
    return recommender_for(problem, "stack", made, weights=weights, left_out=dict(prepared.left_out), **told)


def sampling_of(options: StackOptions) -> Sampling:
    """How lists are drawn under `options`."""
    pool = options.shortlist if options.drawn_from == "shortlist" else 0
    return Sampling(options.hold, options.folds, options.lists, 5, options.negatives, pool, options.events)


def learning_of(options: StackOptions, seed: int) -> Learning:
    """How levels are learned under `options`."""
    return Learning(options.level, _GROUPS, options.trees, options.rounds, options.min_lists, seed)
