"""Fusions that rank in every domain at once: they differ in the design of the network alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..models.base import Base
from ..models.network import Network
from ..rng import seeded
from ..train.balance import BALANCES, Balance
from ..train.loop import Trained, train
from .common import rank_loss
from .ground import Ground, NetworkOptions


def ranked(ground: Ground, name: str, design: str = "shared", experts: int = 0, own: int = 0) -> Base:
    """The base of a network of `design` (see `Sizes`) that ranks in every task, balanced as the options say.

    Args:
        ground: what is read.
        name: of the fusion.
        design: what of the towers a task has of its own.
        experts: number of experts.
        own: tasks with experts of their own.
    """
    with seeded(ground.seed, name):
        network = Network(ground.sizes(design, experts, own), len(ground.tasks))
        done = _train(ground, network)
    return ground.base(name, network, done)


def balance_of(options: NetworkOptions, names: Callable[[], Iterable[str]]) -> Balance | None:
    """The balance that `options` name over the terms `names`; None for the plain sum."""
    return None if options.balance == "sum" else BALANCES.get(options.balance).make(list(names()))


def _train(ground: Ground, network: Network) -> Trained:
    options, sampler = ground.options, ground.sampler()
    groups = [{"params": list(network.parameters())}]
    if options.balance == "sum":
        return train(
            options.phase(), network, groups, sampler, lambda b, _: {"rank": rank_loss(network, ground.content, b)}
        )
    names = [f"rank/{ground.tasks[t.task]}" for t in sampler.tasks]
    return train(
        options.phase(),
        network,
        groups,
        lambda step: sampler.several(step, options.tasks_a_step),
        lambda b, _: {f"rank/{ground.tasks[p.task]}": rank_loss(network, ground.content, p) for p in b.parts},
        balance=BALANCES.get(options.balance).make(names),
    )
