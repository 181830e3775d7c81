"""Distances between two samples of vectors: losses (torch carries gradients) and measures of how far domains are apart.

Rows are vectors, both samples have the same width. `mmd`, `coral`, `transport` and `sinkhorn` are differentiable in
both samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .errors import MethodError
from .rng import generator
from .types import Doubles

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Widths of the kernels of `mmd` as multiples of the median squared distance."""
_LEAST = 1e-12


def squares(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) squared Euclidean distances of the rows of x (n, d) and y (m, d)."""
    return (x.square().sum(1)[:, None] + y.square().sum(1)[None, :] - 2.0 * x @ y.T).clamp_min(0.0)


def mmd(x: Tensor, y: Tensor, *, biased: bool = False, widths: tuple[float, ...] = WIDTHS) -> Tensor:
    """Squared maximum mean discrepancy with a mean of Gaussian kernels (Gretton et al. 2012; Long et al. 2015).

    MMD² = mean k(x, x') + mean k(y, y') − 2 mean k(x, y),  k(a, b) = mean over w of exp(−‖a − b‖² / (w · median))

    The median is that of the squared distances of different rows of both samples together; no gradient runs through it.

    Args:
        x: (n, d), n ≥ 2.
        y: (m, d), m ≥ 2.
        biased: the V-statistic, which is never below 0 and is 0 for equal samples. Otherwise the unbiased U-statistic
            (eq. 3 of Gretton et al.), which leaves k(x, x) out and may be a little below 0.
        widths: of the kernels.

    Returns:
        Scalar.
    """
    n, m = len(x), len(y)
    both = torch.cat([x, y])
    apart = squares(both, both)
    off = ~torch.eye(n + m, dtype=torch.bool)
    scale = apart.detach()[off].median().clamp_min(_LEAST)
    kernel = torch.stack([torch.exp(-apart / (w * scale)) for w in widths]).mean(0)
    if biased:
        return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2.0 * kernel[:n, n:].mean()
    kernel_off = kernel * off
    within = kernel_off[:n, :n].sum() / (n * (n - 1)) + kernel_off[n:, n:].sum() / (m * (m - 1))
    return within - 2.0 * kernel[:n, n:].mean()


def coral(x: Tensor, y: Tensor) -> Tensor:
    """‖C_x − C_y‖²_F / (4 d²), C: covariance with n − 1 (Sun & Saenko 2016, Deep CORAL, eq. 1).

    It does not see means. Scalar, for x (n, d) and y (m, d) with n, m ≥ 2.
    """
    return (_covariance(x) - _covariance(y)).square().sum() / (4.0 * x.shape[1] ** 2)


def _covariance(x: Tensor) -> Tensor:
    centred = x - x.mean(dim=0)
    return centred.T @ centred / (len(x) - 1)


def transport(x: Tensor, y: Tensor, *, entropy: float = 0.0, mass: float = 1.0) -> Tensor:
    """Σ_ij P_ij ‖x_i − y_j‖² with the plan P that costs least; no gradient runs through P (Damodaran et al. 2018).

    Every row of x sends 1/n and every row of y takes 1/m. With `mass` below 1 only that share is moved, from where it
    costs least (partial transport, Chapel et al. 2020): what is in one sample alone need not be matched. With `entropy`
    the plan is that of Cuturi 2013, with regularisation `entropy` × the mean cost. P held fixed gives the gradient of
    the exact cost, and of the regularised objective, all the same: P is where they are least (envelope theorem).

    Args:
        x: (n, d).
        y: (m, d).
        entropy: 0 for the exact plan.
        mass: above 0, at most 1.

    Returns:
        Scalar, at least 0.

    Raises:
        MethodError: POT is not installed.
        ValueError: both `entropy` and `mass` below 1, or out of range.
    """
    cost = squares(x, y)
    plan = _plan(cost.detach().double().numpy(), entropy, mass)
    return (torch.from_numpy(plan).to(cost.dtype) * cost).sum()


def sinkhorn(x: Tensor, y: Tensor, *, entropy: float = 0.05) -> Tensor:
    """`transport` with entropy, less half of what each sample costs against itself: 0 for equal samples.

    S(x, y) = T(x, y) − ½ T(x, x) − ½ T(y, y)  (Feydy et al. 2019; with the plans' costs alone, Luise et al. 2018)
    """
    own = transport(x, x, entropy=entropy) + transport(y, y, entropy=entropy)
    return transport(x, y, entropy=entropy) - 0.5 * own


def _plan(cost: Doubles, entropy: float, mass: float) -> Doubles:
    if entropy < 0 or not 0 < mass <= 1 or (entropy > 0 and mass < 1):
        raise ValueError("entropy ≥ 0 and mass above 0 and at most 1 are needed, and only one of them may be used.")
    ot = _pot()
    n, m = cost.shape
    ours, theirs = np.full(n, 1.0 / n), np.full(m, 1.0 / m)
    if mass < 1:
        plan: Doubles = ot.partial.partial_wasserstein(ours, theirs, cost, m=mass)
    elif entropy > 0:
        strength = entropy * max(float(cost.mean()), _LEAST)
        plan = ot.sinkhorn(ours, theirs, cost, strength, method="sinkhorn_log", numItermax=500, warn=False)
    else:
        plan = ot.emd(ours, theirs, cost)
    return plan


def plan_of(cost: Doubles, ours: Doubles, theirs: Doubles) -> Doubles:
    """(n, m) the plan that moves masses `ours` (n,) to `theirs` (m,), each of sum 1, at the least cost (n, m).

    Raises:
        MethodError: POT is not installed.
    """
    found: Doubles = _pot().emd(ours, theirs, np.ascontiguousarray(cost, dtype=np.float64))
    return found


@dataclass(frozen=True)
class Lines:
    """N points seen along L directions, for the sliced Wasserstein-1 distance between any two weightings of them.

    Attributes:
        order: (L, N) places of the points along each direction.
        steps: (L, N − 1) from each to the next.
    """

    order: npt.NDArray[np.int64]
    steps: Doubles

    @classmethod
    def of(cls, points: npt.ArrayLike, directions: int = 32, seed: int = 0) -> Self:
        """Sort `points` (N, d) along random directions of length 1; along the only one where d is 1."""
        rows = np.asarray(points, dtype=np.float64)
        turned = generator(seed, "directions").normal(size=(rows.shape[1], directions))
        turned = np.ones((1, 1)) if rows.shape[1] == 1 else turned / np.linalg.norm(turned, axis=0)
        seen = (rows @ turned).T
        order = np.argsort(seen, axis=1, kind="stable")
        return cls(order, np.diff(np.take_along_axis(seen, order, axis=1), axis=1))

    def apart(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Doubles:
        """(r,) mean over directions of ∫ |F_a − F_b| for weights a, b (r, N) whose rows add up to 1."""
        change = np.ascontiguousarray((np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)).T)
        found = np.zeros(change.shape[1])
        for order, steps in zip(self.order, self.steps, strict=True):
            found += steps @ np.abs(np.cumsum(change[order], axis=0)[:-1])
        mean: Doubles = found / len(self.order)
        return mean


def sliced_wasserstein(x: npt.ArrayLike, y: npt.ArrayLike, *, directions: int = 32, seed: int = 0) -> float:
    """Mean Wasserstein-1 distance of projections on random directions (Rabin et al. 2012; Bonneel et al. 2015).

    SW₁ = mean over θ of ∫ |F_θx(t) − F_θy(t)| dt,  θ uniform on the sphere; samples x (n, d) and y (m, d).
    """
    ours, theirs = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n, m = len(ours), len(theirs)
    weights = np.r_[np.full(n, 1.0 / n), np.zeros(m)], np.r_[np.zeros(n), np.full(m, 1.0 / m)]
    return float(Lines.of(np.vstack([ours, theirs]), directions, seed).apart(*(w[None] for w in weights))[0])


def _pot() -> Any:
    try:
        import ot
    except ImportError as error:
        raise MethodError(
            "optimal transport needs POT, which is not installed: pip install crossaisle[train]."
        ) from error
    return ot


def proxy_a(x: npt.ArrayLike, y: npt.ArrayLike, *, seed: int = 0, folds: int = 5, penalty: float = 1e-2) -> float:
    """Proxy A-distance 2 (1 − 2 ε): how well a linear classifier tells two samples apart (Ben-David et al. 2010).

    ε is the error on rows that were held out, the mean of both samples' own errors, at most ½. The classifier is a
    ridge regression on ±1 over standardised columns, each sample with half of the weight.

    Args:
        x: (n, d), n ≥ `folds`.
        y: (m, d), m ≥ `folds`.
        seed: of the folds.
        folds: each is held out once.
        penalty: of the ridge, as a share of the total weight.

    Returns:
        0: cannot be told apart; 2: always told apart.
    """
    ours, theirs = (np.asarray(rows, dtype=np.float64) for rows in (x, y))
    rows, side = np.vstack([ours, theirs]), np.r_[np.ones(len(ours)), -np.ones(len(theirs))]
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > _LEAST, spread, 1.0)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    fold = np.concatenate([generator(seed, "fold", part).permutation(n) % folds
                           for part, n in (("x", len(ours)), ("y", len(theirs)))])  # fmt: skip
    wrong = np.zeros(len(rows))
    for held in range(folds):
        seen = fold != held
        wrong[~seen] = side[~seen] * (rows[~seen] @ _ridge(rows[seen], side[seen], penalty)) <= 0
    error = 0.5 * (wrong[side > 0].mean() + wrong[side < 0].mean())
    return float(max(0.0, 2.0 * (1.0 - 2.0 * error)))


def _ridge(rows: Doubles, side: Doubles, penalty: float) -> Doubles:
    weight = np.where(side > 0, 0.5 / (side > 0).sum(), 0.5 / (side < 0).sum())
    gram = (rows * weight[:, None]).T @ rows + penalty * np.eye(rows.shape[1])
    found: Doubles = np.linalg.solve(gram, rows.T @ (weight * side))
    return found
