"""Training a network on what is visible of the target: held-out users say when to stop, then all rows train."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from ..fusion.common import IGNORED_EVENTS
from ..models.base import tensors_of
from ..objectives.rank import sampled_softmax
from ..rng import generator, seeded
from ..train.batches import Batch, Sampler, task_data
from ..train.loop import Phase, train
from ..train.watch import EarlyStop
from ..types import Codes
from .network import Shop, Target

MIN_PAIRS = 20
"""With fewer visible (user, item) pairs nothing is tuned: the base answers as it is."""
_LOOK_NEGATIVES = 4096


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
        return make(), {"steps": 0, "why": "too little of the target is visible"}
    train_rows, valid_rows = _held_out(sampler, shop, tuning)
    target = make()
    stop = EarlyStop(lambda m: -_valid_loss(m, shop, sampler, valid_rows), tuning.patience)
    phase = Phase(name, tuning.steps, tuning.rate, decay=0.0, every=tuning.every)
    _run(target, groups(target), shop, _only(sampler, train_rows), phase, tuning.penalty, stop)
    gained = round(stop.best - (stop.first or 0.0), 4)
    if stop.best_step == 0:
        return make(), {"steps": 0, "why": "validation gained nothing"}
    final, steps = make(), max(1, round(stop.best_step / (1 - tuning.valid_share)))
    _run(final, groups(final), shop, sampler, replace(phase, steps=steps), tuning.penalty)
    return final, {"steps": steps, "validation_gain_nats": gained}


def target_sampler(shop: Shop, tuning: Tuning, task: int) -> Sampler | None:
    """Batches of the target's visible pairs; None where there are too few."""
    problem = shop.problem
    liked = problem.world.events.encode(list(IGNORED_EVENTS))
    rows = problem.target_rows.filter(~problem.target_rows["event"].is_in(liked.tolist()))
    counts = sp.coo_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows["user"].to_numpy(), rows["item"].to_numpy())),
        shape=problem.history.counts.shape,
    ).tocsr()
    counts.data = np.log1p(counts.data)
    if counts.nnz < MIN_PAIRS:
        return None
    events = problem.history.counts.copy()
    events.data = np.log1p(events.data)
    profiles = shop.profiles
    data = task_data({task: counts}, {task: problem.catalogue}, profiles)
    return Sampler(
        data, events, profiles.sums(events), profiles, shop.levels, problem.seed,
        tuning.batch, tuning.negatives, tuning.launch,
    )  # fmt: skip


def target_loss(target: Target, shop: Shop, batch: Batch, fixed: tuple[Tensor, Tensor] | None = None) -> Tensor:
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
        vectors, biases = target.network.item(*tensors_of(shop.shelf, rows))
    else:
        vectors, biases = fixed[0][place], fixed[1][place]
    vectors, biases = vectors + target.items.vector[place], biases + target.items.bias[place]
    users, weight = target.network.users(batch.profile, batch.levels, batch.task)
    scores = users @ vectors[batch.negatives].T + weight * biases[batch.negatives]
    positive = (users * vectors[batch.positive]).sum(dim=1) + weight * biases[batch.positive]
    return sampled_softmax(positive, scores, batch.excluded)


def parameters(*modules: nn.Module | nn.Parameter) -> Iterable[nn.Parameter]:
    """All parameters of modules and parameters."""
    for module in modules:
        yield from [module] if isinstance(module, nn.Parameter) else module.parameters()


def _run(
    target: Target,
    trained: list[Mapping[str, Any]],
    shop: Shop,
    sampler: Sampler,
    phase: Phase,
    penalty: float,
    stop: EarlyStop | None = None,
) -> None:
    moving = {id(p) for g in trained for p in g["params"]}
    pairs = sum(len(t.users) for t in sampler.tasks)
    fixed = None
    if not any(id(p) in moving for p in target.network.item.parameters()):
        with torch.no_grad():
            fixed = target.network.eval().item(*tensors_of(shop.shelf))

    def losses(batch: Batch, progress: float) -> dict[str, Tensor]:
        pull = penalty / pairs * target.items.penalty()
        return {"rank": target_loss(target, shop, batch, fixed), "prior": pull}

    with seeded(shop.problem.seed, phase.task):
        train(phase, target, trained, sampler, losses, stop)


def _held_out(sampler: Sampler, shop: Shop, tuning: Tuning) -> tuple[Codes, Codes]:
    """Rows of the sampler's one task that train and that validate: users apart."""
    users = sampler.tasks[0].users
    drawn = generator(shop.problem.seed, "held out").permutation(np.unique(users))
    held = drawn[: max(1, round(tuning.valid_share * len(drawn)))]
    mask = np.isin(users, held)
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _only(sampler: Sampler, rows: Codes) -> Sampler:
    data = sampler.tasks[0]
    return replace(sampler, tasks=(replace(data, users=data.users[rows], items=data.items[rows]),))


def _valid_loss(model: nn.Module, shop: Shop, sampler: Sampler, rows: Codes) -> float:
    if not isinstance(model, Target):
        raise TypeError("a Target is trained here")
    draw = generator(shop.problem.seed, "valid")
    catalogue = shop.problem.catalogue
    drawn = catalogue if len(catalogue) <= _LOOK_NEGATIVES else draw.choice(catalogue, _LOOK_NEGATIVES, replace=False)
    rows = rows if len(rows) <= _LOOK_NEGATIVES else draw.choice(rows, _LOOK_NEGATIVES, replace=False)
    data = sampler.tasks[0]
    losses, weights = [], []
    for start in range(0, len(rows), 512):
        batch = sampler.batch(data, rows[start : start + 512], drawn, True)
        losses.append(float(target_loss(model, shop, batch)))
        weights.append(len(batch))
    return float(np.average(losses, weights=weights))
