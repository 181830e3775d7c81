"""Prototypes of items: where their buyers stand in the vector space of a base, against who was expected to buy them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..objectives.rank import sampled_softmax
from ..train.batches import Batch, Sampler
from ..types import Codes
from .few_shot import folds_of
from .network import Shop, Target
from .tuning import Vectors, shelf_vectors

Grid = tuple[tuple[float, ...], tuple[float, ...]]
_LEAST = 1e-3
"""A weight of item biases nearer to zero counts as this much."""
_TINY = 1e-9
_RIDGE = 0.1
"""Share of the mean variance of people that is added to their covariance."""
_ROUNDS = 8
_PEOPLE = 1024


class Evidence:
    """Who has which of the target's items, in the base's vector space.

    Attributes:
        people: (a, d) vectors of the people who have any, without their history in the target.
        users: (r,) places among them of the visible pairs.
        items: (r,) places in the catalogue of the same.
        vectors: (m, d) item vectors by content.
        biases: (m,) what is added to scores by content.
        weight: of item biases in scores.
        fold: (r,) number of the fold of each pair, people apart.
    """

    def __init__(self, target: Target, shop: Shop, sampler: Sampler) -> None:
        data, self.sampler = sampler.tasks[0], sampler
        profile = sampler.profiles.pair(data.elsewhere, np.zeros_like(data.inside))
        levels = torch.from_numpy(sampler.levels[data.active])
        with torch.no_grad():
            self.people, weight = target.network.users(torch.from_numpy(profile), levels, 0)
            self.vectors, biases = shelf_vectors(target, shop)
        self.weight = weight.item() if abs(weight.item()) > _LEAST else _LEAST
        self.biases = self.weight * biases
        self.users, self.items = data.users, np.searchsorted(data.catalogue, data.items)
        self.fold = folds_of(sampler, np.arange(len(self.users)))
        centred = self.people - self.people.mean(dim=0)
        spread = centred.T @ centred / max(1, len(centred) - 1)
        self.spread = spread + _RIDGE * spread.trace() / len(spread) * torch.eye(len(spread))

    def corrections(self, rows: Codes, strengths: Grid) -> Iterator[tuple[tuple[float, float], Vectors]]:
        """What the pairs `rows` say beyond content: of item vectors (m, d), and of what is added to scores (m,).

        Args:
            rows: of the pairs.
            strengths: κ of the priors of vectors, and κ′ of those of biases, in people.

        Yields:
            (κ, κ′) and the corrections, for each pair of strengths.
        """
        people, place = np.unique(self.users[rows], return_inverse=True)
        who, what = torch.from_numpy(place), torch.from_numpy(self.items[rows])
        users, basket = self.people[torch.from_numpy(people)], torch.bincount(who).float()
        number = torch.bincount(what, minlength=len(self.vectors)).float()
        found = torch.zeros_like(self.vectors).index_add_(0, what, users[who])
        many, there = expected(users, basket, self.vectors, self.biases)
        away = found / number.clamp(min=1)[:, None] - there / many.clamp(min=_TINY)[:, None]
        whole = torch.linalg.solve(self.spread, away.T).T
        for vector in strengths[0]:
            moved = whole * (number / (number + vector))[:, None]
            many, _ = expected(users, basket, self.vectors + moved, self.biases)
            for bias in strengths[1]:
                yield (vector, bias), (moved, torch.log((number + bias) / (many + bias)))

    def loss(self, judged: Batch, places: Tensor, vectors: Tensor, biases: Tensor) -> float:
        """Mean loss of the pairs of `judged`, of people at `places` (n,), with corrections."""
        scores = self.people[places] @ (self.vectors + vectors).T + self.biases + biases
        positive = scores.gather(1, judged.positive[:, None]).squeeze(1)
        return float(sampled_softmax(positive, scores, judged.excluded))


def expected(users: Tensor, basket: Tensor, vectors: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """How many people have each item where each draws `basket` distinct ones by the softmax of the scores.

    Item i with probability p_ui is in a basket of n drawn one after the other with about 1 − exp(−t_u p_ui), where t_u
    is such that these sum up to n.

    Args:
        users: (a, d) vectors.
        basket: (a,) numbers of items.
        vectors: (m, d) of items.
        biases: (m,) what is added to scores.

    Returns:
        (m,) expected number of people; (m, d) expected sum of their vectors.
    """
    number, there = torch.zeros(len(vectors)), torch.zeros_like(vectors)
    for part, size in zip(torch.split(users, _PEOPLE), torch.split(basket, _PEOPLE), strict=True):
        chance = torch.softmax(part @ vectors.T + biases, dim=1)
        time = size[:, None]
        for _ in range(_ROUNDS):
            drawn = -torch.expm1(-time * chance)
            time = time * size[:, None] / drawn.sum(dim=1, keepdim=True)
        drawn = -torch.expm1(-time * chance)
        number += drawn.sum(dim=0)
        there += drawn.T @ part
    return number, there
