"""A bilinear model of who meets which item, in closed form: popularity, and a matrix between user and item vectors.

p(i | u) ∝ exp s(u, i),  s(u, i) = log p_i + (u − ū)ᵀ W v_i. Around W = 0 the log-likelihood of the pairs is quadratic,
tr(Wᵀ G) − ½ tr(Wᵀ A W B), and W = σ W_1 + τ W_2 with A W_1 B + λ W_1 = G and A W_2 B + λ W_2 = λ I.

    G = Σ_pairs (u − ū)(v_i − v̄)ᵀ,   A = Σ_pairs (u − ū)(u − ū)ᵀ,   B = Σ_i p_i (v_i − v̄)(v_i − v̄)ᵀ,   v̄ = Σ_i p_i v_i

W_1 is one Newton step. It also fits the lift x_ui / p_i − 1 by ridge regression with weights p_i over all users and
items: the first order of pointwise mutual information (Levy & Goldberg 2014). Where nothing is known of a direction,
W_2 is I in it, and scores are those of the vectors as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp

from ..encoders.method import Bools
from ..metrics import Doubles
from ..rng import generator
from ..types import Codes

_TEMPERS = (0.0, 0.5, 1.0)
_STRENGTHS = tuple(float(s) for s in 10.0 ** np.arange(0, 4.5, 0.5))
_PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(-3, 3))
_SIGMAS = (0.25, 0.5, 1.0)
_TAUS = (0.0, 0.25, 0.5, 1.0, 1.5)
_LEAST = 1e-9
"""Mean of eigenvalues below which vectors say nothing: what they differ by is rounding."""
_LOOK = 1024
"""Most pairs of a fold that judge, and most items against which they do."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """What was met, by people in folds.

    Attributes:
        users: (r, d) user vectors.
        people: (r,) places of their owners in `met`.
        items: (r,) places in the catalogue.
        worth: (r,) how much each pair counts.
        folds: (r,) number of the part that judges the pair; all of a person are in one.
        met: (people, m) CSR of all that they have.
    """

    users: Doubles
    people: Codes
    items: Codes
    worth: Doubles
    folds: Codes
    met: sp.csr_matrix

    def take(self, rows: Codes) -> Pairs:
        """The pairs `rows`."""
        numbers = (self.people[rows], self.items[rows], self.worth[rows], self.folds[rows])
        return Pairs(self.users[rows], *numbers, self.met)

    def counts(self) -> Doubles:
        """(m,) worth of the pairs of each item."""
        return np.bincount(self.items, self.worth, minlength=self.met.shape[1]).astype(np.float64)

    def apart(self) -> Iterator[tuple[Pairs, Pairs]]:
        """For each fold: the pairs of the other folds, and its own."""
        for fold in np.unique(self.folds):
            mine = self.folds == fold
            yield self.take(np.flatnonzero(~mine)), self.take(np.flatnonzero(mine))


@dataclass(frozen=True, eq=False)
class Judge:
    """Some pairs, each against drawn items.

    Attributes:
        pairs: r of them.
        drawn: (k,) places in the catalogue.
        had: (r, 1 + k) True where a drawn item is no rival: its person has it; the pair itself comes first.
    """

    pairs: Pairs
    drawn: Codes
    had: Bools

    @classmethod
    def of(cls, pairs: Pairs, seed: int) -> Judge:
        """At most `_LOOK` of `pairs`, against as many items."""
        draw, items = generator(seed, "judge", str(pairs.folds[0])), pairs.met.shape[1]
        rows, drawn = (np.sort(draw.permutation(n)[:_LOOK]) for n in (len(pairs.items), items))
        taken = pairs.take(rows)
        had = taken.met[taken.people][:, drawn].toarray() > 0
        return cls(taken, drawn, np.hstack([np.zeros((len(rows), 1), dtype=np.bool_), had]))

    def levels(self, of_items: Doubles) -> Doubles:
        """(r, 1 + k) of numbers (m,) of the catalogue's items."""
        mine = of_items[self.pairs.items][:, None]
        return np.hstack([mine, np.broadcast_to(of_items[self.drawn], (len(mine), len(self.drawn)))])

    def products(self, users: Doubles, vectors: Doubles) -> Doubles:
        """(r, 1 + k) of `users` (r, d) with `vectors` (m, d)."""
        mine = (users * vectors[self.pairs.items]).sum(axis=1, keepdims=True)
        return np.hstack([mine, users @ vectors[self.drawn].T])

    def nats(self, scores: Doubles) -> float:
        """Log-likelihood of the pairs under `scores` (r, 1 + k)."""
        left = np.where(self.had, -np.inf, scores)
        top = left.max(axis=1)
        total = top + np.log(np.exp(left - top[:, None]).sum(axis=1))
        return float(self.pairs.worth @ (scores[:, 0] - total))


