"""Prototypes: a new item stands where its first buyers stand, as far as they are many; no training."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ..models.base import Base
from ..recommender import Recommender
from ..rng import generator
from .few_shot import shown_pairs
from .method import transfer
from .network import Shop, Target
from .problem import Problem
from .prototypes import Evidence
from .result import recommender_for
from .space import Space
from .tuning import TOO_LITTLE
from .zero_shot import base_of

_JUDGED = 2048
"""Most pairs of a fold on which strengths are judged."""


@dataclass(frozen=True)
class ProtonetOptions:
    """Options of `protonet`."""

    strengths: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0)
    """Of the prior, in people of an item; those who are held out choose among them, for vectors and biases apart."""

    search: ClassVar[Space] = {}

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.strengths or min(self.strengths) <= 0:
            raise ValueError("strengths must be numbers above 0, at least one.")


@transfer(
    "protonet",
    options=ProtonetOptions,
    paper="Snell et al. 2017, Prototypical Networks, arXiv:1703.05175, with the base's answer as prior",
    when="items have one to five buyers each, and the answer is wanted in seconds",
    cost="low",
    needs=("base", "item_content", "target_interactions"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: ProtonetOptions) -> Recommender:
    """Moves the vector of each item towards the mean of its buyers, and its bias towards their number."""
    known = base_of(base)
    shop = Shop.open(known, problem)
    target, sampler = Target(known.network(), len(problem.catalogue), 0), shown_pairs(shop)
    facts: dict[str, Any] = {"steps": 0, "why": TOO_LITTLE}
    if sampler is not None:
        evidence = Evidence(target, shop, sampler)
        facts = _chosen(evidence, options.strengths)
        if "vector" in facts:
            one = (facts["vector"],), (facts["bias"],)
            ((_, (vectors, biases)),) = evidence.corrections(np.arange(len(evidence.users)), one)
            with torch.no_grad():
                target.items.vector.copy_(vectors)
                target.items.bias.copy_(biases / evidence.weight)
    made = shop.scorer(target, "history" if "vector" in facts else "content")
    return recommender_for(problem, "protonet", made, fusion=known.fusion, **facts)


def _chosen(evidence: Evidence, strengths: tuple[float, ...]) -> dict[str, Any]:
    """The strengths of the priors that are best for people held out, or why there are none."""
    rows, draw = np.arange(len(evidence.users)), generator(evidence.sampler.seed, "judged")
    losses, before = dict.fromkeys(itertools.product(strengths, strengths), 0.0), 0.0
    data = evidence.sampler.tasks[0]
    for fold in np.unique(evidence.fold):
        rest, held = rows[evidence.fold != fold], rows[evidence.fold == fold]
        if not len(rest):
            return {"steps": 0, "why": TOO_LITTLE}
        share = len(held) / len(rows)
        held = held if len(held) <= _JUDGED else draw.choice(held, _JUDGED, replace=False)
        judged = evidence.sampler.batch(data, held, data.catalogue, launch=True)
        places = torch.from_numpy(evidence.users[held])
        before += share * evidence.loss(judged, places, torch.zeros(1, 1), torch.zeros(1))
        for pair, made in evidence.corrections(rest, (strengths, strengths)):
            losses[pair] += share * evidence.loss(judged, places, *made)
    best = min(losses, key=lambda pair: losses[pair])
    if losses[best] >= before:
        return {"steps": 0, "why": "validation gained nothing"}
    gained = round(before - losses[best], 4)
    return {"vector": best[0], "bias": best[1], "validation_gain_nats": gained}
