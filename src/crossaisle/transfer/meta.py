"""Learning to learn from few pairs: an inner loop of gradient steps; an outer loop that learns its start and rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..encoders.content import Content
from ..models.base import tensors_of
from ..models.last import Last
from ..models.network import Network
from ..objectives.rank import sampled_softmax
from ..rng import seeded
from ..train.loop import Phase, train
from .launches import Episode, launches_of
from .network import Shop
from .space import Range, Space

Weights = Mapping[str, Tensor]
HEAD = ("scale", "shift", "weight")
ITEM = ("item.weight", "item.bias", "bias.0.weight", "bias.0.bias", "bias.2.weight", "bias.2.bias")
LAST = ("user.weight", "user.bias", *ITEM, *HEAD)
OWN = ("own.vector", "own.bias")
"""Corrections of the items' vectors e (m, d) and biases β (m,); they start at zero in every launch."""
_RATES = 10.0
"""The inner rates' logarithms learn so many times faster than the start."""
_CHUNK = 8192


@dataclass(frozen=True)
class MetaOptions:
    """Options of methods that learn to learn."""

    steps: int = 300
    """Steps of the outer loop, over pseudo-launches of the sources."""
    rate: float = 1e-2
    """Learning rate of the outer loop."""
    inner_steps: int = 3
    """Gradient steps within a pseudo-launch; in the target at most four times as many, as people held out say."""
    inner_rate: float = 0.1
    """Rate of the inner steps before the outer loop learns one for each part."""
    first_order: bool = False
    """Leave out gradients of gradients: faster, a little worse."""
    launches: int = 4
    """Pseudo-launches a step."""
    shelf: int = 128
    """Most items of a pseudo-launch."""

    search: ClassVar[Space] = {
        "rate": Range(1e-3, 0.03, log=True),
        "inner_steps": Range(1, 5),
        "shelf": (64, 128, 256),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.steps, self.inner_steps, self.launches) < 1 or self.shelf < 2:
            raise ValueError("steps, inner_steps and launches ≥ 1 and shelf ≥ 2 are needed.")
        if min(self.rate, self.inner_rate) <= 0:
            raise ValueError("rate and inner_rate must be above 0.")


@dataclass(frozen=True)
class Recipe:
    """What is adapted, and of what the start is learned.

    Attributes:
        name: of the method.
        inner: parameters of `Last`, and of `OWN`, that the inner loop adapts.
        outer: parameters of `Last` whose start the outer loop learns.
        options: of the method.
        cold: weight of the loss before the first inner step, beside that after the last.
    """

    name: str
    inner: tuple[str, ...]
    outer: tuple[str, ...]
    options: MetaOptions
    cold: float = 0.0


@dataclass(frozen=True, eq=False)
class Shown:
    """Pairs, and the shelf on which they were met.

    Attributes:
        people: (n, h) hidden vectors of users.
        things: (m, h) hidden vectors of the shelf's items.
        positive: (n,) places of what was met.
        excluded: (n, m) True where an item is no negative.
    """

    people: Tensor
    things: Tensor
    positive: Tensor
    excluded: Tensor


class Learner(nn.Module):
    """Last layers of a network, and the logarithms of the inner rates of what is adapted."""

    def __init__(self, network: Network, names: Sequence[str], rate: float) -> None:
        super().__init__()
        self.last, self.names = Last(network), tuple(names)
        self.rates = nn.Parameter(torch.full((len(self.names),), float(np.log(rate))))

    def start(self, items: int) -> dict[str, Tensor]:
        """What is adapted to a shelf of `items`, before the first step."""
        zeros = torch.zeros(items, len(self.last.scale)), torch.zeros(items)
        start = dict(self.last.named_parameters()) | dict(zip(OWN, zeros, strict=True))
        return {name: start[name] for name in self.names}

    def loss(self, weights: Weights, shown: Shown) -> Tensor:
        """Softmax over the shelf, with `weights` in the place of the last layers' own."""
        items = len(shown.things)
        zeros = torch.zeros(items, len(self.last.scale)), torch.zeros(items)
        vector, bias = (weights.get(name, zero) for name, zero in zip(OWN, zeros, strict=True))
        ours = {name: weight for name, weight in weights.items() if name not in OWN}
        scores = functional_call(self.last, ours, (shown.people, shown.things, vector, bias))
        positive = scores.gather(1, shown.positive[:, None]).squeeze(1)
        return sampled_softmax(positive, scores, shown.excluded)

    def step(self, weights: Weights, shown: Sequence[Shown], first_order: bool = False) -> dict[str, Tensor]:
        """θ − α ∇L(θ) over the pairs of all parts, with n / (1 + n / m) in α for an item's own corrections.

        L is a mean over n pairs, of which n / m tell of one item: so a step on its corrections is one on their sum,
        held back as in a mean of n / m observations and one of the prior.
        """
        pairs = sum(len(part.people) for part in shown)
        slopes: dict[str, Tensor] = {}
        for part in shown:
            found = grad(self.loss)(dict(weights), part)
            share = len(part.people) / pairs
            slopes = {n: s * share + slopes[n] if slopes else s * share for n, s in found.items()}
        one, rates = pairs / (1 + pairs / len(shown[0].things)), dict(zip(self.names, self.rates.exp(), strict=True))
        return {
            name: weight - rates[name] * (one if name in OWN else 1.0) * _of(slopes[name], first_order)
            for name, weight in weights.items()
        }

    def path(self, weights: Weights, shown: Sequence[Shown]) -> Iterator[Weights]:
        """`weights`, and what they are after one step, after two and so on."""
        while True:
            yield weights
            with torch.no_grad():
                weights = self.step(weights, shown)


