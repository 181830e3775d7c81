"""EMCDR: one map for all from a person's vector elsewhere to the vector in the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..models.base import Base
from ..recommender import Recommender, scorer
from ..rng import generator, seeded
from ..train.loop import Losses, Phase, train
from ..train.watch import EarlyStop
from ..types import Floats, History, Tensors
from .bridge import BridgeOptions, Pairs, Sides, factorised
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .ridge import Layers, linear, passed
from .space import Range, Space


@dataclass(frozen=True)
class EmcdrOptions(BridgeOptions):
    """Options of `emcdr`."""

    mapping: Literal["linear", "mlp"] = "linear"
    """``linear``: ridge regression, in closed form; ``mlp``: a network with one hidden layer, as the paper prefers."""
    penalty: float = 0.0
    """L2 penalty on the linear map, as a share of the vectors' mean square; 0: chosen by leaving out one at a time."""
    hidden: int = 32
    """Width of the hidden layer of `mlp`."""
    steps: int = 1000
    """Most steps of the optimiser for `mlp`; it ends before where people held out are mapped no better."""
    rate: float = 0.01
    """Highest learning rate for `mlp`."""

    search: ClassVar[Space] = {
        "mapping": ("linear", "mlp"),
        "factors": Range(4, 128, log=True),
        "alpha": Range(0.3, 100.0, log=True),
        "regularization": Range(0.1, 300.0, log=True),
        "prior": Range(0.03, 30.0, log=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.penalty < 0 or min(self.hidden, self.steps) < 1 or self.rate <= 0:
            raise ValueError("penalty must be 0 or more, hidden and steps at least 1, rate above 0.")


@scorer("emcdr")
@dataclass(frozen=True, eq=False)
class EmcdrScorer:
    """Vectors elsewhere, mapped, are what is expected of a person in the target.

    Attributes:
        sides: item vectors of both sides.
        layers: the map.
    """

    kind: ClassVar[str] = "emcdr"
    sides: Sides
    layers: Layers

    def score(self, history: History) -> Floats:
        """(n, catalogue); see `Sides.scores`."""
        return self.sides.scores(history, lambda _, vectors: passed(vectors, self.layers))

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, meta = self.sides.state()
        for n, (weights, constants) in enumerate(self.layers):
            tensors |= {f"weights.{n}": weights, f"constants.{n}": constants}
        return tensors, {"sides": meta, "layers": len(self.layers)}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        layers = tuple((tensors[f"weights.{n}"], tensors[f"constants.{n}"]) for n in range(meta["layers"]))
        return cls(Sides.restore(tensors, meta["sides"]), layers)


@transfer(
    "emcdr",
    options=EmcdrOptions,
    paper="Man et al. 2017, Cross-Domain Recommendation: An Embedding and Mapping Approach",
    when="the same people shop in several domains, the shops sell different items, and many people are new to the "
    "target",
    cost="low",
    needs=("overlapping_users", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: EmcdrOptions) -> Recommender:
    """One map from people's vectors in the other domains to their vectors in the target, learned from those in both."""
    sides, pairs = factorised(problem, options)
    if options.mapping == "linear":
        layers, facts = linear(*_vectors(sides, pairs), options.penalty)
    else:
        layers, facts = mlp(sides, pairs, options, problem.seed)
    return recommender_for(problem, "emcdr", EmcdrScorer(sides, layers), people=len(pairs), **facts)


def mlp(sides: Sides, pairs: Pairs, options: EmcdrOptions, seed: int) -> tuple[Layers, dict[str, float]]:
    """The layers of the map with one hidden layer that gives the least squared error, and how many steps it took."""
    kept, held = (_vectors(sides, part) for part in pairs.split(seed))
    centre, spread = kept[0].mean(axis=0), np.maximum(kept[0].std(axis=0), 1e-12)
    aim, width = kept[1].mean(axis=0), max(float(kept[1].std()), 1e-12)

    def scaled(x: Floats, y: Floats) -> tuple[Tensor, Tensor]:
        return torch.from_numpy((x - centre) / spread), torch.from_numpy((y - aim) / np.float32(width))

    train_x, train_y = scaled(*kept)
    look_x, look_y = scaled(*held)
    with seeded(seed, "emcdr"):
        inner = nn.Linear(sides.there.shape[1], options.hidden)
        outer = nn.Linear(options.hidden, sides.here.shape[1])
    net = nn.Sequential(inner, nn.Tanh(), outer)
    phase = Phase("emcdr", options.steps, options.rate, decay=0.01, every=20)
    stop = EarlyStop(lambda model: -float(nn.functional.mse_loss(model(look_x), look_y)), patience=5)

    def batch_of(step: int) -> Tensor:
        return torch.from_numpy(generator(seed, "emcdr", str(step)).integers(0, len(train_x), 256))

    def losses_of(rows: Tensor, progress: float) -> Losses:
        return {"map": nn.functional.mse_loss(net(train_x[rows]), train_y[rows])}

    train(phase, net, [{"params": net.parameters()}], batch_of, losses_of, stop)
    first, second = ((n.weight.detach().numpy().T, n.bias.detach().numpy()) for n in (inner, outer))
    opened = np.ascontiguousarray(first[0] / spread[:, None])
    closed = np.ascontiguousarray(second[0] * np.float32(width))
    layers = (opened, first[1] - centre @ opened), (closed, second[1] * np.float32(width) + aim)
    return layers, {"steps": float(stop.best_step)}


def _vectors(sides: Sides, pairs: Pairs) -> tuple[Floats, Floats]:
    """(n, f) vectors elsewhere and in the target."""
    return sides.vectors_there(pairs.there), sides.vectors_here(pairs.here)
