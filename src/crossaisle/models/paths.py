"""Paths: what each input of a tower adds to what comes out of it.

A tower is not linear, but it is so along a short enough step. On the straight path from n⁰, without the inputs, to n¹

    f(n¹) − f(n⁰) = Σ_e ∫₀¹ ∇f(n⁰ + τ (n¹ − n⁰)) dτ · n_e,    n¹ − n⁰ = Σ_e n_e

is a sum over inputs e: Aumann–Shapley values (Aumann & Shapley 1974), in deep networks called integrated gradients
(Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks). The integral is taken by Gauss–Legendre quadrature,
and what it leaves over is shared in proportion to the parts. The path runs behind the mean and deviation that LayerNorm
takes off, which are taken as given: before it, a longer vector is the same one, and nearly all of a path would be flat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from ..types import Doubles
from .network import Fuse, ItemTower, Network, UserTower

_NODES, _WEIGHTS = (torch.from_numpy(a).float() for a in np.polynomial.legendre.leggauss(8))
NODES, WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
"""Places on the path from 0 to 1, and their weights, which sum to 1."""
# By two backward passes: PyTorch's forward mode warns of its own old parts when it is first used.
_jvp: Callable[..., Any] = torch.autograd.functional.jvp


def centred(hidden: Tensor) -> Tensor:
    """Rows without their mean."""
    return hidden - hidden.mean(dim=1, keepdim=True)


def deviation(tower: UserTower | ItemTower, hidden: Tensor) -> Tensor:
    """(n, 1) what the tower's LayerNorm divides rows by."""
    norm: nn.LayerNorm = tower.body[0]  # type: ignore[assignment]
    return (centred(hidden).square().mean(dim=1, keepdim=True) + norm.eps).sqrt()


def onwards(tower: UserTower | ItemTower, normalised: Tensor, task: int) -> Tensor:
    """(n, d) vectors of a tower from what its LayerNorm made of the inputs, before its own scale and shift."""
    norm: nn.LayerNorm = tower.body[0]  # type: ignore[assignment]
    hidden = tower.body[1:](normalised * norm.weight + norm.bias)
    made: Tensor = tower.vector(tower.adapter(tower.mixing(hidden, task), task))
    return made


def user_parts(
    network: Network, task: int, nobody: Tensor, events: Tensor, amount: Tensor, wanted: Tensor
) -> tuple[Doubles, Doubles]:
    """What each event of a person adds to wanted · (user vector of `task`).

    Args:
        network: in evaluation mode.
        task: the head that answers.
        nobody: (1, hidden) what the user tower fuses without events.
        events: (e, hidden) what each event adds to it.
        amount: (e,) shares, which sum to 1, of what belongs to no event alone.
        wanted: (m, d).

    Returns:
        (m,) without events, and (m, e).
    """
    tower, everything = network.user, nobody + events.sum(dim=0, keepdim=True)
    below, above = deviation(tower, nobody), deviation(tower, everything)
    rescaled = centred(nobody) / above - centred(nobody) / below
    shares = centred(events) / above + amount[:, None] * rescaled
    first = centred(nobody) / below

    def said(normalised: Tensor) -> Tensor:
        vectors: Tensor = network.heads(onwards(tower, normalised, task), task)[0]
        return vectors @ wanted.T

    path = first + NODES[:, None] * shares.sum(dim=0)
    # One row for each place and each of `wanted`: a single backward pass gives all gradients.
    steps = path.repeat_interleave(len(wanted), dim=0).requires_grad_()
    with torch.enable_grad():
        own = said(steps).view(len(NODES), len(wanted), len(wanted)).diagonal(dim1=1, dim2=2)
        (slopes,) = torch.autograd.grad(own.sum(), steps)
    slope = (slopes.view(len(NODES), len(wanted), -1) * WEIGHTS[:, None, None]).sum(dim=0)
    with torch.no_grad():
        ends = said(torch.cat([first, centred(everything) / above])).double().numpy()
    parts = (slope @ shares.T).double().numpy()
    return ends[0], shared_out(parts, ends[1] - ends[0])


def shared_out(parts: Doubles, whole: Doubles) -> Doubles:
    """`parts` (m, e) with what is missing to `whole` (m,), a rounding, shared in proportion to their sizes."""
    size = np.abs(parts)
    total = np.maximum(size.sum(axis=1, keepdims=True), 1e-30)
    made: Doubles = parts + (whole - parts.sum(axis=1))[:, None] * size / total
    return made


def item_parts(network: Network, task: int, blocks: Sequence[Tensor]) -> Tensor:
    """What each block of content adds to the vectors of n items, beyond that of an item that says nothing of itself.

    Args:
        network: in evaluation mode.
        task: the head that answers.
        blocks: b tensors (n, hidden) whose sum the item tower fuses.

    Returns:
        (b, n, d).
    """
    tower, fused = network.item, torch.stack(list(blocks)).sum(dim=0)
    spread = deviation(tower, fused)
    whole = centred(fused) / spread
    said = partial(onwards, tower, task=task)
    made = []
    for block in blocks:
        direction = centred(block) / spread
        slopes = [_jvp(said, node * whole, direction)[1] for node in NODES]
        made.append((torch.stack(slopes) * WEIGHTS[:, None, None]).sum(dim=0).detach())
    return torch.stack(made)


def level_blocks(fuse: Fuse, levels: Tensor) -> list[Tensor]:
    """(n, hidden) what each column of `levels` (n, c) adds."""
    places = levels + fuse.first
    return [embedding(places[:, c], fuse.levels) * (levels[:, c : c + 1] > 0) for c in range(levels.shape[1])]
