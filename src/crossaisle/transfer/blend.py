"""Blend: recommenders of different kinds together, with weights learned on validation data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from ..attribution import contributions_of
from ..errors import MethodError
from ..metrics import Doubles, hits_of, ndcg, top_k
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..rng import generator
from ..types import Asked, Basis, Codes, Contributions, Floats, History, Scorer, Tensors
from .common import standardised, standardised_ask
from .method import transfer
from .padded import Padded
from .parts import fit_part, pack_parts, unpack_parts, usable
from .problem import Problem, count_matrix
from .result import recommender_for
from .weights import beats, searched

K = 10
"""Places of the ranking that weights are judged on."""
LEAST = 0.02
"""Parts with a smaller weight are left out: they cost time and change nothing."""
SCORES = 10_000_000
"""Most scores of a part that a fold is judged on; with a larger catalogue fewer of its people are asked."""
PRIOR: Mapping[str, float] = {"user_kernel": 0.6, "shared_bottom": 0.4, "zero_shot": 0.4, "item_prior": 0.4}
"""zero_shot and item_prior stand in for shared_bottom where nothing of the target is visible."""


@dataclass(frozen=True)
class BlendOptions:
    """Options of `blend`."""

    parts: tuple[str, ...] = ("zero_shot", "item_prior", "popularity", "als", "user_kernel", "shared_bottom")
    """Methods to combine; those whose needs are not met are left out."""
    part_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of parts, by name of the method."""
    prior: Mapping[str, float] = field(default_factory=lambda: PRIOR)
    """Weights before anything is seen (others 0); chosen on launches before the demo's test period."""
    prior_users: int = 500
    """The prior counts as much as so many held-out users."""
    folds: int = 2
    """Parts of the target's users that are held out in turn."""
    tries: int = 400
    """Weights that are tried on the held-out users."""
    min_users: int = 40
    """With fewer users of the target to validate on, the prior stands."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.parts or self.folds < 2 or self.tries < 1 or min(self.min_users, self.prior_users) < 1:
            raise ValueError("at least one part, 2 folds, 1 try and 1 user are needed.")
        if any(w < 0 for w in self.prior.values()):
            raise ValueError("prior weights must not be negative.")


@scorer("blend")
@dataclass(frozen=True, eq=False)
class BlendScorer:
    """Σ_m w_m z_m(u, i), z_m: scores of part m, of mean 0 and standard deviation 1 over the catalogue for each user.

    Attributes:
        parts: name → scorer.
        weights: (parts,) float32, ≥ 0, sum 1.
    """

    kind: ClassVar[str] = "blend"
    parts: Mapping[str, Scorer]
    weights: Floats

    @property
    def basis(self) -> Basis:
        """What the answers rest on: a history in the target counts as soon as one part reads it."""
        words = {getattr(p, "basis", "history") for p in self.parts.values()}
        return "content" if words - {"popularity"} == {"content"} else "history"

    def score(self, history: History) -> Floats:
        """(n, catalogue) weighted sum of standardised scores."""
        total: Floats = np.zeros((len(history), 1), dtype=np.float32)
        for weight, part in zip(self.weights, self.parts.values(), strict=True):
            total = total + weight * standardised(part.score(history))
        return total

    def extend(self, content: pl.DataFrame) -> BlendScorer:
        """See `Extensible.extend`; parts that cannot score new items say nothing about them.

        Raises:
            MethodError: no part can.
        """
        if not any(hasattr(p, "extend") for p in self.parts.values()):
            raise MethodError("no part of this blend can score items it has not seen; add zero_shot or finetune to it.")
        parts = {
            n: p.extend(content) if hasattr(p, "extend") else Padded(p, len(content)) for n, p in self.parts.items()
        }
        return dataclasses.replace(self, parts=parts)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: those of the parts, the spread of each part's scores taken as given."""
        total = Contributions(np.zeros(len(asked)), np.zeros((len(asked), history.counts.nnz)), {})
        for weight, part in zip(self.weights.tolist(), self.parts.values(), strict=True):
            inner = standardised_ask(part.score(history), asked)
            total = total.plus(contributions_of(part, history, inner).times(weight))
        return total

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, parts = pack_parts(self.parts)
        return tensors | {"weights": self.weights}, {"parts": parts}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(unpack_parts(tensors, meta["parts"]), tensors["weights"])


