"""How a denoiser of rows is trained: clusters of items, and what is minimised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from scipy.cluster.vq import kmeans2
from torch import Tensor

from ..models.denoiser import DiffusionNetwork
from ..models.profile import collaborative_vectors, unit_rows
from ..objectives.diffusion import diffusion_loss, elbo_weights, multinomial_loss, noised, normal_kl
from ..rng import generator
from ..train.loop import Losses
from ..train.rows import RowBatch
from ..types import Codes

_VECTORS = 32
"""Length of the collaborative vectors by which items are clustered."""


def clusters_of(rows: sp.csr_matrix, number: int, seed: int) -> Codes:
    """(p,) cluster of each item, by k-means of the directions of its collaborative vectors in `rows` (people, p).

    Fewer than `number` where some are empty. Items that nobody has stand at the origin.
    """
    if number == 1:
        return np.zeros(rows.shape[1], dtype=np.int64)
    vectors = unit_rows(sp.csr_matrix(collaborative_vectors(rows, _VECTORS, seed)[0])).toarray().astype(np.float64)
    places, drawn = np.unique(vectors, axis=0), generator(seed, "clusters")
    _, found = kmeans2(vectors, places[drawn.choice(len(places), min(number, len(places)), replace=False)], iter=30)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def losses_of(
    network: DiffusionNetwork, kept: Tensor, square: float, reweight: bool, divergence: float
) -> Callable[[RowBatch, float], Losses]:
    """Negative ELBO of a batch, t uniform; of latents with what the decoder makes of x̂_0 and their own divergence.

    Args:
        network: to be trained.
        kept: see `linear_variance`.
        square: mean square of the entries of rows; their errors are divided by it and by their number.
        reweight: weigh steps by `elbo_weights`, divided by their mean, or all alike.
        divergence: weight of the divergence of latents from a standard normal.
    """
    steps = len(kept) - 1
    weights = elbo_weights(kept) if reweight else torch.ones(steps)
    weights = weights / weights.mean()

    def losses(batch: RowBatch, progress: float) -> Losses:
        mean, spread = network.encode(batch.rows)
        x0 = mean if spread is None else mean + torch.exp(0.5 * spread) * torch.randn_like(mean)
        t = torch.randint(1, steps + 1, (len(x0),))
        found = network.denoiser(noised(x0, t, kept, torch.randn_like(x0)), t)
        error = diffusion_loss(found, x0, weights[t - 1])
        if spread is None:
            return {"noise": error / (square * x0.shape[1])}
        items = multinomial_loss(network.decode(found), batch.rows)
        return {"noise": error, "items": items, "divergence": divergence * normal_kl(mean, spread)}

    return losses
