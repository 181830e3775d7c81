"""The one training loop: the only file with `.backward()` and `.step()`.

A phase is one call of `train`; methods with several phases call it several times.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..progress import tick
from .balance import Balance
from .checkpoint import checkpoint_of, load_checkpoint, remove_checkpoint, save_checkpoint
from .watch import EarlyStop, check_finite

B = TypeVar("B")
Losses = Mapping[str, Tensor]


@dataclass(frozen=True)
class Phase:
    """How one phase of training runs.

    Attributes:
        task: name in progress lines.
        steps: optimiser steps.
        rate: learning rate of groups that do not name their own.
        decay: weight decay (decoupled, Loshchilov & Hutter 2019).
        clip: greatest norm of the gradient.
        warmup: share of the steps over which the rate rises; it then falls as a cosine to a tenth.
        every: steps between checkpoints and between looks of `watch`.
        resumable: leaves checkpoints where `checkpoint.keeping` says, so that it can go on after an interruption.
        seconds: it ends then, if the steps have not ended it; over the last fifth of them the rate falls to zero.
    """

    task: str
    steps: int
    rate: float = 1e-3
    decay: float = 1e-4
    clip: float = 1.0
    warmup: float = 0.05
    every: int = 200
    resumable: bool = False
    seconds: float = math.inf

    def spent(self, started: float) -> float:
        """Share of the seconds that have gone by since `started`, of the performance counter."""
        return (time.perf_counter() - started) / self.seconds

    def total(self, step: int, spent: float) -> int:
        """How many steps there will be at the pace of the first `step`, which took the share `spent` of the seconds."""
        return step if spent >= 1 else min(self.steps, math.ceil(step / spent)) if spent > 0 else self.steps


@dataclass(frozen=True)
class Trained:
    """What a phase did: steps taken, interactions per second, last mean of each loss term."""

    steps: int
    interactions_per_second: float
    losses: Mapping[str, float] = field(default_factory=dict)


def train(
    phase: Phase,
    model: nn.Module,
    groups: Sequence[Mapping[str, Any]],
    batch_of: Callable[[int], B],
    losses_of: Callable[[B, float], Losses],
    stop: EarlyStop | None = None,
    balance: Balance | None = None,
) -> Trained:
    """Run one phase.

    Args:
        phase: steps, rates, checkpoint.
        model: whose state is checkpointed and put back to its best by `stop`.
        groups: parameter groups for AdamW (``params`` and perhaps ``lr``, ``weight_decay``), each perhaps with
            ``start``, the number of steps for which it is frozen at first.
        batch_of: step number → batch, whose length is the number of interactions in it (of people or pairs, where it
            is made of these); must depend on the number alone, so that a resumed phase sees the same batches.
        losses_of: (batch, progress 0 to 1) → named scalar terms; their sum is minimised where there is no `balance`.
        stop: looks at validation every `phase.every` steps.
        balance: weighs the terms against each other; its own parameters are trained with those of `groups`.

    Raises:
        TrainingError: a term is not finite (names the term and the step).
    """
    whole, own = _with_state(model, balance)
    optimiser = torch.optim.AdamW(
        [*(dict(g) for g in groups), *own], lr=phase.rate, weight_decay=phase.decay, fused=True
    )
    moved = [p for g in optimiser.param_groups[: len(groups)] for p in g["params"]]
    rates = [group["lr"] for group in optimiser.param_groups]
    checkpoint = checkpoint_of(phase.task) if phase.resumable else None
    first, means = load_checkpoint(checkpoint, whole, optimiser)
    if stop is not None and first == 0:
        stop.look(model, 0)
    model.train()
    started, seen, step = time.perf_counter(), 0, first
    for step in range(first + 1, phase.steps + 1):
        batch = batch_of(step)
        terms = losses_of(batch, step / phase.steps)
        losses = check_finite(terms, phase.task, step)
        _set_rates(optimiser, rates, _rate(step - 1, phase) * min(1.0, 5 * max(0.0, 1 - phase.spent(started))))
        _descend(optimiser, terms, moved, phase.clip, step, balance)
        seen += len(batch)  # type: ignore[arg-type]
        means |= {n: 0.98 * means.get(n, loss) + 0.02 * loss for n, loss in losses.items()}
        end = phase.total(step, phase.spent(started))
        tick(f"{phase.task}: {_pace(seen, started):,.0f} interactions/s", step, end)
        if step % phase.every == 0:
            save_checkpoint(checkpoint, whole, optimiser, step, means)
        if (stop is not None and (step % phase.every == 0 or step == end) and stop.look(model, step)) or step == end:
            break
    if stop is not None:
        stop.restore(model)
    model.eval()
    remove_checkpoint(checkpoint)
    return Trained(step, _pace(seen, started), means)


def _pace(seen: int, started: float) -> float:
    """Interactions per second."""
    return seen / max(time.perf_counter() - started, 1e-9)


def _with_state(model: nn.Module, balance: Balance | None) -> tuple[nn.Module, list[dict[str, Any]]]:
    """What is checkpointed, and the parameter groups that the balance adds."""
    if not isinstance(balance, nn.Module):
        return model, []
    learned = list(balance.parameters())
    return nn.ModuleDict({"model": model, "balance": balance}), [{"params": learned, "weight_decay": 0.0}] * bool(
        learned
    )


def _descend(
    optimiser: torch.optim.Optimizer,
    terms: Losses,
    parameters: Sequence[nn.Parameter],
    clip: float,
    step: int,
    balance: Balance | None,
) -> None:
    optimiser.zero_grad(set_to_none=True)
    if balance is None:
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    else:
        balance(terms, parameters)
    for group in optimiser.param_groups:
        if step <= group.get("start", 0):
            for parameter in group["params"]:
                parameter.grad = None
    nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()


def _set_rates(optimiser: torch.optim.Optimizer, rates: Sequence[float], share: float) -> None:
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate * share


def _rate(step: int, phase: Phase) -> float:
    """Share of the highest rate after `step` steps."""
    done = step / max(phase.steps, 1)
    if done < phase.warmup:
        return (step + 1) / max(1.0, phase.warmup * phase.steps)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * min(done, 1.0)))
