"""Lists to learn ranking from: purchases that were held out, each among items that the person does not have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from ..errors import MethodError, unknown
from ..metrics import Bools
from ..rng import generator
from ..types import Codes, Floats, Scorer
from .common import standardised
from .features import VIEWS, Facts, features_of, picked
from .problem import Problem

Hold = Literal["one", "half", "all"]
_BLOCK = 256


@dataclass(frozen=True)
class Sampling:
    """How lists are drawn.

    Attributes:
        hold: what is hidden of a person in the target: ``one`` item, every second item or all of them (``half``), or
            ``all``, so that the person is cold.
        folds: rounds; with ``one`` everybody is held out in each, else a part of the people.
        most: lists in all.
        per_person: lists a person and round.
        negatives: items drawn beside the one that was bought.
        pool: lists are made of items that are among the first so many by all parts alike, the bought one too (else the
            list is dropped): what tells items apart there may differ from the whole catalogue; 0: of all items.
        events: kinds of events that make lists, and whose items are drawn beside; all when empty.
    """

    hold: Hold = "half"
    folds: int = 3
    most: int = 20_000
    per_person: int = 5
    negatives: int = 100
    pool: int = 0
    events: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of one held-out item (first) and others, seen through the parts.

    Attributes:
        users: (n,) codes.
        scores: (n, 1 + negatives, parts) standardised over the catalogue.
        features: (n, 1 + negatives, f), see `features_of`.
        known: (n,) how many items of the catalogue the person has, what is held out not counted.
    """

    users: Codes
    scores: Floats
    features: Floats
    known: Codes

    @classmethod
    def empty(cls, parts: int) -> Lists:
        """No list, seen through so many parts."""
        nobody = np.zeros(0, dtype=np.int64)
        scores, features = (np.zeros((0, 1, number), dtype=np.float32) for number in (parts, VIEWS * parts))
        return cls(nobody, scores, features, nobody)

    def take(self, rows: Bools) -> Lists:
        """The lists at `rows` (n,)."""
        return Lists(self.users[rows], self.scores[rows], self.features[rows], self.known[rows])

    def without(self, part: int) -> Lists:
        """The same lists without part number `part`."""
        parts = self.scores.shape[2]
        gone = [part + view * parts for view in range(VIEWS)]
        return dataclasses.replace(
            self, scores=np.delete(self.scores, part, axis=2), features=np.delete(self.features, gone, axis=2)
        )


Fit = Callable[[Problem], Sequence[Scorer]]


def lists_of(problem: Problem, fit: Fit, sampling: Sampling) -> Lists:
    """Hide rows, fit the parts on the rest, and look at what was hidden through their scores.

    Args:
        problem: what is visible; nothing else is read.
        fit: parts on a smaller problem.
        sampling: how much is hidden and drawn.
    """
    made = []
    for fold in range(sampling.folds):
        smaller, hidden = hide(problem, sampling, fold)
        if len(hidden):
            made.append(_seen(problem, smaller, hidden, fit(smaller), sampling, fold))
    if not made:
        return Lists.empty(1)
    parts = ([getattr(lists, f.name) for lists in made] for f in dataclasses.fields(Lists))
    return Lists(*(np.concatenate(part) for part in parts))


