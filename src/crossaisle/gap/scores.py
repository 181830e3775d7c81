"""Transferability scores of features for labels: how well a simple head on them could do, without training one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LEAST = 1e-12


def log_me(features: npt.ArrayLike, labels: npt.ArrayLike, rounds: int = 100) -> float:
    """Logarithm of the evidence of a Bayesian linear head, per row (You et al. 2021, LogME, algorithm 1).

    The precisions α of the weights and β of the noise are those that make the evidence greatest, by fixed point:

        γ = Σ_i β σ_i² / (α + β σ_i²),  α ← γ / mᵀm,  β ← (n − γ) / ‖F m − y‖²,
        L = ½ [n log β + D log α − n log 2π − β ‖F m − y‖² − α mᵀm − log |αI + β FᵀF|]

    Args:
        features: F (n, D).
        labels: y (n,) numbers; for classes one call for each, as in the paper.
        rounds: most steps of the fixed point.

    Returns:
        L / n in nats; higher is better.
    """
    f, y = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    n, width = f.shape
    left, values, _ = np.linalg.svd(f, full_matrices=False)
    squares, along = values**2, left.T @ y
    rest = max(float(y @ y - along @ along), 0.0)
    alpha = beta = 1.0
    for _ in range(rounds):
        fit = beta * squares / (alpha + beta * squares)
        gamma = float(fit.sum())
        length = float(np.square(beta * values * along / (alpha + beta * squares)).sum())
        error = float(np.square((1.0 - fit) * along).sum()) + rest
        before = alpha / beta
        alpha, beta = gamma / max(length, _LEAST), (n - gamma) / max(error, _LEAST)
        if abs(alpha / beta - before) <= 1e-6 * before:
            break
    fit = beta * squares / (alpha + beta * squares)
    length = float(np.square(beta * values * along / (alpha + beta * squares)).sum())
    error = float(np.square((1.0 - fit) * along).sum()) + rest
    determinant = np.log(alpha + beta * squares).sum() + (width - len(values)) * np.log(alpha)
    evidence = n * np.log(beta) + width * np.log(alpha) - n * np.log(2 * np.pi) - beta * error - alpha * length
    return float((evidence - determinant) / (2 * n))


def h_score(features: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """tr(Σ⁻¹ Σ_between): share of the features' variance that the labels explain (Bao et al. 2019, H-score).

    Σ is the covariance shrunk towards a multiple of the identity (Ledoit and Wolf 2004), as Ibrahim et al. 2022 advise
    for few rows; between-class covariance is shrunk by the same share.

    Args:
        features: (n, D).
        labels: (n,) classes.
    """
    f, y = np.asarray(features, dtype=np.float64), np.asarray(labels)
    f = f - f.mean(axis=0)
    n, width = f.shape
    covariance = f.T @ f / n
    scale = np.trace(covariance) / width
    spread = float(np.square(covariance - scale * np.eye(width)).sum())
    noise = float((np.square(np.square(f).sum(axis=1)).sum() / n - np.square(covariance).sum()) / n)
    shrunk = min(max(noise / spread, 0.0), 1.0) if spread > _LEAST * scale**2 else 0.0
    means = np.zeros_like(f)
    for label in np.unique(y):
        means[y == label] = f[y == label].mean(axis=0)
    between = means.T @ means / n
    whole = (1 - shrunk) * covariance + (shrunk * scale + _LEAST) * np.eye(width)
    return float((1 - shrunk) * np.trace(np.linalg.solve(whole, between)))


def leep(chances: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean log of Σ_z P(y | z) θ_z(x) (Nguyen et al. 2020, LEEP), in nats; higher is better, at most 0.

    Args:
        chances: θ (n, Z), what the source's head says of its own classes z; rows add up to 1.
        labels: y (n,) whole numbers from 0.
    """
    theta, y = np.asarray(chances, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    joint = np.stack([theta[y == label].sum(axis=0) for label in range(int(y.max()) + 1)]) / len(y)
    given = joint / np.maximum(joint.sum(axis=0), _LEAST)
    return float(np.log(np.maximum((theta @ given.T)[np.arange(len(y)), y], _LEAST)).mean())
