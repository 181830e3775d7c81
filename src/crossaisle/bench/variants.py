"""Variants of a stack: without one of its parts, its linear level alone, and learned from the labels out of fold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..evaluate.spec import Entry
from ..metrics import Doubles, place_of
from ..recommender import Recommender
from ..transfer import stack
from ..transfer.levels import Levels, learned, trained
from ..transfer.lists import Lists, given_lists
from ..transfer.problem import Problem
from ..types import Floats
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
        labels: also one that learns from the labels of the other people's lists, in this many folds; 0: none.
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
        self, entry: Entry, question: Question, problem: Problem, prepared: stack.Prepared
    ) -> Iterator[tuple[str, Callable[[], Recommender | Judged]]]:
        """Label, and how to make it, of all that are asked for; parts that could not be used are passed over."""
        options, label = entry.options, entry.label
        stacked = partial(stack.stacked, problem)
        if self.ablation:
            yield f"{label}_linear", partial(stacked, dataclasses.replace(options, level="linear"), prepared)
            for part in prepared.parts if len(prepared.parts) > 1 else ():
                yield f"{label}_without_{part}", partial(stacked, options, prepared.without(part))
        if self.labels:
            yield f"{label}_labels", partial(by_labels, question, problem, options, prepared, self.labels)


NONE = Variants()


def by_labels(
    question: Question, problem: Problem, options: stack.StackOptions, prepared: stack.Prepared, folds: int
) -> Judged:
    """Places by levels that learned from held-out purchases and from the labels of all people of other folds.

    People are in one fold with all their lists, so that no label scores itself. The parts see no label.
    """
    columns = np.where(question.columns < 0, question.columns[:, 1:2], question.columns)
    asked = given_lists(problem, list(prepared.parts.values()), question.lists.users, columns)
    learning = stack.learning_of(options, problem.seed)
    unlabelled, facts = learned(prepared.lists, learning)
    fold = np.unique(asked.users, return_inverse=True)[1] % folds
    found = np.empty(len(fold))
    for number in range(folds):
        levels = trained(unlabelled, prepared.lists, asked.take(fold != number), learning)
        scores = _scores(levels, asked.take(fold == number))
        scores[question.columns[fold == number] < 0] = -np.inf
        found[fold == number] = place_of(scores[:, 0], scores[:, 1:])
    return Judged((found, np.zeros(0)), facts | {"label_folds": folds})


def _scores(levels: Levels, lists: Lists) -> Floats:
    by_part = [lists.scores[:, :, number] for number in range(lists.scores.shape[2])]
    return levels.judged(lists.features, levels.linear(by_part, lists.known))
