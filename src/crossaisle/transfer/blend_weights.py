"""Weights of a blend's parts, learned on held-out people of the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..errors import MethodError
from ..metrics import Bools, Doubles, ideal_dcg, ndcg_at, place_of
from ..recommender import Recommender
from ..rng import generator
from ..types import Codes, Floats, History
from .common import standardised
from .problem import Problem, count_matrix
from .weights import beats, ensemble_selection, most_likely

K = 10
"""Places of the ranking that weights are judged on."""
SHORTLIST = 1000
"""People judge by items that are among so many first ones of any part: others will not come out on top."""
LEAST = 0.02
"""Parts with a smaller weight are left out: they cost time and change nothing."""
SCORES = 10_000_000
"""Most scores of a part that a fold is judged on; with a larger catalogue fewer of its people are asked."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Some of the target's users, held out.

    Attributes:
        problem: what is left to fit on.
        users: (n,) codes of the held-out users.
        relevant: (n, catalogue) CSR, what they bought and `problem` does not show.
        known: (n, catalogue) CSR, what `problem` still shows of them in the target.
    """

    problem: Problem
    users: Codes
    relevant: sp.csr_matrix
    known: sp.csr_matrix


def held_out(problem: Problem, fold: int, folds: int) -> Fold:
    """Fold number `fold`: half of its users are hidden in the target altogether, of the others every second item.

    Of whom nothing at all is left is not asked: to them every part says what is popular, whatever its weight.
    """
    world, rows = problem.world, problem.target_rows
    users = np.unique(rows["user"].to_numpy()).astype(np.int64)
    draw = generator(problem.seed, "blend", problem.target)
    group = np.full(world.n_users, -1)
    group[users] = draw.integers(0, folds, len(users))
    cold = np.zeros(world.n_users, dtype=bool)
    cold[users] = draw.random(len(users)) < 0.5
    odd = draw.random(world.n_items) < 0.5
    user, item = problem.split.train["user"].to_numpy(), problem.split.train["item"].to_numpy()
    of_target = problem.split.train["domain"].to_numpy() == problem.domain_codes[-1]
    hide = of_target & (group[user] == fold) & (cold[user] | odd[item])
    hidden, left = (problem.split.train.filter(pl.Series(mask)) for mask in (hide, ~hide))
    smaller = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=left))
    ranked = hidden.filter(pl.col("item").is_in(pl.Series(problem.catalogue).implode()))
    people = np.unique(ranked["user"].to_numpy()).astype(np.int64)
    left_of = np.diff(smaller.history.counts.indptr)[people]
    asked = some_of(people[left_of > 0], len(problem.catalogue), draw)
    relevant = count_matrix(hidden, world.n_users, world.n_items)[asked][:, problem.catalogue]
    return Fold(smaller, asked, relevant, smaller.target_counts[asked])


def some_of(users: Codes, catalogue: int, draw: np.random.Generator) -> Codes:
    """As many of `users` as may be asked about `catalogue` items (see `SCORES`), sorted."""
    most = max(1, SCORES // max(catalogue, 1))
    return users if len(users) <= most else np.sort(draw.choice(users, most, replace=False))


@dataclass(frozen=True)
class Learning:
    """How weights are learned.

    Attributes:
        prior: (parts,) weights before anything is seen, sum 1.
        prior_users: it counts as much as so many held-out people.
        min_users: with fewer cold people these have no weights of their own.
        rounds: of `ensemble_selection`.
    """

    prior: Doubles
    prior_users: int
    min_users: int
    rounds: int


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody held out, and what each part says of the items near its top.

    Attributes:
        scores: (parts, items) standardised, of their shortlist (see `SHORTLIST`); what they have already is not in it.
        bought: (b,) columns of what they bought and the shortlist holds.
        number: how many items of the catalogue they bought.
        cold: whether they have something, but nothing of the catalogue.
    """

    scores: Floats
    bought: Codes
    number: int
    cold: bool

    @classmethod
    def of(cls, scores: Floats, bought: Codes, known: Codes, cold: bool) -> Person:
        """Of scores (parts, catalogue), and the columns of what they bought and what they have."""
        first = min(SHORTLIST, scores.shape[1])
        near, wanted = np.zeros((2, scores.shape[1]), dtype=bool)
        open_to_them = scores.copy()
        open_to_them[:, known] = -np.inf
        near[np.argpartition(-open_to_them, first - 1, axis=1)[:, :first]] = True
        near[known] = False
        wanted[bought] = True
        return cls(scores[:, near], np.flatnonzero(wanted[near]), len(bought), cold)

    def judged(self, weights: Doubles) -> Doubles:
        """(tries,) nDCG@10 under `weights` (tries, parts); a tie counts half a place."""
        mixed = weights.astype(np.float32) @ self.scores
        gain = np.zeros(len(weights))
        for column in self.bought:
            gain += ndcg_at(place_of(mixed[:, column], mixed) - 0.5, K)  # each stands beside itself, too
        return gain / ideal_dcg(np.array(self.number), K)


