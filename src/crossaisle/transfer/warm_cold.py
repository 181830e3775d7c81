"""Warm and cold: items that nobody has are placed by their content among the vectors of those that people have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..encoders.content import Content, ContentOptions, told_of
from ..encoders.method import Bools
from ..errors import MethodError
from ..models.base import Base, item_rows
from ..recommender import Recommender, scorer
from ..types import Asked, Codes, Contributions, Floats, History, Tensors
from .als import AlsOptions, item_factors, worth_of
from .common import (
    TIE_BREAK,
    Scope,
    Weight,
    among,
    from_0_to_1,
    inputs_of,
    spread_over,
    standardised,
    standardised_ask,
    training_history,
    weighted,
    with_popularity,
)
from .folding import fold_in, fold_in_parts
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .ridge import linear
from .space import Range, Space
from .student import Features, Student


@dataclass(frozen=True)
class WarmColdOptions:
    """Options of `warm_cold`."""

    scope: Scope = "all"
    """``all``: vectors and map of the items of all visible domains; ``target``: of the target's alone (a control)."""
    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read, as in fusion."""
    levels: int = 500
    """Most levels (brands, categories, …) that the map reads, the commonest (memory: 32 bytes × this × items)."""
    factors: int = 16
    """Length of the vectors."""
    alpha: float = 10.0
    """Confidence of an event is alpha × its weight, of a non-event 1."""
    regularization: float = 10.0
    """L2 penalty on the vectors."""
    iterations: int = 15
    """Sweeps over users and items of the factorisation."""
    max_items: int = 100_000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""
    weight: Weight = "log"
    """How repeated events count: log(1 + count), once, or each."""
    item_exponent: float = 0.0
    """Weights are divided by the item's number of people to this power (their mean stays); more favours rare items."""
    penalty: float = 0.0
    """L2 penalty on the maps, as a share of the features' mean square; 0: chosen by leaving out one item at a time."""
    prior_people: float = 3.0
    """What content says of an item counts as this many people who have it."""
    sales: float = 0.3
    """What an item sells, or would by its content, is added with this weight; taste has a spread of 1."""

    search: ClassVar[Space] = {
        "factors": Range(4, 128, log=True),
        "alpha": Range(0.3, 100.0, log=True),
        "regularization": Range(0.1, 300.0, log=True),
        "prior_people": Range(0.1, 100.0, log=True),
        "sales": Range(0.0, 3.0),
    }

    def __post_init__(self) -> None:
        self.factorisation()
        if min(self.levels, self.max_items) < 0 or min(self.penalty, self.sales) < 0 or self.prior_people <= 0:
            raise ValueError("levels, max_items, penalty and sales must be 0 or more, prior_people above 0.")

    def factorisation(self) -> AlsOptions:
        """Options of the vectors that items get from people."""
        names = ("scope", "factors", "alpha", "regularization", "iterations", "max_items", "weight", "item_exponent")
        return AlsOptions(**{n: getattr(self, n) for n in names})


