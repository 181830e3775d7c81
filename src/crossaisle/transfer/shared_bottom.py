"""Shared bottom: sources and target trained together, the yardstick of every way to carry a base over."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from ..errors import MethodError
from ..fusion.common import rank_loss, tasks_of
from ..models.base import Base
from ..recommender import Recommender
from ..rng import generator, seeded
from ..train.batches import Batch, Sampler, task_data
from ..train.loop import Phase, train
from .method import transfer
from .moved import layers_moved
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for
from .space import Range, Space
from .tuning import TOO_LITTLE, Tuning, parameters, target_loss, target_sampler
from .zero_shot import base_of

MOST = 4
"""Times `steps` that are taken at most, see `passes`."""


@dataclass(frozen=True)
class SharedBottomOptions:
    """Options of `shared_bottom`."""

    steps: int = 400
    """Steps of the optimiser, from the base's weights on; more where the target has many events, see `passes`."""
    passes: float = 2.0
    """Times that each event of the target is seen, at least; steps are added for it, up to four times `steps`."""
    rate: float = 2e-3
    """Learning rate at its highest."""
    target_share: float = 0.5
    """Share of the steps that train on the target; the others train on the sources."""
    penalty: float = 30.0
    """Pull of item corrections towards what content says; more for few events."""
    batch: int = 256
    """Examples a step."""
    negatives: int = 2048
    """Items drawn a step as not chosen; the whole catalogue where it is not larger."""

    search: ClassVar[Space] = {
        "rate": Range(2e-4, 0.02, log=True),
        "target_share": Range(0.1, 1.0),
        "penalty": Range(1.0, 300.0, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if min(self.steps, self.batch, self.negatives) < 1 or self.rate <= 0 or min(self.penalty, self.passes) < 0:
            raise ValueError("steps, batch and negatives ≥ 1, rate > 0, penalty and passes ≥ 0 are needed.")
        if not 0 < self.target_share <= 1:
            raise ValueError("target_share must be above 0 and at most 1.")

    def steps_for(self, pairs: int) -> int:
        """Steps where the target has `pairs` of a person and an item."""
        wanted = math.ceil(self.passes * pairs / (self.batch * self.target_share))
        return min(max(self.steps, wanted), MOST * self.steps)


@transfer(
    "shared_bottom",
    options=SharedBottomOptions,
    paper="Caruana 1997, Multitask Learning",
    when="always in the table, as a control; to ship where it wins",
    cost="medium",
    needs=("base", "target_interactions"),
    control=True,
    random=True,
)
def fit(base: Base | None, problem: Problem, options: SharedBottomOptions) -> Recommender:
    """Sources and target together in one network: what an adapted base has to beat."""
    known = base_of(base)
    shop = Shop.open(known, problem)
    target = shop.newcomer()
    facts = together(target, shop, options)
    return recommender_for(problem, "shared_bottom", shop.scorer(target, "history"), fusion=known.fusion, **facts)


def together(target: Target, shop: Shop, options: SharedBottomOptions) -> dict[str, Any]:
    """Train `target` from the weights it has, on the target's rows and the sources' in turn; facts of the training.

    Raises:
        MethodError: the base has a head for none of the sources.
    """
    tuning = Tuning(options.steps, options.rate, options.penalty, batch=options.batch, negatives=options.negatives)
    own = target_sampler(shop, tuning, target.task)
    if own is None:
        return {"steps": 0, "why": TOO_LITTLE}
    elsewhere = source_sampler(own, shop)
    pairs = len(own.tasks[0].users)
    pull = options.penalty / pairs

    def losses(batch: Batch, progress: float) -> dict[str, Tensor]:
        if batch.task == target.task:
            return {"target": target_loss(target, shop, batch), "prior": pull * target.items.penalty()}
        return {"sources": rank_loss(target.network, shop.content, batch)}

    phase = Phase("shared_bottom", options.steps_for(pairs), options.rate, decay=0.0)
    with seeded(shop.problem.seed, "shared_bottom"):
        groups = [{"params": list(parameters(target))}]
        done = train(phase, target, groups, _mixed(own, elsewhere, options.target_share), losses)
    return {"steps": done.steps, "tasks": 1 + len(elsewhere.tasks), "layers": layers_moved(shop, target)}


def source_sampler(own: Sampler, shop: Shop, method: str = "shared_bottom") -> Sampler:
    """Batches of the sources' tasks for which the base has heads; otherwise as `own`, which reads the same histories.

    `method` is named in the error.

    Raises:
        MethodError: the base has a head for none of them.
    """
    problem, heads = shop.problem, {name: head for head, name in enumerate(shop.base.tasks)}
    world = dataclasses.replace(problem.world, interactions=problem.visible)
    pairs, catalogues, names = tasks_of(world, problem.sources)
    shared = [(task, heads[name]) for task, name in enumerate(names) if task and name in heads]
    if not shared:
        raise MethodError(
            f"{method} trains the base's domains and the target together, but of the base's "
            f"({', '.join(shop.base.sources)}) none is a visible source here; fuse {', '.join(problem.sources)} first."
        )
    own_events, shelves = {h: pairs[t] for t, h in shared}, {h: catalogues[t] for t, h in shared}
    return dataclasses.replace(own, tasks=task_data(own_events, shelves, shop.events, shop.profiles))


def _mixed(own: Sampler, elsewhere: Sampler, share: float) -> Callable[[int], Batch]:
    def batch_of(step: int) -> Batch:
        of_target = generator(own.seed, "share", str(step)).random() < share
        return own(step) if of_target else elsewhere(step)

    return batch_of
