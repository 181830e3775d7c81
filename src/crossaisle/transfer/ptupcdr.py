"""PTUPCDR: a map of one's own from the vector elsewhere to the vector in the target, made of what one had there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..models.base import Base
from ..models.bridge import Had, PersonalBridge
from ..recommender import Recommender, scorer
from ..rng import generator, seeded
from ..train.loop import Losses, Phase, train
from ..train.watch import EarlyStop
from ..types import Codes, Floats, History, Tensors
from .bridge import BridgeOptions, Pairs, Sides, factorised
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .ridge import linear
from .space import Range, Space

BLOCK = 1024
"""People mapped at once (memory: block × bridge)."""
WIDEST = 32
"""Longest vectors: a bridge has their square as entries, for each person."""


@dataclass(frozen=True)
class PtupcdrOptions(BridgeOptions):
    """Options of `ptupcdr`."""

    factors: int = 16
    """Length of the vectors on both sides, at most 32: a bridge has their square as entries."""
    hidden: int = 32
    """Width of the attention and of the meta network."""
    steps: int = 1000
    """Most steps of the optimiser; it ends before where people held out are served no better."""
    batch: int = 256
    """People a step."""
    rate: float = 0.005
    """Highest learning rate."""
    decay: float = 0.1
    """Weight decay; more makes the bridges of all people alike."""

    search: ClassVar[Space] = {
        "factors": Range(4, 32, log=True),
        "alpha": Range(0.3, 100.0, log=True),
        "regularization": Range(0.1, 300.0, log=True),
        "prior": Range(0.03, 30.0, log=True),
        "rate": Range(5e-4, 0.02, log=True),
        "decay": Range(0.01, 10.0, log=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        least = min(self.hidden, self.steps, self.batch)
        if self.factors > WIDEST or least < 1 or self.rate <= 0 or self.decay < 0:
            raise ValueError(
                f"factors must be at most {WIDEST}, hidden, steps and batch at least 1, rate above 0, decay 0 or more."
            )


@scorer("ptupcdr")
@dataclass(frozen=True, eq=False)
class PtupcdrScorer:
    """Vectors elsewhere, each mapped by the person's own bridge, are what is expected in the target.

    Attributes:
        sides: item vectors of both sides.
        attended: (p,) float32 what attention makes of each item elsewhere, above 0.
        meta: (f, hidden) float32 weights of the meta network's first layer.
        constants: (hidden,) float32 its constants.
        personal: (hidden, (f + 1) · f) float32 what a person's bridge adds to the shared one.
        shared: ((f + 1) · f,) float32 the bridge of all; its last f entries are a constant.
    """

    kind: ClassVar[str] = "ptupcdr"
    sides: Sides
    attended: Floats
    meta: Floats
    constants: Floats
    personal: Floats
    shared: Floats

    def score(self, history: History) -> Floats:
        """(n, catalogue); see `Sides.scores`."""
        return self.sides.scores(history, self.mapped)

    def mapped(self, events: sp.csr_matrix, vectors: Floats) -> Floats:
        """(n, f) vectors in the target of people with `events` (n, p) and `vectors` (n, f) elsewhere."""
        pooled = np.asarray(events @ (self.attended[:, None] * self.sides.there), dtype=np.float32)
        pooled /= (events @ self.attended)[:, None]
        said = np.tanh(pooled @ self.meta + self.constants)
        found = np.empty((len(vectors), self.sides.here.shape[1]), dtype=np.float32)
        for start in range(0, len(vectors), BLOCK):
            part = slice(start, start + BLOCK)
            bridges = (self.shared + said[part] @ self.personal).reshape(-1, vectors.shape[1] + 1, found.shape[1])
            found[part] = np.einsum("nd,ndf->nf", vectors[part], bridges[:, :-1]) + bridges[:, -1]
        return found

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, meta = self.sides.state()
        names = ("attended", "meta", "constants", "personal", "shared")
        return tensors | {n: getattr(self, n) for n in names}, meta

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        names = ("attended", "meta", "constants", "personal", "shared")
        return cls(Sides.restore(tensors, meta), *(tensors[n] for n in names))


@dataclass(frozen=True)
class Asked:
    """Some people: what they had elsewhere, and in the target, as `Had` names it."""

    had: Had
    rows: Tensor
    items: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.had.vectors)


@dataclass(frozen=True)
class Scales:
    """Spread of the vectors elsewhere and in the target; both are 1 while training."""

    there: float
    here: float


@transfer(
    "ptupcdr",
    options=PtupcdrOptions,
    paper="Zhu et al. 2022, Personalized Transfer of User Preferences for Cross-domain Recommendation",
    when="what a taste elsewhere means for the target differs between kinds of people, and some hundred people at "
    "least have both",
    cost="medium",
    needs=("overlapping_users", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: PtupcdrOptions) -> Recommender:
    """A map for each person from the vector in the other domains to that in the target, made of what they had there."""
    sides, pairs = factorised(problem, options)
    made, steps = trained(sides, pairs, options, problem.seed)
    return recommender_for(problem, "ptupcdr", made, people=len(pairs), steps=steps)


def trained(sides: Sides, pairs: Pairs, options: PtupcdrOptions, seed: int) -> tuple[PtupcdrScorer, int]:
    """The scorer after the steps that serve people held out best, and their number; 0: `emcdr` for all."""
    kept, held = pairs.split(seed)
    there, here = sides.vectors_there(kept.there), sides.vectors_here(kept.here)
    scales = Scales(max(float(there.std()), 1e-12), max(float(here.std()), 1e-12))
    with seeded(seed, "ptupcdr"):
        items = torch.from_numpy(sides.there / np.float32(scales.there))
        net = PersonalBridge(items, options.hidden, _shared(sides, kept, scales))
    target = torch.from_numpy(sides.here * np.float32(scales.here))
    ground = target.T @ target + options.regularization * scales.here**2 * torch.eye(target.shape[1])

    def loss_of(asked: Asked) -> Tensor:
        return unexplained(net(asked.had), asked, target, ground)

    def losses_of(asked: Asked, progress: float) -> Losses:
        return {"task": loss_of(asked)}

    def batch_of(step: int) -> Asked:
        drawn = generator(seed, "ptupcdr", str(step)).integers(0, len(kept), options.batch)
        return _asked(sides, kept, np.sort(drawn), there / np.float32(scales.there))

    look = _asked(sides, held, np.arange(len(held)), sides.vectors_there(held.there) / np.float32(scales.there))
    stop = EarlyStop(lambda _: -float(loss_of(look)), patience=5)
    phase = Phase("ptupcdr", options.steps, options.rate, decay=options.decay, every=20)
    groups: list[dict[str, Any]] = [
        {"params": [p for n, p in net.named_parameters() if n != "shared"]},
        {"params": [net.shared], "weight_decay": 0.0, "lr": options.rate / 10},
    ]
    train(phase, net, groups, batch_of, losses_of, stop)
    if stop.best_step == 0:  # nothing personal is worth its noise: then everybody's bridge is learned from all
        net.shared.detach().copy_(_shared(sides, pairs, scales).reshape(-1))
    return _scorer(sides, net, scales), stop.best_step


def _shared(sides: Sides, pairs: Pairs, scales: Scales) -> Tensor:
    """(f + 1, f) the linear map of `emcdr` between vectors of spread 1."""
    there = sides.vectors_there(pairs.there) / np.float32(scales.there)
    ((weights, constants),), _ = linear(there, sides.vectors_here(pairs.here) / np.float32(scales.here))
    return torch.from_numpy(np.vstack([weights, constants[None]]))


def unexplained(found: Tensor, asked: Asked, target: Tensor, ground: Tensor) -> Tensor:
    """The ALS loss of vectors `found` (n, f) over all items of the target, as a share of that of no vectors.

    Σ_u Σ_i c_ui (p_ui − x_u · v_i)² + λ‖x_u‖² with c_ui = α w_ui where there are events, else 1: what items without
    events add is x_uᵀ VᵀV x_u less what it says of the others.

    Args:
        found: vectors in the target.
        asked: the people's events there; weights are α w.
        target: (c, f) item vectors.
        ground: (f, f) VᵀV + λI.
    """
    said = (found[asked.rows] * target[asked.items]).sum(dim=1)
    events = asked.weights * (1 - said) ** 2 - said**2
    return (((found @ ground) * found).sum() + events.sum()) / asked.weights.sum()


def _asked(sides: Sides, pairs: Pairs, people: Codes, vectors: Floats) -> Asked:
    """Rows `people` of `pairs`, with their rows of `vectors` elsewhere."""
    rows, items, weights = _events(pairs.there[people])
    had = Had(rows, items, weights, torch.from_numpy(vectors[people]))
    rows, items, weights = _events(pairs.here[people])
    return Asked(had, rows, items, weights * sides.alpha)


def _events(matrix: sp.csr_matrix) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and values of what is stored."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return (
        torch.from_numpy(rows),
        torch.from_numpy(matrix.indices.astype(np.int64)),
        torch.from_numpy(matrix.data.astype(np.float32)),
    )


@torch.no_grad()
def _scorer(sides: Sides, net: PersonalBridge, scales: Scales) -> PtupcdrScorer:
    """The scorer with vectors as long as they are: the scales go into the weights."""
    lengths = torch.full((net.shape[0], 1), scales.here / scales.there)
    lengths[-1] = scales.here
    back = lengths.expand(net.shape).reshape(-1)
    found = net.attended(), net.meta.weight.T / scales.there, net.meta.bias, net.personal * back, net.shared * back
    return PtupcdrScorer(sides, *(np.ascontiguousarray(t.numpy()) for t in found))