@scorer("warm_cold")
@dataclass(frozen=True, eq=False)
class WarmColdScorer:
    """Taste, the user's vector · the item's, standardised over the catalogue, and what the item sells.

    Users are folded in by the very vectors that are ranked, not by those of the factorisation alone: an item that
    nobody had while training then counts as soon as somebody has it.

    Attributes:
        inputs: (p,) item codes that are read.
        vectors: (p, f) float32 of items, content and people together.
        outputs: (catalogue,) rows of `vectors` that are scored.
        appeal: (catalogue,) float32, standardised: log(1 + people), shrunk to what content says.
        worth: (p,) what the weight of an event is multiplied by.
        student: item rows → (n, f + 1) vector and appeal, for items that come later.
        items: how many items there are, read or not.
        domain: name of the domain, for its prices.
        alpha: see `WarmColdOptions`.
        regularization: see `WarmColdOptions`.
        sales: see `WarmColdOptions`.
        weight: see `common.weighted`.
    """

    kind: ClassVar[str] = "warm_cold"
    inputs: Codes
    vectors: Floats
    outputs: Codes
    appeal: Floats
    worth: Floats
    student: Student
    items: int
    domain: str
    alpha: float
    regularization: float
    sales: float
    weight: Weight = "log"

    def score(self, history: History) -> Floats:
        """(n, catalogue) z(user vectors · item vectors) + sales · appeal."""
        taste = standardised(self._taste(history))
        return with_popularity(taste + np.float32(self.sales) * self.appeal, self._order)

    def _taste(self, history: History) -> Floats:
        """(n, catalogue) user vectors · item vectors."""
        read = (weighted(history, self.weight)[:, self.inputs] @ sp.diags(self.worth)).tocsr()
        users = fold_in(read, self.vectors, self.alpha, self.regularization)
        found: Floats = users @ self.vectors[self.outputs].T
        return found

    @cached_property
    def _order(self) -> Floats:
        """(catalogue,) `appeal` from 0 to 1."""
        return from_0_to_1(self.appeal)

    def extend(self, content: pl.DataFrame) -> WarmColdScorer:
        """See `Extensible.extend`: new items are placed by their content."""
        fresh = self.student.read(content.with_columns(domain=pl.lit(self.domain)))
        number = np.arange(len(fresh))
        return dataclasses.replace(
            self,
            inputs=np.concatenate([self.inputs, self.items + number]),
            vectors=np.vstack([self.vectors, fresh[:, :-1]]),
            outputs=np.concatenate([self.outputs, len(self.inputs) + number]),
            appeal=np.concatenate([self.appeal, fresh[:, -1]]),
            worth=np.concatenate([self.worth, np.full(len(fresh), self.worth.max(), dtype=np.float32)]),
            items=self.items + len(fresh),
        )

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: taste as in `als`, its spread over the catalogue taken as given."""
        events = weighted(history, self.weight)
        found, rows = among(events.indices, self.inputs)
        weights = events.data[found] * self.worth[rows] * self.alpha
        wanted = standardised_ask(self._taste(history), asked) @ self.vectors[self.outputs]
        parts = fold_in_parts(weights, rows, self.vectors, self.regularization, wanted)
        start = asked @ (np.float32(self.sales) * self.appeal + TIE_BREAK * self._order)
        return Contributions(start, spread_over(len(events.data), found, parts))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        student, meta = self.student.state()
        tensors: Tensors = {n: getattr(self, n) for n in ("inputs", "vectors", "outputs", "appeal", "worth")}
        tensors |= {f"student.{n}": t for n, t in student.items()}
        names = ("items", "domain", "alpha", "regularization", "sales", "weight")
        return tensors, {n: getattr(self, n) for n in names} | {"student": meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        own = {n.removeprefix("student."): t for n, t in tensors.items() if n.startswith("student.")}
        rest = {n: v for n, v in meta.items() if n != "student"}
        arrays: dict[str, Any] = {n: tensors[n] for n in ("inputs", "vectors", "outputs", "appeal", "worth")}
        return cls(student=Student.restore(own, meta["student"]), **arrays, **rest)


@transfer(
    "warm_cold",
    options=WarmColdOptions,
    paper="Gantner et al. 2010, Learning Attribute-to-Feature Mappings for Cold-Start Recommendations",
    when="some new items join many known ones, and both must be ranked in one list",
    cost="low",
    needs=("item_content",),
    random=True,
    additive=True,
)
def fit(base: Base | None, problem: Problem, options: WarmColdOptions) -> Recommender:
    """Items that nobody has, placed by content among the vectors of those that people have; it fades as people come."""
    users = weighted(training_history(problem, options.scope), options.weight)
    inputs = inputs_of(users, problem.catalogue, options.scope, options.max_items)
    users = users[np.diff(users.indptr) > 0][:, inputs]
    outputs = np.searchsorted(inputs, problem.catalogue).astype(np.int64)
    rows = item_rows(problem.world)[inputs.tolist()]
    people = np.bincount(users.indices, minlength=len(inputs)).astype(np.float32)
    learned = _learned(people, rows, problem, options)
    worth = worth_of(users, options.item_exponent)
    worth = np.where(people > 0, worth, worth.max())  # an item that nobody has is as rare as the rarest
    own = item_factors((users @ sp.diags(worth)).tocsr(), options.factorisation(), problem.seed)
    sold = np.zeros(len(inputs), dtype=np.float32)
    sold[outputs] = np.asarray((problem.target_counts > 0).sum(axis=0), dtype=np.float32).ravel()
    features, content = Features.fit(rows, np.flatnonzero(learned), options.content, options.levels)
    student, facts = taught(features, content, Lesson(own, people, sold, learned), options.penalty)
    said = student.says(content)
    appeal = shrunk(np.log1p(sold)[:, None], said[:, -1:], sold, options.prior_people)[outputs, 0]
    centre, spread = float(appeal.mean()), max(float(appeal.std()), 1e-6)
    made = WarmColdScorer(
        inputs=inputs,
        vectors=shrunk(own, said[:, :-1], people, options.prior_people),
        outputs=outputs,
        appeal=(appeal - np.float32(centre)) / np.float32(spread),
        worth=worth,
        student=_standard(student, centre, spread),
        items=problem.world.n_items,
        domain=problem.target,
        **{n: getattr(options, n) for n in ("alpha", "regularization", "sales", "weight")},
    )
    return recommender_for(problem, "warm_cold", made, learned_from=int(learned.sum()), **facts)


def _learned(people: Floats, rows: pl.DataFrame, problem: Problem, options: WarmColdOptions) -> Bools:
    """(n,) True where an item is learned from: people have it, and something is told of it.

    Raises:
        MethodError: there is none.
    """
    found: Bools = (people > 0) & told_of(rows)
    if not found.any():
        raise MethodError(
            f"nobody has an item with content that scope {options.scope!r} reads; show some weeks of "
            f"{problem.target!r}, choose scope 'all', or choose content."
        )
    return found


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student learns of n items.

    Attributes:
        own: (n, f) vectors by people.
        people: (n,) who have each item.
        sold: (n,) people of the target who have it.
        learned: (n,) True where an item is learned from.
    """

    own: Floats
    people: Floats
    sold: Floats
    learned: Bools


