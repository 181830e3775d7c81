"""Watching training: numbers that are none, and the point where validation stops improving."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import TrainingError


def check_finite(terms: Mapping[str, Tensor], task: str, step: int) -> dict[str, float]:
    """The values of `terms`, which must be numbers.

    Raises:
        TrainingError: naming the term and the step.
    """
    values = {name: term.item() for name, term in terms.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{task}: loss term {name!r} became {value} at step {step}; lower the learning rate, or look "
                "for extreme values in prices and attributes."
            )
    return values


@dataclass
class EarlyStop:
    """Keeps the best weights by a validation score and stops after `patience` looks without a better one.

    Attributes:
        score: model → validation score, greater is better.
        patience: looks without improvement before stopping.
        best: best score so far.
        best_step: its step.
        first: score at the first look.
    """

    score: Callable[[nn.Module], float]
    patience: int = 3
    best: float = float("-inf")
    best_step: int = 0
    first: float | None = None
    _kept: dict[str, Tensor] = field(default_factory=dict)
    _waited: int = 0

    def look(self, model: nn.Module, step: int) -> bool:
        """Judge `model`; True when training should stop."""
        model.eval()
        with torch.no_grad():
            score = self.score(model)
        model.train()
        self.first = score if self.first is None else self.first
        if score > self.best:
            self.best, self.best_step, self._waited = score, step, 0
            self._kept = {n: t.detach().clone() for n, t in model.state_dict().items()}
            return False
        self._waited += 1
        return self._waited >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Put the best weights back, if there was a look."""
        if self._kept:
            model.load_state_dict(self._kept)
