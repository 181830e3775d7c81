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

KNOWN = -1e6
"""Score of what a person has already, below all others: −∞ times a weight of 0 would be no number."""
K = 10
"""Places of the ranking that weights are judged on."""
SHORTLIST = 1000
"""Weights are learned on the items that are among so many first ones of a part: what decides who is on top."""
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
class Jury:
    """Held-out people, and what each part says of them.

    Attributes:
        scores: of each fold (parts, n, catalogue) standardised scores, far below all where an item is known already.
        relevant: of each fold (n, catalogue) CSR, what they bought; no row is empty.
        cold: of each fold (n,) whether they have something, but nothing of the catalogue.
    """

    scores: Sequence[Floats]
    relevant: Sequence[sp.csr_matrix]
    cold: Sequence[Bools]

    def judged(self, weights: Doubles) -> Doubles:
        """(tries, n) nDCG@10 of all held-out people under `weights` (tries, parts); a tie counts half a place."""
        found = []
        for parts, asked in zip(self.scores, self.relevant, strict=True):
            if not asked.shape[0]:
                continue
            places = np.concatenate(
                [places_under(weights, parts[:, n], asked[n].indices) for n in range(asked.shape[0])]
            )
            gains = np.add.reduceat(ndcg_at(places, K), asked.indptr[:-1], axis=0)
            found.append(gains.T / ideal_dcg(np.diff(asked.indptr), K))
        return np.concatenate(found, axis=1)

    def likeliest(self) -> Doubles:
        """(parts,) weights under which they most likely choose what they bought from their shortlists.

        See `SHORTLIST` and `most_likely`; all 0 where no shortlist holds anything that was bought.
        """
        lists = [
            shortlist(parts[:, n], asked[n].indices)
            for parts, asked in zip(self.scores, self.relevant, strict=True)
            for n in range(asked.shape[0])
        ]
        telling = [(scores, wanted) for scores, wanted in lists if wanted.any()]
        if not telling:
            return np.zeros(len(self.scores[0]))
        ends = np.cumsum([len(wanted) for _, wanted in telling])
        scores, wanted = (np.concatenate(kind) for kind in zip(*telling, strict=True))
        return most_likely(scores, np.append(0, ends[:-1]), wanted)

    def of_cold(self) -> Jury:
        """Those of them who are cold."""
        return self.take(self.cold)

    def halves(self) -> tuple[Jury, Jury]:
        """Every second of them, and the others."""
        even = [np.arange(len(c)) % 2 == 0 for c in self.cold]
        return self.take(even), self.take([~e for e in even])

    def take(self, people: Sequence[Bools]) -> Jury:
        """Of each fold those at `people` (n,)."""
        scores = [s[:, p] for s, p in zip(self.scores, people, strict=True)]
        relevant = [r[p] for r, p in zip(self.relevant, people, strict=True)]
        return Jury(scores, relevant, [c[p] for c, p in zip(self.cold, people, strict=True)])


def cold_in(history: History, catalogue: Codes) -> Bools:
    """(n,) who of `history` has something, but nothing of `catalogue`."""
    inside = np.isin(history.counts.indices, catalogue)
    ends = np.concatenate([[0], np.cumsum(inside)])[history.counts.indptr]
    return np.asarray((np.diff(ends) == 0) & (np.diff(history.counts.indptr) > 0))


def shortlist(scores: Floats, bought: Codes) -> tuple[Floats, Bools]:
    """One person's scores (parts, catalogue) of items near the top of any part: (items, parts), and (items,) bought."""
    first = min(SHORTLIST, scores.shape[1])
    near, wanted = np.zeros((2, scores.shape[1]), dtype=bool)
    near[np.argpartition(-scores, first - 1, axis=1)[:, :first]] = True
    near &= scores[0] > KNOWN
    wanted[bought] = True
    return scores[:, near].T, wanted[near]


def places_under(weights: Doubles, scores: Floats, wanted: Codes) -> Doubles:
    """(wanted, tries) places from 1 of the columns `wanted` of one person's `scores` (parts, catalogue), weighted."""
    mixed = weights.astype(np.float32) @ scores
    return np.stack([place_of(mixed[:, w], mixed) for w in wanted]) - 0.5  # each stands beside itself, too


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
    if sum(c.sum() for c in cold_jury.cold) >= learning.min_users:
        cold, _ = own_weights(cold_jury, dataclasses.replace(learning, prior=weights))
    return np.stack([weights, cold]), facts


def jury_of(names: Sequence[str], folds: Sequence[Fold], fit: Callable[[str, Problem], Recommender]) -> Jury:
    """What parts `names`, fitted without the people of each of `folds`, say of them."""
    scores, cold = [], []
    for fold in folds:
        history = fold.problem.history_for(fold.users)
        made = np.stack([scores_of(n, fold.problem, fit, history) for n in names])
        made[:, *fold.known.nonzero()] = KNOWN
        scores.append(made)
        cold.append(cold_in(history, fold.problem.catalogue))
    return Jury(scores, [fold.relevant for fold in folds], cold)


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
    found: list[Doubles] = []
    for chosen, judge in (jury.halves(), jury.halves()[::-1]):
        ranking, _ = ensemble_selection(len(chosen.scores[0]), rounds, chosen.judged)
        found.append(judge.judged(np.stack([ranking, chosen.likeliest()])))
    ranking, likely = np.concatenate(found, axis=1)
    parts = len(jury.scores[0])
    if beats(ranking, likely, parts):
        return ensemble_selection(parts, rounds, jury.judged)[0]
    return jury.likeliest()


def shrunk(found: Doubles, users: int, learning: Learning) -> Doubles:
    """(parts,) mean of the weights found on `users` people and the prior, small ones left out."""
    mixed = (users * found + learning.prior_users * learning.prior) / (users + learning.prior_users)
    kept = np.where(mixed < LEAST, 0.0, mixed)
    return np.asarray(kept / kept.sum())