def taught(features: Features, content: Content, lesson: Lesson, penalty: float) -> tuple[Student, dict[str, float]]:
    """The student that says an item's vector and log(1 + people) in the target, and the penalties of both maps.

    An item counts in the map to vectors as much as it has people. What sells is learned from the target's items that
    somebody has, each alike; where nothing is sold it is 0 for all.
    """
    chosen = np.flatnonzero(lesson.learned)
    read = features.of(content.take(chosen))
    ((weights, constants),), found = linear(read, lesson.own[chosen], penalty, lesson.people[chosen])
    facts = {"penalty": found["penalty"]}
    sells = lesson.sold[chosen] > 0
    more, level = np.zeros((len(weights), 1), dtype=np.float32), np.zeros(1, dtype=np.float32)
    if sells.any():
        ((more, level),), found = linear(read[sells], np.log1p(lesson.sold[chosen][sells])[:, None], penalty)
        facts["sales_penalty"] = found["penalty"]
    both = np.concatenate([weights, more], axis=1), np.concatenate([constants, level])
    return Student(features, *both), facts


def shrunk(own: Floats, said: Floats, people: Floats, prior: float) -> Floats:
    """(n, f) float32 (n_i · own_i + κ · said_i) / (n_i + κ), n_i people who have item i and κ the prior."""
    share = (people / (people + prior)).astype(np.float32)[:, None]
    made: Floats = share * own + (1 - share) * said
    return made


def _standard(student: Student, centre: float, spread: float) -> Student:
    """`student` whose last column, what sells, is on the scale of what is standardised by `centre` and `spread`."""
    weights, constants = student.weights.copy(), student.constants.copy()
    weights[:, -1] /= np.float32(spread)
    constants[-1] = (constants[-1] - np.float32(centre)) / np.float32(spread)
    return dataclasses.replace(student, weights=weights, constants=constants)
