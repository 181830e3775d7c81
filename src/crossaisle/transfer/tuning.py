"""Training a network on what is visible of the target: held-out users say when to stop, then all rows train."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..fusion.common import event_weights, liked_rows, loss_of
from ..models.base import tensors_of
from ..rng import generator, seeded
from ..train.batches import Batch, Sampler, task_data
from ..train.loop import Phase, train
from ..train.watch import EarlyStop
from ..types import Codes
from .network import Shop, Target

MIN_PAIRS = 20
"""With fewer visible (user, item) pairs nothing is tuned: the base answers as it is."""
TOO_LITTLE = "too little of the target is visible"
_LOOK = 4096
"""Most pairs, and most items, that a look at validation takes."""


@dataclass(frozen=True)
class Tuning:
    """How a network is tuned on the target.

    Attributes:
        steps: most steps.
        rate: learning rate.
        penalty: weight of the pull of item corrections to zero.
        batch: examples a step.
        negatives: items drawn a step; the whole catalogue where it is not larger.
        valid_share: share of the target's users that decides when to stop.
        patience: looks without improvement before stopping.
        every: steps between looks.
        launch: share of steps in which users are seen without their history in the target.
        l2_sp: pull of the network's weights that move to where they start; 0 for none.
    """

    steps: int
    rate: float
    penalty: float
    batch: int = 128
    negatives: int = 2048
    valid_share: float = 0.2
    patience: int = 3
    every: int = 40
    launch: float = 0.5
    l2_sp: float = 0.0


Groups = Callable[[Target], list[Mapping[str, Any]]]


def tune(
    make: Callable[[], Target], groups: Groups, shop: Shop, tuning: Tuning, name: str
) -> tuple[Target, dict[str, Any]]:
    """Train the target that `make` gives, for as many steps as users held out say, then anew on all rows.

    Args:
        make: a fresh target; called twice.
        groups: parameter groups of a target that are trained.
        shop: content, levels and problem.
        tuning: rates and limits.
        name: of the method, in progress lines and seeds.

    Returns:
        The trained target and facts about the training. Untouched where too little is visible or nothing is gained.
    """
    sampler = target_sampler(shop, tuning, make().task)
    if sampler is None:
        return make(), {"steps": 0, "why": TOO_LITTLE}
    train_rows, valid_rows = held_out(sampler, tuning)
    target, seen = make(), looks(sampler, valid_rows)
    phase = Phase(name, tuning.steps, tuning.rate, decay=0.0, every=tuning.every)
    stop = EarlyStop(lambda _: -valid_loss(target, shop, seen), tuning.patience)
    rest = replace(sampler, tasks=(sampler.tasks[0].take(train_rows),))
    train_on(target, groups(target), shop, rest, phase, tuning, stop)
    if stop.best_step == 0:
        return make(), {"steps": 0, "why": "validation gained nothing"}
    gained = round(stop.best - (stop.first or 0.0), 4)
    final, steps = make(), max(1, round(stop.best_step / (1 - tuning.valid_share)))
    train_on(final, groups(final), shop, sampler, replace(phase, steps=steps), tuning)
    return final, {"steps": steps, "validation_gain_nats": gained}


def target_sampler(shop: Shop, tuning: Tuning, task: int) -> Sampler | None:
    """Batches of the target's visible pairs; None where there are too few."""
    problem, world = shop.problem, shop.problem.world
    rows = liked_rows(replace(world, interactions=problem.target_rows), (problem.target,))
    pairs = event_weights(rows, world.n_users, world.n_items)
    if pairs.nnz < MIN_PAIRS:
        return None
    tasks = task_data({task: pairs}, {task: problem.catalogue}, shop.events, shop.profiles)
    return Sampler(tasks, shop.profiles, shop.levels, problem.seed, tuning.batch, tuning.negatives, tuning.launch)


Vectors = tuple[Tensor, Tensor]


def target_loss(target: Target, shop: Shop, batch: Batch, fixed: Vectors | None = None) -> Tensor:
    """Sampled softmax on the target, with its own items (see `TargetItems`).

    Args:
        target: what is trained.
        shop: content.
        batch: examples.
        fixed: vectors (catalogue, d) and biases (catalogue,) where the item tower is not trained.
    """
    rows = np.searchsorted(shop.problem.catalogue, batch.items)
    place = torch.from_numpy(rows)
    if fixed is None:
        vectors, biases = target.network.items(*tensors_of(shop.shelf, rows), batch.task)
    else:
        vectors, biases = fixed[0][place], fixed[1][place]
    own = target.items
    return loss_of(target.network, batch, vectors + own.vector[place], biases + own.bias[place])


