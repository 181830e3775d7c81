"""Tuner: the entries of a study, or of a benchmark, with options found by `search`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..transfer.problem import Problem
from .bases import Bases
from .budget import Budget
from .search import Search, tuned
from .spec import Entry
from .steps import seen_by
from .validation import Protocol, Validation, validation_of


@dataclass
class Tuner:
    """Searches the options of each method once a question, for as long as the budget says.

    Attributes:
        budget: of each method and question; None: options stay as they are.
        bases: for methods that read one.
        protocol: what is held out.
        free: options that an entry names are where the search starts; otherwise they are not searched.
        problem: the last one; what follows is about it.
        asked: what is held out of it.
        made: label → the entry with the options found, and facts about the search.
    """

    budget: Budget | None
    bases: Bases
    protocol: Protocol | None = None
    free: bool = False
    problem: Problem | None = None
    asked: Validation | None = None
    made: dict[str, tuple[Entry, dict[str, Any]]] = field(default_factory=dict)

    def tuned(self, entry: Entry, problem: Problem) -> tuple[Entry, dict[str, Any]]:
        """`entry` with the options found on `problem`, and facts about the search; none without a budget.

        Raises:
            MethodError: there is no base and the method needs one.
            StorageError: the trials cannot be written.
        """
        if self.budget is None:
            return entry, {}
        if self.asked is None or self.problem is not problem:
            self.problem, self.asked, self.made = problem, validation_of(problem, self.protocol), {}
        if entry.label not in self.made:
            self.made[entry.label] = self._searched(entry, problem, self.asked, self.budget)
        return self.made[entry.label]

    def _searched(
        self, entry: Entry, problem: Problem, asked: Validation, budget: Budget
    ) -> tuple[Entry, dict[str, Any]]:
        base, _ = self.bases.get(entry, problem, problem.seed)
        kept = frozenset() if self.free else entry.given
        own = replace(asked, problem=seen_by(entry, asked.problem))
        found = tuned(Search(entry.method, entry.options, own, base, kept, entry.label), budget)
        return replace(entry, options=found.options), found.facts