@dataclass(frozen=True, eq=False)
class Jury:
    """Held-out people by whom weights of `parts` parts are judged."""

    parts: int
    people: Sequence[Person]

    def judged(self, weights: Doubles) -> Doubles:
        """(tries, n) nDCG@10 of all of them under `weights` (tries, parts)."""
        return np.stack([person.judged(weights) for person in self.people], axis=1)

    def likeliest(self) -> Doubles:
        """(parts,) weights under which they most likely choose what they bought from their shortlists.

        See `most_likely`; all 0 where no shortlist holds anything that was bought.
        """
        telling = [person for person in self.people if len(person.bought)]
        if not telling:
            return np.zeros(self.parts)
        starts = np.cumsum([0] + [person.scores.shape[1] for person in telling])
        wanted = np.zeros(starts[-1], dtype=bool)
        for start, person in zip(starts[:-1], telling, strict=True):
            wanted[start + person.bought] = True
        scores = np.concatenate([person.scores.T for person in telling])
        return most_likely(scores, starts[:-1], wanted)

    def of_cold(self) -> Jury:
        """Those of them who are cold."""
        return Jury(self.parts, [person for person in self.people if person.cold])

    def halves(self) -> tuple[Jury, Jury]:
        """Every second of them, and the others."""
        return Jury(self.parts, self.people[::2]), Jury(self.parts, self.people[1::2])


def cold_in(history: History, catalogue: Codes) -> Bools:
    """(n,) who of `history` has something, but nothing of `catalogue`."""
    inside = np.isin(history.counts.indices, catalogue)
    ends = np.concatenate([[0], np.cumsum(inside)])[history.counts.indptr]
    return np.asarray((np.diff(ends) == 0) & (np.diff(history.counts.indptr) > 0))


def learned(
    names: Sequence[str], folds: Sequence[Fold], fit: Callable[[str, Problem], Recommender], learning: Learning
) -> tuple[Doubles, dict[str, Any]]:
    """Weights (2, parts) for everybody and for cold people, see `cold_in`, and how they do.

    The first are found on everybody and shrunk to the prior, the second found on cold people and shrunk to the first.
    Weights of their own for known people are worse: there are fewer of them at a launch.

    Args:
        names: of the parts.
        folds: people to judge by.
        fit: name, problem → that part.
        learning: how.
    """
    jury = jury_of(names, folds, fit)
    weights, alone = own_weights(jury, learning)
    facts = {
        "validation_ndcg": {n: round(float(v), 4) for n, v in zip(names, alone.mean(axis=1), strict=True)},
        "validation_ndcg_blend": round(float(jury.judged(weights[None, :]).mean()), 4),
    }
    cold_jury, cold = jury.of_cold(), weights
    if len(cold_jury.people) >= learning.min_users:
        cold, _ = own_weights(cold_jury, dataclasses.replace(learning, prior=weights))
    return np.stack([weights, cold]), facts


def jury_of(names: Sequence[str], folds: Sequence[Fold], fit: Callable[[str, Problem], Recommender]) -> Jury:
    """What parts `names`, fitted without the people of each of `folds`, say of them."""
    people: list[Person] = []
    for fold in folds:
        history = fold.problem.history_for(fold.users)
        scores = np.stack([scores_of(n, fold.problem, fit, history) for n in names])
        cold = cold_in(history, fold.problem.catalogue)
        people += [
            Person.of(scores[:, n], fold.relevant[n].indices, fold.known[n].indices, bool(cold[n]))
            for n in range(len(fold.users))
        ]
    return Jury(len(names), people)


def scores_of(name: str, left: Problem, fit: Callable[[str, Problem], Recommender], history: History) -> Floats:
    """(n, catalogue) standardised scores of part `name` fitted on `left`, all 0 where it cannot be fitted there."""
    try:
        return standardised(fit(name, left).scorer.score(history))
    except MethodError:
        return np.zeros((len(history), len(left.catalogue)), dtype=np.float32)


def own_weights(jury: Jury, learning: Learning) -> tuple[Doubles, Doubles]:
    """(parts,) weights found for `jury`, shrunk to the prior, and what each part reaches alone (parts, n).

    Where the best part alone ranks better beyond noise, they are not shrunk; where it still does, it is all there is.
    """
    each = np.eye(len(learning.prior))
    alone, found = jury.judged(each), best_found(jury, learning.rounds)
    if not found.any():
        return learning.prior, alone
    best = int(alone.mean(axis=1).argmax())
    for weights in (shrunk(found, alone.shape[1], learning), found):
        if not beats(alone[best], jury.judged(weights[None, :])[0]):
            return weights, alone
    return each[best], alone


def best_found(jury: Jury, rounds: int) -> Doubles:
    """(parts,) the likeliest weights, or those that rank best where that pays.

    The likeliest have little noise, but where a part's scores stand far out, wrong ones cost it more than places in a
    ranking. So each half of the people chooses weights of both kinds, which the other half judges: those that rank best
    have to be better beyond noise.
    """
    first, second = jury.halves()
    if not second.people:
        return jury.likeliest()
    found: list[Doubles] = []
    for chosen, judge in ((first, second), (second, first)):
        ranking, _ = ensemble_selection(jury.parts, rounds, chosen.judged)
        found.append(judge.judged(np.stack([ranking, chosen.likeliest()])))
    ranking, likely = np.concatenate(found, axis=1)
    if beats(ranking, likely, jury.parts):
        return ensemble_selection(jury.parts, rounds, jury.judged)[0]
    return jury.likeliest()


def shrunk(found: Doubles, users: int, learning: Learning) -> Doubles:
    """(parts,) mean of the weights found on `users` people and the prior, small ones left out."""
    mixed = (users * found + learning.prior_users * learning.prior) / (users + learning.prior_users)
    kept = np.where(mixed < LEAST, 0.0, mixed)
    return np.asarray(kept / kept.sum())
