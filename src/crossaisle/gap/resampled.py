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
        first = draw.permuted(np.tile(np.arange(n + m), (permutations, 1)), axis=1) < n
        again = np.zeros((2, resamples, n + m), dtype=np.float32)
        again[0, :, :n], again[1, :, n:] = (_redrawn(size, resamples, draw) for size in (n, m))
        return cls(_weights(np.arange(n + m)[None] < n, n, m), _weights(first, n, m), (again[0], again[1]))


def _weights(first: npt.NDArray[np.bool_], n: int, m: int) -> tuple[Weights, Weights]:
    """Even weights of the n points that are `first` (r, n + m), and of the m others."""
    none, ours, theirs = (np.float32(w) for w in (0.0, 1.0 / n, 1.0 / m))
    return np.where(first, ours, none), np.where(first, none, theirs)


def _redrawn(size: int, times: int, draw: np.random.Generator) -> Weights:
    """(times, size) shares of draws with replacement; counted, which is faster than a multinomial of as many cells."""
    chosen = draw.integers(0, size, (times, size)) + size * np.arange(times)[:, None]
    counts = np.bincount(chosen.ravel(), minlength=times * size).reshape(times, size)
    return counts.astype(np.float32) / np.float32(size)


def compared(name: str, statistic: Statistic, draws: Draws, least: float = 0.0) -> Found:
    """The distance of two samples, its null and its interval."""
    value = float(statistic(*draws.plain)[0])
    found = spread(name, value, statistic(*draws.again), least)
    return Found(name, value, found.low, found.high, upper(statistic(*draws.mixed)))


def mmd_of(own: tuple[torch.Tensor, torch.Tensor], across: torch.Tensor) -> Statistic:
    """Unbiased squared MMD (Gretton et al. 2012, eq. 3) with the kernel of `distances.mmd`.

    With weights: Σ_{i≠j} a_i a_j k_ij / (1 − Σ a²) + the same for b − 2 Σ a_i b_j k_ij. Points of one sample that are
    drawn twice are not compared with themselves.

    Args:
        own: `own_kernel` of either sample, (n, n) and (m, m): known once for all samples that it is compared with.
        across: `kernel_of` one and the other, (n, m).
    """

    def statistic(a: Weights, b: Weights) -> Doubles:
        ours, theirs = (_halved(torch.from_numpy(w), len(across)) for w in (a, b))
        seen, met = (_seen(w, own, across) for w in (ours, theirs))
        found: Doubles = _within(seen, ours) + _within(met, theirs) - 2.0 * _met(seen, theirs)
        return found

    return statistic


Halves = tuple[torch.Tensor, torch.Tensor]


def _halved(weights: torch.Tensor, n: int) -> Halves:
    return weights[:, :n], weights[:, n:]


def _seen(weights: Halves, own: Halves, across: torch.Tensor) -> Halves:
    """(r, n + m) weights @ kernel by its blocks; a sample without weight is left out."""
    left = weights[0] @ own[0], weights[0] @ across
    if not weights[1].any():
        return left
    right = weights[1] @ across.T, weights[1] @ own[1]
    return (left[0] + right[0], left[1] + right[1]) if weights[0].any() else right


def _met(seen: Halves, weights: Halves) -> Doubles:
    found: Doubles = ((seen[0] * weights[0]).sum(1) + (seen[1] * weights[1]).sum(1)).double().numpy()
    return found


def _within(seen: Halves, weights: Halves) -> Doubles:
    return _met(seen, weights) / (1.0 - _met(weights, weights))


def own_kernel(points: npt.NDArray[np.float32], scale: float) -> torch.Tensor:
    """`kernel_of` a sample (n, d) and itself, 0 on the diagonal."""
    return kernel_of(points, points, scale).fill_diagonal_(0.0)


def kernel_of(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], scale: float) -> torch.Tensor:
    """(n, m) mean over `WIDTHS` w of exp(−‖x − y‖² / (w · scale)) of rows of x (n, d) and y (m, d).

    Each width is twice the last, so each term is a square.
    """
    term = squares(torch.from_numpy(x), torch.from_numpy(y)).mul_(-1.0 / (WIDTHS[-1] * scale)).exp_()
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
        kept = weights.any(dim=0)  # drawn anew, a sample leaves the points of the other without weight
        points, weights = rows[kept], weights[:, kept]
        means = weights @ points
        second = torch.stack([(points * w[:, None]).T @ points for w in weights])
        return (second - means[:, :, None] * means[:, None, :]) / (1.0 - weights.square().sum(1))[:, None, None]

    def statistic(a: Weights, b: Weights) -> Doubles:
        apart = covariances(torch.from_numpy(a)) - covariances(torch.from_numpy(b))
        found: Doubles = (apart.square().sum((1, 2)) / (4.0 * rows.shape[1] ** 2)).double().numpy()
        return found

    return statistic
