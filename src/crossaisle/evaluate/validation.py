"""Validation: purchases held out of what is visible, on which options of a method are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..data.fingerprint import of_tables
from ..errors import TrainingError
from ..metrics import Bools, Doubles, ndcg_at, place_of
from ..rng import generator
from ..transfer.lists import Hold, Sampling, hide
from ..transfer.problem import Problem, count_matrix
from ..types import Codes, Floats, History

K = 10
"""Places of the ranking that count."""
MOST = 5_000
"""Purchases that are asked, at most."""
PER_PERSON = 5
FOLDS = 2
"""With 2 half of the target's people are held out, where people are."""
LEAST = 20
"""With fewer people nothing can be judged."""
_SCORES = 4_000_000
Origin = Literal["valid", "held out"]


@dataclass(frozen=True)
class Protocol:
    """What is held out, and what it is ranked among.

    Attributes:
        hold: what is hidden of a person, as in `transfer.lists.Sampling`; without a part of its own for selection.
        events: kinds of events that are asked; all when empty.
        candidates: items drawn beside each purchase; None: the whole catalogue.
    """

    hold: Hold = "half"
    events: tuple[str, ...] = ()
    candidates: int | None = None


@dataclass(frozen=True, eq=False)
class Validation:
    """Purchases that `problem` does not show, each ranked among items that the person does not have.

    Attributes:
        problem: what methods are fitted on.
        users: (n,) codes, ascending; whose purchase it is.
        wanted: (n,) catalogue columns of what was bought.
        had: (users of the World, catalogue) CSR; what people have, held out or not: it never competes.
        others: (n, m) catalogue columns to rank it among, −1 fills; None: the whole catalogue.
        origin: ``valid``: the split's rows for selection; ``held out``: rows taken out of the visible ones.
    """

    problem: Problem
    users: Codes
    wanted: Codes
    had: sp.csr_matrix
    others: Codes | None
    origin: Origin

    @property
    def enough(self) -> bool:
        """Whether there are people enough to judge anything."""
        return len(self.people) >= LEAST

    @property
    def people(self) -> Codes:
        """(p,) who is asked, ascending."""
        return np.unique(self.users)

    @property
    def mark(self) -> str:
        """Hash of what is shown and what is asked."""
        asked = pl.DataFrame({"user": self.users, "wanted": self.wanted})
        others = pl.DataFrame() if self.others is None else pl.DataFrame({"others": self.others.ravel()})
        catalogue = pl.DataFrame({"catalogue": self.problem.catalogue})
        return of_tables((self.problem.visible, asked, others, catalogue), ())

    def quality(self, score: Callable[[History], Floats]) -> Doubles:
        """(p,) nDCG@10 of each of `people`, the mean over their purchases; a tie counts half a place.

        Raises:
            TrainingError: a score is not a number.
        """
        people, row_of = np.unique(self.users, return_inverse=True)
        found = np.empty(len(self.users))
        step = int(np.clip(_SCORES // len(self.problem.catalogue) // PER_PERSON, 16, 512))
        for start in range(0, len(people), step):
            block = people[start : start + step]
            scores = np.array(score(self.problem.history_for(block)), copy=True)
            if np.isnan(scores).any():
                raise TrainingError("a method gave scores that are not numbers (NaN); lower its learning rate.")
            mine = np.flatnonzero((row_of >= start) & (row_of < start + step))
            found[mine] = ndcg_at(self._places(scores, block, row_of[mine] - start, mine), K)
        return np.asarray(np.bincount(row_of, found) / np.bincount(row_of))

    def _places(self, scores: Floats, block: Codes, rows: Codes, mine: Codes) -> Doubles:
        """(m,) places of the purchases `mine`; `rows` says which rows of `scores` are theirs."""
        wanted = scores[rows, self.wanted[mine]]
        if self.others is None:
            scores[self.had[block].nonzero()] = -np.inf
            return place_of(wanted, scores[rows])
        columns = self.others[mine]
        return place_of(wanted, np.where(columns < 0, -np.inf, scores[rows[:, None], columns]))


def validation_of(problem: Problem, protocol: Protocol | None = None) -> Validation:
    """What to judge options on: the split's own part for selection, or rows held out where that is empty or too small.

    Test rows are not read. Where the target has few rows, few people or none are asked.

    Args:
        problem: what is visible, and its seed.
        protocol: what is held out; people, half of them altogether, when None.

    Raises:
        MethodError: an event that the World does not have.
    """
    chosen = protocol or Protocol()
    had, shown, pairs = problem.target_counts, problem, _of_valid(problem)
    origin: Origin = "valid" if pairs["user"].n_unique() >= LEAST else "held out"
    if origin == "valid":
        had = had + count_matrix(pairs, problem.world.n_users, problem.world.n_items)[:, problem.catalogue]
        pairs = _drawn(problem, pairs)
    elif len(problem.target_rows):  # its own part is empty or too small
        sampling = Sampling(chosen.hold, FOLDS, MOST * FOLDS, PER_PERSON, events=chosen.events)
        shown, pairs = hide(problem, sampling, 0)
        pairs = _listed(problem, pairs)
    pairs = pairs.sort("user", "item")
    users = pairs["user"].to_numpy().astype(np.int64)
    wanted = np.searchsorted(problem.catalogue, pairs["item"].to_numpy()).astype(np.int64)
    others = None if chosen.candidates is None else _candidates(problem, users, had, chosen.candidates)
    return Validation(shown, users, wanted, had, others, origin)


def _listed(problem: Problem, rows: pl.DataFrame) -> pl.DataFrame:
    """Distinct pairs (user, item) of `rows` whose item is in the catalogue."""
    listed = rows.filter(pl.col("item").is_in(pl.Series(problem.catalogue).implode()))
    return listed.select("user", "item").unique(maintain_order=True)


def _of_valid(problem: Problem) -> pl.DataFrame:
    """Distinct pairs (user, item) of the target that select, new to a person of whom something is known."""
    pairs = _listed(problem, problem.split.valid.filter(pl.col("domain") == problem.domain_codes[-1]))
    if not len(pairs):
        return pairs
    pairs = pairs.join(problem.target_rows.select("user", "item"), on=["user", "item"], how="anti")
    known = np.diff(problem.history.counts.indptr)[pairs["user"].to_numpy()] > 0
    return pairs.filter(pl.Series(known))


def _drawn(problem: Problem, pairs: pl.DataFrame) -> pl.DataFrame:
    """At most `MOST` of `pairs`, at most `PER_PERSON` of each person."""
    order = generator(problem.seed, "validation", problem.target).random(len(pairs))
    placed = pairs.with_columns(order=pl.Series(order)).sort("order")
    return placed.filter(pl.int_range(pl.len()).over("user") < PER_PERSON).head(MOST).select("user", "item")


def _candidates(problem: Problem, users: Codes, had: sp.csr_matrix, number: int) -> Codes:
    """(n, number) catalogue columns that the person does not have, the same for all methods; −1 where none is left."""
    draw = generator(problem.seed, "candidates", problem.target)
    items = len(problem.catalogue)
    width, found = min(number, items), []
    for start in range(0, len(users), 256):
        taken: Bools = had[users[start : start + 256]].toarray() > 0
        value = np.where(taken, 2.0, draw.random(taken.shape))
        columns = np.argpartition(value, width - 1, axis=1)[:, :width]
        found.append(np.where(np.take_along_axis(value, columns, axis=1) > 1, -1, columns))
    return np.concatenate(found)