@transfer(
    "blend",
    options=BlendOptions,
    paper="stacking with non-negative weights: Breiman 1996, Stacked Regressions",
    when="to ship, unless a part alone is as good",
    cost="high",
    wants=("base",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: BlendOptions) -> Recommender:
    """Recommenders of different kinds together, with weights learned on held-out users of the target."""
    names, left_out = chosen_parts(base, problem, options)
    folds = [held_out(problem, fold, options.folds) for fold in range(options.folds)]
    users = sum(len(f.users) for f in folds)
    weights = prior_of(names, options)
    facts: dict[str, Any] = {"validation_users": users}
    if len(names) > 1 and users >= options.min_users:
        weights, told = learned(base, names, folds, options, problem.seed)
        facts |= told
    weight_of = dict(zip(names, weights.tolist(), strict=True))
    parts = fitted_all([n for n in names if weight_of[n] > 0], base, problem, options, left_out)
    if not parts:  # none that the prior names can be had
        parts = fitted_all([n for n in names if n not in left_out], base, problem, options, left_out)
        weight_of = dict.fromkeys(parts, 1.0)
    if not parts:
        raise MethodError("blend has no usable part: " + " ".join(left_out.values()))
    kept = {n: weight_of[n] / sum(weight_of[m] for m in parts) for n in parts}
    facts["parts"] = {n: {k: v for k, v in part.facts.items() if k != "data"} for n, part in parts.items()}
    made = BlendScorer({n: part.scorer for n, part in parts.items()}, np.array(list(kept.values()), dtype=np.float32))
    shown = {n: round(float(w), 3) for n, w in kept.items()}
    return recommender_for(problem, "blend", made, weights=shown, left_out=left_out, **facts)


def prior_of(names: Sequence[str], options: BlendOptions) -> Doubles:
    """(parts,) prior weights that sum to 1; equal ones where the prior names none of `names`."""
    weights = np.array([float(options.prior.get(n, 0.0)) for n in names])
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(names), 1.0 / len(names))


def chosen_parts(base: Base | None, problem: Problem, options: BlendOptions) -> tuple[list[str], dict[str, str]]:
    """Usable parts; what only the first days have needs no place beside what was learned later."""
    names, left_out = usable("blend", options.parts, base, problem, options.part_options)
    first = {"zero_shot"} if {"shared_bottom", "finetune"} & set(names) else set()
    first |= {"item_prior"} if len(problem.target_rows) else set()
    return [n for n in names if n not in first or len(names) == 1], left_out


def fitted_all(
    names: Sequence[str], base: Base | None, problem: Problem, options: BlendOptions, left_out: dict[str, str]
) -> dict[str, Recommender]:
    """Parts `names` on `problem`; why one cannot be had goes to `left_out`."""
    parts = {}
    for name in names:
        try:
            parts[name] = fitted(name, base, problem, options)
        except MethodError as error:
            left_out[name] = str(error)
    return parts


def fitted(name: str, base: Base | None, problem: Problem, options: BlendOptions) -> Recommender:
    """Part `name` on `problem`."""
    return fit_part("blend", name, base, problem, options.part_options)


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
    """Fold number `fold`: half of its users are hidden in the target altogether, of the others every second item."""
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
    asked = some_of(np.unique(hidden["user"].to_numpy()).astype(np.int64), len(problem.catalogue), draw)
    smaller = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=left))
    relevant = count_matrix(hidden, world.n_users, world.n_items)[asked][:, problem.catalogue]
    return Fold(smaller, asked, relevant, smaller.target_counts[asked])


def some_of(users: Codes, catalogue: int, draw: np.random.Generator) -> Codes:
    """As many of `users` as may be asked about `catalogue` items (see `SCORES`), sorted."""
    most = max(1, SCORES // max(catalogue, 1))
    return users if len(users) <= most else np.sort(draw.choice(users, most, replace=False))


def learned(
    base: Base | None, names: Sequence[str], folds: Sequence[Fold], options: BlendOptions, seed: int
) -> tuple[Doubles, dict[str, Any]]:
    """Weights (parts,) learned on the held-out users, and what each part reaches alone.

    They are those that rank best, shrunk to the prior; unless a part alone then ranks better beyond noise.
    """
    scores, relevant = [], []
    for fold in folds:
        history = fold.problem.history_for(fold.users)
        made = [standardised(fitted(n, base, fold.problem, options).scorer.score(history)) for n in names]
        seen = fold.known.nonzero()
        for part in made:
            part[seen] = -np.inf
        scores.append(np.stack(made))
        relevant.append(fold.relevant)
    found, alone = searched(len(names), options.tries, seed, lambda w: judged(w, scores, relevant))
    weights = shrunk(found, prior_of(names, options), alone.shape[1], options)
    if beats(alone[alone.mean(axis=1).argmax()], judged(weights, scores, relevant)):
        weights = found
    facts = {
        "validation_ndcg": {n: round(float(v), 4) for n, v in zip(names, alone.mean(axis=1), strict=True)},
        "validation_ndcg_blend": round(float(judged(weights, scores, relevant).mean()), 4),
    }
    return weights, facts


def shrunk(found: Doubles, prior: Doubles, users: int, options: BlendOptions) -> Doubles:
    """(parts,) mean of the weights found on `users` people and the prior, small ones left out."""
    mixed = (users * found + options.prior_users * prior) / (users + options.prior_users)
    kept = np.where(mixed < LEAST, 0.0, mixed)
    return np.asarray(kept / kept.sum())


def judged(weights: Doubles, scores: Sequence[Floats], relevant: Sequence[sp.csr_matrix]) -> Doubles:
    """nDCG@10 of every held-out user under `weights`."""
    found = []
    for parts, asked in zip(scores, relevant, strict=True):
        used = np.flatnonzero(weights)
        mixed = np.tensordot(weights[used].astype(np.float32), parts[used], axes=1)
        found.append(ndcg(hits_of(top_k(mixed, K), asked), np.diff(asked.indptr), K))
    return np.concatenate(found)
