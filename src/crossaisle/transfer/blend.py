"""Blend: recommenders of different kinds together, with weights learned on validation data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from ..attribution import contributions_of
from ..errors import MethodError
from ..metrics import Doubles
from ..models.base import Base
from ..recommender import Recommender, scorer
from ..types import Asked, Basis, Codes, Contributions, Floats, History, Scorer, Tensors
from .blend_weights import Learning, cold_in, held_out, learned
from .common import standardised, standardised_ask
from .method import transfer
from .padded import Padded
from .parts import fit_part, pack_parts, unpack_parts, usable
from .problem import Problem
from .result import recommender_for

PARTS = ("zero_shot", "item_prior", "popularity", "als", "user_kernel", "content", "emcdr", "shared_bottom")
PRIOR: Mapping[str, float] = {"user_kernel": 0.6, "shared_bottom": 0.4, "zero_shot": 0.4, "item_prior": 0.4}
"""zero_shot and item_prior stand in for shared_bottom where nothing of the target is visible."""


@dataclass(frozen=True)
class BlendOptions:
    """Options of `blend`."""

    parts: tuple[str, ...] = PARTS
    """Methods to combine; those whose needs are not met are left out."""
    part_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of parts, by name of the method."""
    prior: Mapping[str, float] = field(default_factory=lambda: PRIOR)
    """Weights before anything is seen (others 0); chosen on launches before the demo's test period."""
    prior_users: int = 500
    """The prior counts as much as so many held-out users."""
    folds: int = 2
    """Parts of the target's users that are held out in turn."""
    rounds: int = 20
    """Rounds in which a part is added where weights that rank best are selected; more make finer weights."""
    min_users: int = 40
    """With fewer users of the target to validate on, the prior stands."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.parts or self.folds < 2 or self.rounds < 1 or min(self.min_users, self.prior_users) < 1:
            raise ValueError("at least one part, 2 folds, 1 round and 1 user are needed.")
        if any(w < 0 for w in self.prior.values()):
            raise ValueError("prior weights must not be negative.")


@scorer("blend")
@dataclass(frozen=True, eq=False)
class BlendScorer:
    """Σ_m w_m z_m(u, i), z_m: scores of part m, of mean 0 and standard deviation 1 over the catalogue for each user.

    Attributes:
        parts: name → scorer.
        weights: (parts,) float32, ≥ 0, sum 1.
        cold_weights: (parts,) of people who have something, but nothing of `catalogue`; None: the same.
        catalogue: (catalogue,) item codes; empty where nobody asks for them.
    """

    kind: ClassVar[str] = "blend"
    parts: Mapping[str, Scorer]
    weights: Floats
    cold_weights: Floats | None = None
    catalogue: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def basis(self) -> Basis:
        """What the answers rest on: a history in the target counts as soon as one part reads it."""
        words = {getattr(p, "basis", "history") for p in self.parts.values()}
        return "content" if words - {"popularity"} == {"content"} else "history"

    def score(self, history: History) -> Floats:
        """(n, catalogue) weighted sum of standardised scores."""
        total: Floats = np.zeros((len(history), 1), dtype=np.float32)
        for weight, part in zip(self.weights_for(history).T, self.parts.values(), strict=True):
            total = total + weight[:, None] * standardised(part.score(history))
        return total

    def weights_for(self, history: History) -> Floats:
        """(n, parts) weights of each person's parts."""
        if self.cold_weights is None:
            return np.tile(self.weights, (len(history), 1))
        return np.where(cold_in(history, self.catalogue)[:, None], self.cold_weights, self.weights)

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
        for weight, part in zip(self.weights_for(history)[0].tolist(), self.parts.values(), strict=True):
            inner = standardised_ask(part.score(history), asked)
            total = total.plus(contributions_of(part, history, inner).times(weight))
        return total

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, parts = pack_parts(self.parts)
        tensors |= {"weights": self.weights}
        if self.cold_weights is not None:
            tensors |= {"cold_weights": self.cold_weights, "catalogue": self.catalogue}
        return tensors, {"parts": parts}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        own = {name: tensors[name] for name in ("cold_weights", "catalogue") if name in tensors}
        return cls(unpack_parts(tensors, meta["parts"]), tensors["weights"], **own)


@transfer(
    "blend",
    options=BlendOptions,
    paper="ListNet's likelihood: Cao et al. 2007; ensemble selection: Caruana et al. 2004",
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
    weights = np.tile(prior_of(names, options), (2, 1))
    facts: dict[str, Any] = {"validation_users": users}
    if len(names) > 1 and users >= options.min_users:
        learning = Learning(weights[0], options.prior_users, options.min_users, options.rounds)
        weights, told = learned(names, folds, lambda name, left: fitted(name, base, left, options), learning)
        facts |= told
    weight_of = dict(zip(names, weights.T, strict=True))
    parts = fitted_all([n for n in names if weight_of[n].any()], base, problem, options, left_out)
    if not parts:  # none that the prior names can be had
        parts = fitted_all([n for n in names if n not in left_out], base, problem, options, left_out)
    if not parts:
        raise MethodError("blend has no usable part: " + " ".join(left_out.values()))
    facts["parts"] = {n: {k: v for k, v in part.facts.items() if k != "data"} for n, part in parts.items()}
    known, cold = (summing_to_one(row).astype(np.float32) for row in np.stack([weight_of[n] for n in parts], axis=1))
    made = BlendScorer({n: part.scorer for n, part in parts.items()}, known)
    if not np.array_equal(known, cold):
        made = dataclasses.replace(made, cold_weights=cold, catalogue=problem.catalogue)
        facts["cold_weights"] = shown(parts, cold)
    return recommender_for(problem, "blend", made, weights=shown(parts, known), left_out=left_out, **facts)


def summing_to_one(weights: Doubles) -> Doubles:
    """(parts,) `weights` over their sum; equal ones where all are 0."""
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1.0 / len(weights))


def shown(parts: Iterable[str], weights: Floats) -> dict[str, float]:
    """Name of a part → its weight, for the eye."""
    return {n: round(float(w), 3) for n, w in zip(parts, weights, strict=True)}


def prior_of(names: Sequence[str], options: BlendOptions) -> Doubles:
    """(parts,) prior weights that sum to 1; equal ones where the prior names none of `names`."""
    return summing_to_one(np.array([float(options.prior.get(n, 0.0)) for n in names]))


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
