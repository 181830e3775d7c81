"""Warm: some more steps from the weights that are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..models.base import Base
from ..recommender import Recommender
from ..train.loop import Phase
from ..transfer.moved import layers_moved
from ..transfer.network import NetworkScorer, Shop, Target, item_vectors_of
from ..transfer.problem import Problem
from ..transfer.result import recommender_for
from ..transfer.shared_bottom import SharedBottomOptions, together
from ..transfer.thaw import own_head
from ..transfer.tuning import TOO_LITTLE, Tuning, parameters, target_sampler, train_on


def can_go_on(current: Recommender, base: Base) -> bool:
    """Whether `current` is the base's network with one head more, as `shared_bottom` and `finetune` make it."""
    scorer = current.scorer
    return isinstance(scorer, NetworkScorer) and scorer.sizes == base.sizes and scorer.tasks == len(base.tasks) + 1


def continued(
    current: Recommender, base: Base, problem: Problem, steps: int, options: object, shared: bool = False
) -> Recommender:
    """`current` after `steps` more steps, in which the target's own head and items move.

    What all domains share stays as it is, so that the old domains forget nothing. With `shared` it moves as well, as in
    `shared_bottom`, where batches of the sources are replayed (Robins 1995, rehearsal) at the share it has for them.

    Args:
        current: of a network that can go on, see `can_go_on`.
        base: that it was adapted from.
        problem: what may be seen now.
        steps: of the optimiser.
        options: of `shared_bottom`; its defaults where they are another method's.
        shared: whether everything moves.

    Raises:
        MethodError: the base was fused on other items, or (`shared`) none of its domains is a visible source.
    """
    chosen = options if isinstance(options, SharedBottomOptions) else SharedBottomOptions()
    chosen = replace(chosen, steps=steps, passes=0.0)
    # With the same draws every evening the same people would be trained on, again and again.
    shop = Shop.open(base, replace(problem, seed=problem.seed + len(problem.visible)))
    target = resumed(current, shop)
    facts = together(target, shop, chosen) if shared else own_alone(target, shop, chosen)
    made = shop.scorer(target, "history")
    return recommender_for(problem, current.method, made, fusion=base.fusion, warm=True, **facts)


def own_alone(target: Target, shop: Shop, options: SharedBottomOptions) -> dict[str, Any]:
    """Train the target's own row of the head and its items; facts of the training."""
    tuning = Tuning(options.steps, options.rate, options.penalty, batch=options.batch, negatives=options.negatives)
    sampler = target_sampler(shop, tuning, target.task)
    if sampler is None:
        return {"steps": 0, "why": TOO_LITTLE}
    own: list[Mapping[str, Any]] = [{"params": [*own_head(target), *parameters(target.items)]}]
    train_on(target, own, shop, sampler, Phase("continued", options.steps, options.rate, decay=0.0), tuning)
    return {"steps": options.steps, "layers": layers_moved(shop, target)}


def resumed(current: Recommender, shop: Shop) -> Target:
    """The network of `current` as it was trained: its weights, and what events said of its items."""
    scorer = current.scorer
    if not isinstance(scorer, NetworkScorer):
        raise TypeError(f"{type(scorer).__name__} is no network.")
    target = shop.newcomer()
    target.network.load_state_dict(dict(scorer.weights))
    target.task = scorer.task
    told = item_vectors_of(target.network, shop.shelf, target.task)
    catalogue = shop.problem.catalogue
    places = np.append(current.ranker.places, -1)[current.item_ids.encode(shop.problem.world.item_ids.ids[catalogue])]
    known = torch.from_numpy(np.flatnonzero(places >= 0))
    own = torch.from_numpy((scorer.item_vectors[places] - told)[known.numpy()])
    with torch.no_grad():
        target.items.vector[known] = own[:, :-1]
        target.items.bias[known] = own[:, -1]
    return target