def _of(slope: Tensor, first_order: bool) -> Tensor:
    return slope.detach() if first_order else slope


@dataclass(frozen=True, eq=False)
class Hidden:
    """What the last layers read: hidden vectors of the base's towers, which stay as they are."""

    network: Network
    shop: Shop

    def users(self, profile: Tensor, levels: Tensor) -> Tensor:
        """(n, h)."""
        with torch.no_grad():
            return self.network.user.hidden(profile, levels, 0)

    def items(self, content: Content) -> Tensor:
        """(n, h)."""
        parts = [content.take(rows) for rows in _chunks(len(content))]
        with torch.no_grad():
            return torch.cat([self.network.item.hidden(*tensors_of(part), 0) for part in parts])

    @cached_property
    def every(self) -> Tensor:
        """(items of the World, h)."""
        return self.items(self.shop.content)


def _chunks(rows: int) -> list[np.ndarray[Any, Any]]:
    return np.array_split(np.arange(rows), max(1, -(-rows // _CHUNK)))


def learned(shop: Shop, shots: float, recipe: Recipe) -> tuple[Learner, dict[str, Any]]:
    """The outer loop: the start and the rates with which a few steps on early people's pairs serve later people best.

    Args:
        shop: with the base.
        shots: pairs per item that a pseudo-launch shows.
        recipe: what is adapted and learned.

    Returns:
        The learner, the base's layers and the first rates where the sources show nothing; and facts.
    """
    o, network = recipe.options, shop.base.network()
    learner, hidden = Learner(network, recipe.inner, o.inner_rate), Hidden(network, shop)
    launches = launches_of(shop, shots, o.launches, o.shelf)
    if launches is None:
        return learner.eval(), {"sources": 0}

    def losses(episode: Episode, progress: float) -> dict[str, Tensor]:
        cold, warm = _asked(learner, hidden, episode, o)
        return {"cold": recipe.cold * cold, "warm": (1 - recipe.cold) * warm} if recipe.cold else {"warm": warm}

    parts = dict(learner.last.named_parameters())
    groups: list[Mapping[str, Any]] = [
        {"params": [learner.rates], "lr": _RATES * o.rate},
        {"params": [parts[n] for n in recipe.outer]},
    ]
    with seeded(shop.problem.seed, recipe.name):
        train(Phase(recipe.name, o.steps, o.rate, decay=0.0), learner, groups, launches, losses)
    rates = {n: round(float(r), 3) for n, r in zip(learner.names, learner.rates.detach().exp(), strict=True)}
    return learner, {"sources": len(launches.sampler.tasks), "rates": rates}


def _asked(learner: Learner, hidden: Hidden, episode: Episode, options: MetaOptions) -> tuple[Tensor, Tensor]:
    """Mean loss of later people's pairs before and after the inner steps, all launches at once."""
    batches, s = episode.batches, episode.support
    shape = len(batches), len(batches[0]), -1
    people = hidden.users(*(torch.cat([getattr(b, n) for b in batches]) for n in ("profile", "levels"))).reshape(shape)
    things = torch.stack([hidden.every[b.items] for b in batches])
    positive, excluded = (torch.stack([getattr(b, n) for b in batches]) for n in ("positive", "excluded"))

    def one(people: Tensor, things: Tensor, positive: Tensor, excluded: Tensor) -> tuple[Tensor, Tensor]:
        early, later = (Shown(people[p], things, positive[p], excluded[p]) for p in (slice(s), slice(s, None)))
        weights = learner.start(len(things))
        cold = learner.loss(weights, later)
        for _ in range(options.inner_steps):
            weights = learner.step(weights, (early,), options.first_order)
        return cold, learner.loss(weights, later)

    cold, warm = vmap(one)(people, things, positive, excluded)
    return cold.mean(), warm.mean()