def hide(problem: Problem, sampling: Sampling, fold: int) -> tuple[Problem, pl.DataFrame]:
    """`problem` without the rows that are held out in round `fold`, and the pairs (user, item) to ask for."""
    ranked = pl.col("item").is_in(pl.Series(problem.catalogue).implode())
    listed = asked_rows(problem, sampling.events).filter(ranked)
    asked_for = listed.select("user", "item").unique().with_columns(listed=True)
    pairs = problem.target_rows.select("user", "item").unique(maintain_order=True)
    pairs = pairs.join(asked_for, on=["user", "item"], how="left", maintain_order="left").fill_null(value=False)
    draw = generator(problem.seed, "lists", str(fold), problem.target)
    pairs = pairs.with_columns(pl.Series("order", draw.random(len(pairs)))).sort("order")
    place, number = pl.int_range(pl.len()).over("user"), pl.len().over("user")
    if sampling.hold == "one":
        chosen = pairs.with_columns(many=number > 1).filter("listed", "many").filter(place == 0)
    else:
        people = pairs["user"].unique().sort()
        if sampling.hold == "all":
            people = _known_elsewhere(problem, people)
        group = generator(problem.seed, "groups", problem.target).integers(0, sampling.folds, len(people))
        held = people.filter(pl.Series(group == fold))
        cold = held if sampling.hold == "all" else held.filter(pl.Series(draw.random(len(held)) < 0.5))
        of_fold = pairs.filter(pl.col("user").is_in(held.implode()))
        chosen = of_fold.filter(pl.col("user").is_in(cold.implode()) | (place % 2 == 0))
    rows = problem.split.train
    target = pl.col("domain") == problem.domain_codes[-1]
    left = pl.concat([rows.filter(~target), rows.filter(target).join(chosen, on=["user", "item"], how="anti")])
    smaller = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=left))
    known = np.diff(smaller.history.counts.indptr)[chosen["user"].to_numpy()] > 0
    asked = chosen.filter(pl.Series(known) & pl.col("listed")).filter(place < sampling.per_person)
    return smaller, asked.head(sampling.most // sampling.folds).select("user", "item").sort("user", "item")


def _known_elsewhere(problem: Problem, people: pl.Series) -> pl.Series:
    """Those of `people` with rows outside the target: without these a cold person leaves nothing to learn from."""
    others = problem.visible.filter(pl.col("domain") != problem.domain_codes[-1])["user"].unique()
    known = people.filter(people.is_in(others.implode()))
    return known if len(known) else people


def asked_rows(problem: Problem, events: tuple[str, ...]) -> pl.DataFrame:
    """Visible rows of the target with one of `events`; all where none is named.

    Raises:
        MethodError: an event that the World does not have.
    """
    names = problem.world.events.ids.to_list()
    strange = [e for e in events if e not in names]
    if strange:
        raise MethodError(unknown("event", strange[0], names))
    codes = [names.index(e) for e in events]
    return problem.target_rows.filter(pl.col("event").is_in(codes)) if events else problem.target_rows


def _seen(
    problem: Problem, smaller: Problem, hidden: pl.DataFrame, parts: Sequence[Scorer], sampling: Sampling, fold: int
) -> Lists:
    users, item = hidden["user"].to_numpy(), hidden["item"].to_numpy()
    wanted = np.searchsorted(problem.catalogue, item)
    sold = asked_rows(problem, sampling.events)["item"].unique().to_numpy()
    strange = ~np.isin(problem.catalogue, sold) if sampling.events else np.zeros(len(problem.catalogue), dtype=bool)
    draw = generator(problem.seed, "negatives", str(fold))
    inside = np.ones(len(users), dtype=bool)

    def columns(block: Codes, rows: Codes, mine: Codes, standard: Sequence[Floats]) -> Codes:
        had = (problem.target_counts[block].toarray() > 0) | strange[None, :]
        total = together(standard)
        least = _least(np.where(had, -np.inf, total), sampling.pool)
        inside[mine] = total[rows, wanted[mine]] >= least[rows]
        outside = had | (total < least[:, None])
        return _columns(draw, outside[rows], wanted[mine], sampling.negatives)

    return _through(smaller, parts, users, columns).take(inside)


def together(standard: Sequence[Floats]) -> Floats:
    """(b, catalogue) sum of the parts' standardised scores, by which a shortlist is drawn up."""
    total = np.zeros_like(standard[0])
    for part in standard:
        total += part
    return total


def _least(scores: Floats, number: int) -> Floats:
    """(b,) the `number`-th greatest score of each row; −∞ where all count (0), or a row has no more."""
    if not 0 < number < scores.shape[1]:
        return np.full(len(scores), -np.inf, dtype=np.float32)
    least: Floats = np.partition(scores, -number, axis=1)[:, -number]
    return least


def given_lists(problem: Problem, parts: Sequence[Scorer], users: Codes, columns: Codes) -> Lists:
    """Lists that are given, seen through parts.

    Args:
        problem: what the parts were fitted on.
        parts: scorers.
        users: (n,) whose lists.
        columns: (n, m) columns of the catalogue, the wanted item first.
    """
    order = np.argsort(users, kind="stable")
    found = _through(problem, parts, users[order], lambda block, rows, mine, standard: columns[order[mine]])
    back = np.argsort(order, kind="stable")
    return Lists(found.users[back], found.scores[back], found.features[back], found.known[back])


Choose = Callable[[Codes, Codes, Codes, Sequence[Floats]], Codes]
"""People of a block, rows of the block's scores, numbers of their lists, standardised scores → (lists, m) columns."""


def _through(problem: Problem, parts: Sequence[Scorer], users: Codes, choose: Choose) -> Lists:
    """Lists of `users` (n,) sorted, with the columns that `choose` gives, through `parts`."""
    people, facts = np.unique(users), Facts.of(problem)
    scores, features, known = [], [], []
    for start in range(0, len(people), _BLOCK):
        block = people[start : start + _BLOCK]
        history = problem.history_for(block)
        raw = [part.score(history) for part in parts]
        standard = [standardised(r) for r in raw]
        mine = np.flatnonzero((users >= block[0]) & (users <= block[-1]))
        rows = np.searchsorted(block, users[mine])
        columns = choose(block, rows, mine, standard)
        scores.append(picked(standard, rows, columns))
        features.append(features_of(raw, standard, facts, history, rows, columns))
        known.append(facts.known(history)[rows])
    return Lists(users, np.concatenate(scores), np.concatenate(features), np.concatenate(known))


def _columns(draw: np.random.Generator, outside: Bools, wanted: Codes, negatives: int) -> Codes:
    """(n, 1 + negatives) catalogue columns: the wanted one, and others that are not `outside` (n, catalogue)."""
    random = np.where(outside, 2.0, draw.random(outside.shape, dtype=np.float32))
    random[np.arange(len(wanted)), wanted] = 3.0  # where the catalogue is small, all others are drawn
    number = min(negatives, outside.shape[1] - 1)
    return np.concatenate([wanted[:, None], np.argpartition(random, number - 1, axis=1)[:, :number]], axis=1)