def parameters(*modules: nn.Module | nn.Parameter) -> Iterable[nn.Parameter]:
    """All parameters of modules and parameters."""
    for module in modules:
        yield from [module] if isinstance(module, nn.Parameter) else module.parameters()


def train_on(
    target: Target,
    trained: list[Mapping[str, Any]],
    shop: Shop,
    sampler: Sampler,
    phase: Phase,
    tuning: Tuning,
    stop: EarlyStop | None = None,
) -> None:
    """One phase on the target's pairs.

    Args:
        target: what is trained.
        trained: its parameter groups that move.
        shop: content.
        sampler: of the pairs.
        phase: steps and rates.
        tuning: pulls.
        stop: when to stop early.
    """
    pairs = sum(len(t.users) for t in sampler.tasks)
    start = starting_point(target, trained) if tuning.l2_sp else []
    fixed = None if _item_tower_moves(target, trained) else shelf_vectors(target, shop)

    def losses(batch: Batch, progress: float) -> dict[str, Tensor]:
        terms = {"rank": target_loss(target, shop, batch, fixed)}
        terms["prior"] = tuning.penalty / pairs * target.items.penalty()
        if start:
            terms["start"] = tuning.l2_sp / pairs * distance(start)
        return terms

    with seeded(shop.problem.seed, phase.task):
        train(phase, target, trained, sampler, losses, stop)


Pinned = list[tuple[nn.Parameter, Tensor]]


def starting_point(target: Target, trained: list[Mapping[str, Any]]) -> Pinned:
    """The weights of the network that move, each with its value now; items have a pull of their own."""
    own = {id(p) for p in target.items.parameters()}
    return [(p, p.detach().clone()) for g in trained for p in g["params"] if id(p) not in own]


def distance(start: Pinned) -> Tensor:
    """Σ ‖w − w⁰‖² (Li et al. 2018, L2-SP, eq. 2).

    What is new for the target starts at its neutral value, mostly zero, so that its term is the plain ‖w‖² of eq. 3.
    """
    return torch.stack([(now - then).square().sum() for now, then in start]).sum()


def _item_tower_moves(target: Target, trained: list[Mapping[str, Any]]) -> bool:
    moving = {id(p) for g in trained for p in g["params"]}
    return any(id(p) in moving for p in target.network.item.parameters())


def shelf_vectors(target: Target, shop: Shop) -> Vectors:
    """Vectors (catalogue, d) and biases (catalogue,) of the shop's items by their content, without gradient."""
    with torch.no_grad():
        made: Vectors = target.network.eval().items(*tensors_of(shop.shelf), target.task)
    return made


def held_out(sampler: Sampler, tuning: Tuning) -> tuple[Codes, Codes]:
    """Rows of the sampler's one task that train and that validate: users apart."""
    users = sampler.tasks[0].users
    drawn = generator(sampler.seed, "held out").permutation(np.unique(users))
    held = np.isin(users, drawn[: max(1, round(tuning.valid_share * len(drawn)))])
    return np.flatnonzero(~held), np.flatnonzero(held)


def looks(sampler: Sampler, rows: Codes) -> list[Batch]:
    """Batches of the held-out pairs `rows`, the same at every look."""
    draw, data = generator(sampler.seed, "valid"), sampler.tasks[0]
    drawn, rows = (
        codes if len(codes) <= _LOOK else draw.choice(codes, _LOOK, replace=False) for codes in (data.catalogue, rows)
    )
    return [sampler.batch(data, rows[start : start + 512], drawn, True) for start in range(0, len(rows), 512)]


def valid_loss(target: Target, shop: Shop, batches: list[Batch]) -> float:
    """Mean of `target_loss` over the pairs of `batches`, from `looks`."""
    vectors = shelf_vectors(target, shop)
    losses = [float(target_loss(target, shop, batch, vectors)) for batch in batches]
    return float(np.average(losses, weights=[len(batch) for batch in batches]))
