"""LightGCN: vectors of people and items, trained on the graph that all domains form together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..models.base import Base
from ..models.graph import LightGcn
from ..objectives.rank import sampled_softmax
from ..recommender import Recommender, scorer
from ..rng import generator
from ..train.loop import Losses, Phase, train
from ..types import Codes, Floats, History, Tensors
from .common import Scope, inputs_of, popularity_of, power, training_history, weighted, with_popularity
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space

_START = 0.1
"""Spread of the vectors before training."""


@dataclass(frozen=True)
class LightGcnOptions:
    """Options of `lightgcn`."""

    scope: Scope = "all"
    """``all``: the graph of all visible domains; ``target``: of the target alone (a control)."""
    dim: int = 64
    """Length of the vectors."""
    layers: int = 2
    """Steps over the graph; each goes from people to items and back."""
    steps: int = 500
    """Steps of the optimiser; each walks the whole graph."""
    batch: int = 4096
    """Events a step."""
    target_share: float = 0.5
    """Share of these that are the target's own, often the smallest domain; the others are of all domains."""
    negatives: int = 1024
    """Items of the catalogue drawn as not chosen, the same for the whole batch; all of it where it is not larger."""
    temperature: float = 0.15
    """Cosines are divided by this: smaller looks harder at the nearest negatives."""
    rate: float = 0.02
    """Highest learning rate."""
    max_items: int = 100_000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""

    search: ClassVar[Space] = {
        "dim": Range(32, 256, log=True),
        "layers": (1, 2, 3),
        "target_share": Range(0.1, 1.0),
        "temperature": Range(0.05, 0.5, log=True),
        "rate": Range(0.002, 0.05, log=True),
    }

    def __post_init__(self) -> None:
        least = min(self.dim, self.steps, self.batch, self.negatives, self.max_items)
        if least < 1 or self.layers < 0 or self.temperature <= 0 or self.rate <= 0:
            raise ValueError(
                "dim, steps, batch, negatives and max_items must be at least 1, layers at least 0, temperature and "
                "rate above 0."
            )
        if not 0 <= self.target_share <= 1:
            raise ValueError("target_share must be from 0 to 1.")


@dataclass(frozen=True)
class Edges:
    """One step's events: (n,) rows of people and of the items they met, and (k,) of items drawn beside."""

    people: Tensor
    met: Tensor
    drawn: Tensor

    def __len__(self) -> int:
        return len(self.met)


@scorer("lightgcn")
@dataclass(frozen=True, eq=False)
class LightGcnScorer:
    """Cosine between a person's vector and an item's, both means over the layers.

    A person's layers above 0 are those of the items in the history, so that new events and new people count at once;
    layer 0 is what was learned of the person, nothing for people who were not there.

    Attributes:
        inputs: (p,) item codes that are read.
        divide: (p,) float32, 1 / √(people of the item).
        below: (p, dim) float32 sum of item layers 0 to L − 1.
        people: (u,) sorted user codes that were there.
        own: (u, dim) float32 layer 0 of these.
        items: (catalogue, dim) float32 of length 1.
        popularity: (catalogue,) orders ties and users without history.
    """

    kind: ClassVar[str] = "lightgcn"
    inputs: Codes
    divide: Floats
    below: Floats
    people: Codes
    own: Floats
    items: Floats
    popularity: Floats

    def score(self, history: History) -> Floats:
        """(n, catalogue) cosines."""
        had = weighted(history, "binary")[:, self.inputs].tocsr()
        found = np.asarray(divided(had, self.divide) @ self.below, dtype=np.float32)
        place = np.minimum(np.searchsorted(self.people, history.users), len(self.people) - 1)
        there = (self.people[place] == history.users) & (np.diff(had.indptr) > 0)
        found[there] += self.own[place[there]]
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return with_popularity(found @ self.items.T, self.popularity)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        names = ("inputs", "divide", "below", "people", "own", "items", "popularity")
        return {n: getattr(self, n) for n in names}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(**tensors)


