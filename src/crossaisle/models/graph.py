"""Graph convolution without weights over people and items of all domains (LightGCN)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from ..types import Floats


class LightGcn(nn.Module):
    """He et al. 2020: e^(k+1) = Ã e^(k), Ã = D^−½ A D^−½; the vector is the mean of layers 0 to L.

    Args:
        graph: (users, items) CSR float32, the part of Ã from items to people.
        layers: L.
        start: (users + items, dim) vectors at layer 0.
    """

    def __init__(self, graph: sp.csr_matrix, layers: int, start: Floats) -> None:
        super().__init__()
        self.layers = layers
        self.forth, self.back = _sparse(graph), _sparse(graph.T.tocsr())
        self.people = nn.Parameter(torch.from_numpy(start[: graph.shape[0]].copy()))
        self.items = nn.Parameter(torch.from_numpy(start[graph.shape[0] :].copy()))

    def forward(self) -> tuple[Tensor, Tensor]:
        """(users, dim) and (items, dim): means of all layers."""
        people: Tensor = self.people
        items: Tensor = self.items
        all_people, all_items = people, items
        for _ in range(self.layers):
            people, items = self._step(people, items)
            all_people, all_items = all_people + people, all_items + items
        return all_people / (self.layers + 1), all_items / (self.layers + 1)

    @torch.no_grad()
    def item_layers(self) -> list[Tensor]:
        """(items, dim) of layers 0 to L."""
        people, items = self.people.detach(), self.items.detach()
        layers = [items]
        for _ in range(self.layers):
            people, items = self._step(people, items)
            layers.append(items)
        return layers

    def _step(self, people: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        return _product(self.forth, self.back, items), _product(self.back, self.forth, people)


class _Product(torch.autograd.Function):
    """matrix @ x, whose gradient is that of x alone: torch's own would transpose the matrix at each step."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.transposed @ gradient


def _product(matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
    made: Tensor = _Product.apply(matrix, transposed, x)  # type: ignore[no-untyped-call]
    return made


def _sparse(matrix: sp.csr_matrix) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR layout beta, once a process
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data),
            matrix.shape,
        )
