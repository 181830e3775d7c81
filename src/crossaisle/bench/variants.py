"""Variants of a stack: without one of its parts, its linear level alone, and told the labels of other people."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from ..evaluate.spec import Entry
from ..metrics import Doubles, place_of
from ..models.base import Base
from ..recommender import Recommender
from ..transfer import stack
from ..transfer.levels import Levels, learned
from ..transfer.lists import Lists, given_lists
from ..transfer.problem import Problem
from ..types import Codes, Floats
from .question import Question


@dataclass(frozen=True, eq=False)
class Judged:
    """What was judged already.

    Attributes:
        places: (n,) among the candidates; in the catalogue, empty where not asked.
        facts: about how.
    """

    places: tuple[Doubles, Doubles]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Variants:
    """Which variants of each stack are made.

    Attributes:
        ablation: its linear level alone, and the stack without each of its parts.
        labels: also one whose parts know the labels of other people, in this many folds; 0: none.
    """

    ablation: bool = False
    labels: int = 0

    def labels_of(self, entry: Entry) -> tuple[str, ...]:
        """Labels of the variants of `entry`; none where it is no stack."""
        if entry.method.name != "stack":
            return ()
        less = (f"{entry.label}_without_{p}" for p in entry.options.parts) if self.ablation else ()
        linear = (f"{entry.label}_linear",) if self.ablation else ()
        return (*linear, *less, *((f"{entry.label}_labels",) if self.labels else ()))

    def of(
        self, entry: Entry, question: Question, base: Base | None, problem: Problem, prepared: stack.Prepared
    ) -> Iterator[tuple[str, Callable[[], Recommender | Judged]]]:
        """Label, and how to make it, of all that are asked for; parts that could not be used are passed over."""
        options, label = entry.options, entry.label
        stacked = partial(stack.stacked, problem)
        if self.ablation:
            yield f"{label}_linear", partial(stacked, dataclasses.replace(options, level="linear"), prepared)
            for part in prepared.parts if len(prepared.parts) > 1 else ():
                yield f"{label}_without_{part}", partial(stacked, options, prepared.without(part))
        if self.labels:
            yield f"{label}_labels", partial(by_labels, question, base, problem, options, prepared, self.labels)


NONE = Variants()


def by_labels(
    question: Question,
    base: Base | None,
    problem: Problem,
    options: stack.StackOptions,
    prepared: stack.Prepared,
    folds: int,
) -> Judged:
    """Places by a stack whose parts know the labels of all people of other folds, as purchases.

    People are in one fold with all their lists, so that no label scores itself. The levels are those of the stack and
    saw no label; the parts are fitted anew for each fold, with the labels of the others among their rows.
    """
    users, columns = question.lists.users, np.where(question.columns < 0, question.columns[:, 1:2], question.columns)
    levels, facts = learned(prepared.lists, stack.learning_of(options, problem.seed))
    fold = np.unique(users, return_inverse=True)[1] % folds
    found = np.empty(len(fold))
    for number in range(folds):
        mine = fold == number
        told = with_labels(problem, users[~mine])
        parts = stack.fitted(base, told, options, prepared.parts)
        scores = _scores(levels, given_lists(told, list(parts.values()), users[mine], columns[mine]))
        scores[question.columns[mine] < 0] = -np.inf
        found[mine] = place_of(scores[:, 0], scores[:, 1:])
    return Judged((found, np.zeros(0)), facts | {"label_folds": folds})


def with_labels(problem: Problem, users: Codes) -> Problem:
    """`problem` where the test rows of `users` are visible too."""
    split = problem.split
    labels = split.test.filter(pl.col("user").is_in(pl.Series(users).implode()))
    return dataclasses.replace(problem, split=dataclasses.replace(split, train=pl.concat([split.train, labels])))


def _scores(levels: Levels, lists: Lists) -> Floats:
    by_part = [lists.scores[:, :, number] for number in range(lists.scores.shape[2])]
    return levels.judged(lists.features, levels.linear(by_part, lists.known))