@transfer(
    "lightgcn",
    options=LightGcnOptions,
    paper="He et al. 2020, LightGCN; loss: Wu et al. 2022, On the Effectiveness of Sampled Softmax Loss",
    when="as a control, where a paper compares with it",
    cost="high",
    needs=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: LightGcnOptions) -> Recommender:
    """Vectors smoothed over the graph of people and items of all domains; people known by their events."""
    events = weighted(training_history(problem, options.scope), "binary")
    inputs = inputs_of(events, problem.catalogue, options.scope, options.max_items)
    people = np.flatnonzero(np.diff(events[:, inputs].indptr) > 0)
    graph = events[people][:, inputs].tocsr()
    divide = power(np.asarray(graph.sum(axis=0)).ravel(), -0.5)
    shelf = np.searchsorted(inputs, problem.catalogue)
    own = weighted(training_history(problem, "target"), "binary")[people][:, inputs]
    learned_from = Events(places_in(graph), places_in(own), shelf)
    model, losses = trained(divided(graph, divide), learned_from, options, problem.seed)
    layers = model.item_layers()
    items = normalize(torch.stack(layers).sum(dim=0), dim=1).numpy()
    below = torch.stack(layers[:-1]).sum(dim=0).numpy() if options.layers else np.zeros_like(items)
    made = LightGcnScorer(
        inputs,
        divide,
        below,
        people,
        model.people.detach().numpy(),
        items[shelf],
        popularity_of(problem),
    )
    return recommender_for(problem, "lightgcn", made, loss=round(losses["softmax"], 4))


def divided(had: sp.csr_matrix, divide: Floats) -> sp.csr_matrix:
    """D_u^−½ A D_i^−½ float32 of `had` (n, items), 1 where a person has an item; `divide` (items,) is D_i^−½."""
    people = power(np.diff(had.indptr).astype(np.float32), -0.5)
    return (sp.diags(people) @ had @ sp.diags(divide)).tocsr().astype(np.float32)


@dataclass(frozen=True, eq=False)
class Events:
    """What is learned from.

    Attributes:
        met: (2, n) rows of people and columns of items in the graph, of all events.
        own: (2, m) the same of the target's events.
        shelf: (catalogue,) columns of the items that negatives are drawn from.
    """

    met: Codes
    own: Codes
    shelf: Codes


def places_in(matrix: sp.csr_matrix) -> Codes:
    """(2, n) rows and columns of what `matrix` has."""
    return np.stack(matrix.nonzero()).astype(np.int64)


def trained(
    graph: sp.csr_matrix, events: Events, options: LightGcnOptions, seed: int
) -> tuple[LightGcn, dict[str, float]]:
    """The model after all steps on `events` of `graph` (users, items), see `divided`, and its last losses."""
    draw = generator(seed, "lightgcn")
    start = draw.normal(0, _START, (sum(graph.shape), options.dim)).astype(np.float32)
    model = LightGcn(graph, options.layers, start)
    phase = Phase("lightgcn", options.steps, options.rate, decay=0.0, every=options.steps)

    def losses_of(batch: Edges, progress: float) -> Losses:
        people, items = model()
        asking = normalize(people[batch.people], dim=1) / options.temperature
        positive = (asking * normalize(items[batch.met], dim=1)).sum(dim=1)
        negative = asking @ normalize(items[batch.drawn], dim=1).T
        return {"softmax": sampled_softmax(positive, negative, batch.drawn[None, :] == batch.met[:, None])}

    found = train(phase, model, [{"params": model.parameters()}], batches(events, options, seed), losses_of)
    return model, dict(found.losses)


def batches(events: Events, options: LightGcnOptions, seed: int) -> Callable[[int], Edges]:
    """Step → events of the target and of all domains, and items of the catalogue drawn at random."""
    of_target = round(options.batch * options.target_share) if events.own.size else 0

    def batch_of(step: int) -> Edges:
        draw = generator(seed, "lightgcn", "batch", str(step))
        everywhere = draw.integers(0, events.met.shape[1], options.batch - of_target)
        at_home = draw.integers(0, events.own.shape[1], of_target) if of_target else np.zeros(0, dtype=np.int64)
        people, met = np.concatenate([events.met[:, everywhere], events.own[:, at_home]], axis=1)
        drawn = events.shelf
        if options.negatives < len(drawn):
            drawn = drawn[draw.integers(0, len(drawn), options.negatives)]
        return Edges(torch.from_numpy(people), torch.from_numpy(met), torch.from_numpy(drawn))

    return batch_of