@dataclass(frozen=True, eq=False)
class Features:
    """What is known of people and items beforehand.

    Attributes:
        vectors: (m, d) v, item vectors.
        biases: (m,) item biases, times their weight.
        middle: (d,) ū, mean of the user vectors.
    """

    vectors: Doubles
    biases: Doubles
    middle: Doubles

    def prior(self, temper: float) -> Doubles:
        """(m,) popularity by content alone, q_i ∝ exp(γ (ū · v_i + b_i)) for γ `temper`."""
        main = temper * (self.vectors @ self.middle + self.biases)
        shares = np.exp(main - main.max())
        made: Doubles = shares / shares.sum()
        return made


@dataclass(frozen=True)
class Choice:
    """γ and κ of the popularity, λ (as a share of the mean eigenvalue), σ and τ of W."""

    temper: float
    strength: float
    penalty: float = 1.0
    sigma: float = 0.0
    tau: float = 1.0


def popularity(pairs: Pairs, known: Features, choice: Choice) -> Doubles:
    """(m,) p_i = (n_i + κ q_i) / (Σ n + κ), n the people who have i."""
    counts = pairs.counts()
    made: Doubles = (counts + choice.strength * known.prior(choice.temper)) / (counts.sum() + choice.strength)
    return made


def bilinear(pairs: Pairs, known: Features, popular: Doubles) -> Iterator[tuple[float, Doubles, Doubles]]:
    """λ, W_1 (d, d) and W_2 (d, d) for every penalty that may be chosen."""
    users, items = pairs.users - known.middle, known.vectors - popular @ known.vectors
    weighted = (users * pairs.worth[:, None]).T
    a, left = np.linalg.eigh(weighted @ users)
    b, right = np.linalg.eigh((items * popular[:, None]).T @ items)
    data, prior = left.T @ (weighted @ items[pairs.items]) @ right, left.T @ right
    sizes = np.outer(np.maximum(a, 0.0), np.maximum(b, 0.0))
    for penalty in _PENALTIES:
        strength = penalty * max(float(sizes.mean()), _LEAST)
        share = 1 / (sizes + strength)
        yield penalty, left @ (data * share) @ right.T, left @ (strength * prior * share) @ right.T


def matrix(pairs: Pairs, known: Features, choice: Choice) -> Doubles:
    """W (d, d) of `choice`."""
    solved = {penalty: parts for penalty, *parts in bilinear(pairs, known, popularity(pairs, known, choice))}
    first, second = solved[choice.penalty]
    return choice.sigma * first + choice.tau * second


def chosen(pairs: Pairs, known: Features, seed: int) -> tuple[Choice, float]:
    """The choice under which each fold is likeliest by what the others say; first popularity alone, then W.

    Returns:
        The choice, and how much likelier a pair is than by the vectors and biases as they are, in nats.
    """
    folds = [(rest, Judge.of(mine, seed)) for rest, mine in pairs.apart()]
    likely: dict[Choice, float] = defaultdict(float)
    for (rest, judge), temper, strength in product(folds, _TEMPERS, _STRENGTHS):
        choice = Choice(temper, strength)
        likely[choice] += judge.nats(judge.levels(np.log(popularity(rest, known, choice))))
    plain = max(likely, key=likely.__getitem__)
    likely.clear()
    for rest, judge in folds:
        popular = popularity(rest, known, plain)
        floor, users = judge.levels(np.log(popular)), judge.pairs.users - known.middle
        for penalty, *solved in bilinear(rest, known, popular):
            first, second = (judge.products(users @ part, known.vectors) for part in solved)
            for sigma, tau in product(_SIGMAS, _TAUS):
                choice = Choice(plain.temper, plain.strength, penalty, sigma, tau)
                likely[choice] += judge.nats(floor + sigma * first + tau * second)
    best = max(likely, key=likely.__getitem__)
    before = sum(j.nats(j.products(j.pairs.users, known.vectors) + j.levels(known.biases)) for _, j in folds)
    return best, (likely[best] - before) / float(sum(judge.pairs.worth.sum() for _, judge in folds))
