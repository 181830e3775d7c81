"""Distances as functions of weights: one computation serves the value, its null by permutation and its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..distances import WIDTHS, Lines, squares
from ..types import Doubles
from .words import Found, spread, upper

Weights = npt.NDArray[np.float32]
Statistic = Callable[[Weights, Weights], Doubles]
"""Weights a, b (r, N) of the N points of both samples, rows adding up to 1 → (r,) distances."""


@dataclass(frozen=True)
class Draws:
    """Weights of two samples of n and m points that stand one after the other.

    Attributes:
        plain: the samples as they are, (1, n + m) each.
        mixed: labels permuted, (p, n + m) each.
        again: points drawn anew within each sample, (r, n + m) each.
    """

    plain: tuple[Weights, Weights]
    mixed: tuple[Weights, Weights]
    again: tuple[Weights, Weights]

    @classmethod
    def of(cls, n: int, m: int, draw: np.random.Generator, permutations: int, resamples: int) -> Draws:
        """Draw them."""
        ours = np.r_[np.full(n, 1.0 / n), np.zeros(m)].astype(np.float32)[None]
        theirs = np.r_[np.zeros(n), np.full(m, 1.0 / m)].astype(np.float32)[None]
        labels = draw.permuted(np.tile(np.arange(n + m), (permutations, 1)), axis=1)
        again = (
            draw.multinomial(n, np.full(n, 1.0 / n), resamples) / n,
            draw.multinomial(m, np.full(m, 1.0 / m), resamples) / m,
        )
        wide = np.hstack([again[0], np.zeros((resamples, m))]), np.hstack([np.zeros((resamples, n)), again[1]])
        mixed = ours[0][labels], theirs[0][labels]
        return cls((ours, theirs), mixed, (wide[0].astype(np.float32), wide[1].astype(np.float32)))


def compared(name: str, statistic: Statistic, draws: Draws, least: float = 0.0) -> Found:
    """The distance of two samples, its null and its interval."""
    value = float(statistic(*draws.plain)[0])
    found = spread(name, value, statistic(*draws.again), least)
    return Found(name, value, found.low, found.high, upper(statistic(*draws.mixed)))


def mmd_of(points: npt.NDArray[np.float32], scale: float) -> Statistic:
    """Unbiased squared MMD (Gretton et al. 2012, eq. 3) with the kernel of `distances.mmd` at the given scale.

    With weights: Σ_{i≠j} a_i a_j k_ij / (1 − Σ a²) + the same for b − 2 Σ a_i b_j k_ij. Points of one sample that are
    drawn twice are not compared with themselves.
    """
    rows = torch.from_numpy(points)
    kernel = _gaussians(squares(rows, rows), scale).fill_diagonal_(0.0)

    def statistic(a: Weights, b: Weights) -> Doubles:
        ours, theirs = torch.from_numpy(a), torch.from_numpy(b)
        seen, met = ours @ kernel, theirs @ kernel
        own = (seen * ours).sum(1) / (1.0 - ours.square().sum(1)) + (met * theirs).sum(1) / (
            1.0 - theirs.square().sum(1)
        )
        found: Doubles = (own - 2.0 * (seen * theirs).sum(1)).double().numpy()
        return found

    return statistic


def _gaussians(apart: torch.Tensor, scale: float) -> torch.Tensor:
    """Mean over `WIDTHS` w of exp(−apart / (w · scale)): each width is twice the last, so each term is a square."""
    term = apart.mul_(-1.0 / (WIDTHS[-1] * scale)).exp_()
    total = term.clone()
    for _ in WIDTHS[1:]:
        total += term.mul_(term)
    return total.div_(len(WIDTHS))


def sliced_of(points: npt.NDArray[np.floating], seed: int = 0) -> Statistic:
    """Sliced Wasserstein-1 distance (see `distances.sliced_wasserstein`); in one dimension Wasserstein-1 itself."""
    return Lines.of(points, seed=seed).apart


def coral_of(points: npt.NDArray[np.float32]) -> Statistic:
    """‖C_a − C_b‖²_F / (4 d²) of weighted covariances (see `distances.coral`)."""
    rows = torch.from_numpy(points)

    def covariances(weights: torch.Tensor) -> torch.Tensor:
        means = weights @ rows
        second = torch.stack([(rows * w[:, None]).T @ rows for w in weights])
        return (second - means[:, :, None] * means[:, None, :]) / (1.0 - weights.square().sum(1))[:, None, None]

    def statistic(a: Weights, b: Weights) -> Doubles:
        apart = covariances(torch.from_numpy(a)) - covariances(torch.from_numpy(b))
        found: Doubles = (apart.square().sum((1, 2)) / (4.0 * rows.shape[1] ** 2)).double().numpy()
        return found

    return statistic
