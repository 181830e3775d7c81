"""Ridge regression in closed form, its penalty chosen by leaving out one row at a time."""

from __future__ import annotations

import numpy as np

from ..metrics import Doubles
from ..types import Floats

Layers = tuple[tuple[Floats, Floats], ...]
"""(inputs, outputs) weights and (outputs,) constants of each layer; tanh between layers."""
PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(-3, 3.5, 0.5))
"""Among which the penalty of the linear map is chosen."""


def linear(x: Floats, y: Floats, penalty: float = 0.0, worth: Floats | None = None) -> tuple[Layers, dict[str, float]]:
    """Ridge regression with a constant from `x` (n, f) to `y` (n, g): least Σ_r w_r ‖y_r − W x_r − b‖² + λ ‖W‖².

    Over the singular value decomposition √w X = U S Vᵀ, X without its mean under w: W = V S (S² + λ)⁻¹ Uᵀ √w Y. The
    residual of a row that is left out is e_r / (1 − h_rr), with h_rr = w_r / Σ w + Σ_k U_rk² s_k² / (s_k² + λ).

    Args:
        x: what is known of each row.
        y: what is wanted of the same rows.
        penalty: λ as a share of the mean of S²; 0: the one of `PENALTIES` with the least squared residuals left out.
        worth: (n,) w above 0, how much each row counts; 1 for all where it is not given.

    Returns:
        One layer, and the penalty.
    """
    wide, goal = x.astype(np.float64), y.astype(np.float64)
    weight = np.ones(len(goal)) if worth is None else worth.astype(np.float64)
    share_of, root = weight / weight.sum(), np.sqrt(weight)[:, None]
    middle, aim = share_of @ wide, share_of @ goal
    left, sizes, right = np.linalg.svd(root * (wide - middle), full_matrices=False)
    wanted = root * (goal - aim)
    turned = left.T @ wanted
    scale = max(float((sizes**2).mean()), 1e-30)

    def left_out(share: float) -> float:
        kept = sizes**2 / (sizes**2 + share * scale)
        error = wanted - left @ (kept[:, None] * turned)
        leverage = share_of + (left**2) @ kept
        return float(((error / np.maximum(1 - leverage, 1e-9)[:, None]) ** 2).sum())

    best = penalty or min(PENALTIES, key=left_out)
    weights: Doubles = right.T @ ((sizes / (sizes**2 + best * scale))[:, None] * turned)
    constants = aim - middle @ weights
    return ((weights.astype(np.float32), constants.astype(np.float32)),), {"penalty": best}


def passed(vectors: Floats, layers: Layers) -> Floats:
    """(n, outputs) of `vectors` (n, inputs) after all layers."""
    for n, (weights, constants) in enumerate(layers):
        vectors = (np.tanh(vectors) if n else vectors) @ weights + constants
    return vectors
