"""From what the sources taught to the target: as many inner steps on its visible pairs as people held out say."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..models.base import Base
from ..recommender import Recommender
from ..rng import generator
from ..train.batches import Sampler
from ..types import Codes
from .meta import OWN, Hidden, Learner, Recipe, Shown, Weights, learned
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .tuning import TOO_LITTLE, Tuning, target_sampler
from .zero_shot import base_of

FOLDS = 4
MOST = 8192
"""Most visible pairs that adapt: few are what these methods are for."""
_CHUNK = 512
_FURTHER = 4
"""In the target, at most so many times the steps of a pseudo-launch."""
_PATIENCE = 2


def few_shot(base: Base | None, problem: Problem, recipe: Recipe) -> Recommender:
    """The recommender of `recipe` on `problem`."""
    known = base_of(base)
    shop = Shop.open(known, problem)
    target, facts = adapted(shop, recipe)
    return recommender_for(
        problem,
        recipe.name,
        shop.scorer(target, "history" if facts["steps"] else "content"),
        fusion=known.fusion,
        **facts,
    )


def adapted(shop: Shop, recipe: Recipe) -> tuple[Target, dict[str, Any]]:
    """The target after the outer loop on the sources and inner steps on its own pairs, and facts.

    The base as it is where too little is visible, or where it serves people held out at least as well.
    """
    untouched = Target(shop.base.network(), len(shop.problem.catalogue), 0)
    sampler = shown_pairs(shop)
    if sampler is None:
        return untouched, {"steps": 0, "why": TOO_LITTLE}
    learner, facts = learned(shop, len(sampler.tasks[0].users) / len(shop.problem.catalogue), recipe)
    pairs = Pairs(shop, sampler)
    most = _FURTHER * recipe.options.inner_steps
    before, losses = pairs.validated(learner, most)
    steps = int(np.argmin(losses))
    if losses[steps] >= before:
        return untouched, {"steps": 0, "why": "validation gained nothing", **facts}
    weights = pairs.after(learner, pairs.rows, steps)
    gained = round(before - losses[steps], 4)
    return put(learner, weights, untouched), {"steps": steps, "validation_gain_nats": gained, **facts}


def shown_pairs(shop: Shop) -> Sampler | None:
    """The target's visible pairs; None where there are too few."""
    return target_sampler(shop, Tuning(steps=1, rate=1.0, penalty=0.0), 0)


def put(learner: Learner, weights: Weights, target: Target) -> Target:
    """`target` with the learner's last layers and, in their place, `weights`."""
    last = learner.last
    with torch.no_grad():
        for name, place in last.named_parameters():
            place.copy_(weights.get(name, place))
        for name, place in zip(OWN, (target.items.vector, target.items.bias), strict=True):
            place.copy_(weights.get(name, place))
    last.put(target.network)
    return target


class Pairs:
    """The target's visible pairs as an inner loop takes them, people apart in folds."""

    def __init__(self, shop: Shop, sampler: Sampler) -> None:
        self.sampler, self.hidden = sampler, Hidden(shop.base.network(), shop)
        self.rows = few_of(sampler)
        self.fold = folds_of(sampler, self.rows)
        self.things = self.hidden.items(shop.shelf)

    def shown(self, rows: Codes) -> list[Shown]:
        """The pairs `rows`, against all that the target sells."""
        made, data = [], self.sampler.tasks[0]
        for start in range(0, len(rows), _CHUNK):
            batch = self.sampler.batch(data, rows[start : start + _CHUNK], data.catalogue, launch=True)
            people = self.hidden.users(batch.profile, batch.levels)
            made.append(Shown(people, self.things, batch.positive, batch.excluded))
        return made

    def after(self, learner: Learner, rows: Codes, steps: int) -> Weights:
        """What is adapted after `steps` on `rows`."""
        path = learner.path(learner.start(len(self.things)), self.shown(rows))
        return [next(path) for _ in range(steps + 1)][-1]

    def validated(self, learner: Learner, most: int) -> tuple[float, list[float]]:
        """Mean loss of people held out: of the base as it is, and after 0, 1, … inner steps on the others' pairs.

        Every pair is held out once. It ends after `most` steps, or `_PATIENCE` without a better one.
        """
        folds = [(self.shown(self.rows[self.fold != f]), self.shown(self.rows[self.fold == f])) for f in range(FOLDS)]
        plain = Learner(self.hidden.network, (), 1.0)
        before = sum(_total(plain, {}, later) for _, later in folds) / len(self.rows)
        paths = [learner.path(learner.start(len(self.things)), early) for early, _ in folds]
        losses: list[float] = []
        while len(losses) <= most and len(losses) - 1 - int(np.argmin(losses or [0])) < _PATIENCE:
            total = sum(_total(learner, next(path), later) for path, (_, later) in zip(paths, folds, strict=True))
            losses.append(total / len(self.rows))
        return before, losses


def few_of(sampler: Sampler) -> Codes:
    """Rows of the pairs that adapt, at most `MOST`."""
    rows = np.arange(len(sampler.tasks[0].users))
    return rows if len(rows) <= MOST else np.sort(generator(sampler.seed, "few").choice(rows, MOST, replace=False))


def folds_of(sampler: Sampler, rows: Codes) -> Codes:
    """(n,) number of the fold of each of `rows`, by people."""
    people, place = np.unique(sampler.tasks[0].users[rows], return_inverse=True)
    fold: Codes = (generator(sampler.seed, "folds").permutation(len(people)) % FOLDS)[place]
    return fold


def _total(learner: Learner, weights: Weights, shown: list[Shown]) -> float:
    with torch.no_grad():
        return sum(float(learner.loss(weights, part)) * len(part.people) for part in shown)
