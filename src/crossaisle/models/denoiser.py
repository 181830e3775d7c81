"""What a noisy vector was: an MLP told the step of the noise, over items or over latents of clusters of items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ..types import Codes

_PERIOD = 10_000.0
"""Longest wave of the embedding of a step (Vaswani et al. 2017)."""


@dataclass(frozen=True)
class DenoiserSizes:
    """Widths of a `DiffusionNetwork`.

    Attributes:
        items: p, width of the vector.
        hidden: widths of the hidden layers of the MLP.
        time: even width of the embedding of a step.
        latent: width of all latents together; 0: the vector of items itself is denoised.
        unit_rows: vectors are brought to length 1 before they are read.
        residual: the layers say what is to be added to the vector, at first nothing, in place of the vector itself.
    """

    items: int
    hidden: tuple[int, ...]
    time: int = 10
    latent: int = 0
    unit_rows: bool = True
    residual: bool = False

    def to_meta(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> DenoiserSizes:
        """The inverse of `to_meta`."""
        return cls(**{**meta, "hidden": tuple(meta["hidden"])})


class Denoiser(nn.Module):
    """(x_t, t) → x̂_0 by tanh layers over [dropout(x_t), embedding of t], as in DiffRec, perhaps added to x_t.

    Args:
        width: of the vector.
        sizes: the other widths.
        drop: share of the input that dropout takes while training.
    """

    def __init__(self, width: int, sizes: DenoiserSizes, drop: float = 0.0) -> None:
        super().__init__()
        self.unit_rows, self.residual = sizes.unit_rows, sizes.residual
        self.drop = nn.Dropout(drop)
        self.time = nn.Linear(sizes.time, sizes.time)
        widths = (width + sizes.time, *sizes.hidden, width)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        for layer in (self.time, *self.layers):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        if sizes.residual:
            for parameter in self.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """(n, width) what `x` (n, width) was before the noise of steps `t` (n,)."""
        read = normalize(x, dim=1) if self.unit_rows else x
        made = torch.cat([self.drop(read), self.time(step_waves(t, self.time.in_features))], dim=1)
        for layer in self.layers[:-1]:
            made = torch.tanh(layer(made))
        out: Tensor = self.layers[-1](made)
        return x + out if self.residual else out


def step_waves(t: Tensor, width: int) -> Tensor:
    """(n, width) cosines, then sines, of t · 10000^(−j / (width / 2)) for j = 0 to width / 2 − 1."""
    rates = torch.exp(-math.log(_PERIOD) * torch.arange(width // 2, dtype=torch.float32) / (width // 2))
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class ClusterCoder(nn.Module):
    """A linear encoder and decoder for each cluster of items; their latents stand side by side, as in L-DiffRec.

    Args:
        clusters: (p,) cluster of each item, 0 to C − 1, none empty.
        latent: width of all latents together, at least C; a cluster has its share by its number of items.
    """

    def __init__(self, clusters: Codes, latent: int) -> None:
        super().__init__()
        self.widths = latent_widths(np.bincount(clusters), latent)
        self.places = [torch.from_numpy(np.flatnonzero(clusters == c)) for c in range(len(self.widths))]
        self.back = torch.argsort(torch.cat(self.places))
        pairs = [(len(p), w) for p, w in zip(self.places, self.widths, strict=True)]
        self.encoders = nn.ModuleList(nn.Linear(n, 2 * w) for n, w in pairs)
        self.decoders = nn.ModuleList(nn.Linear(w, n) for n, w in pairs)
        for layer in (*self.encoders, *self.decoders):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, latent) mean and logarithm of the variance of the latents of `x` (n, p)."""
        parts = [e(x[:, p]).chunk(2, dim=1) for e, p in zip(self.encoders, self.places, strict=True)]
        return torch.cat([m for m, _ in parts], dim=1), torch.cat([v for _, v in parts], dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """(n, p) scores of all items from latents `z` (n, latent)."""
        parts = [d(part) for d, part in zip(self.decoders, torch.split(z, self.widths, dim=1), strict=True)]
        return torch.cat(parts, dim=1)[:, self.back]


def latent_widths(numbers: Codes, latent: int) -> list[int]:
    """How `latent` is shared among clusters of `numbers` items: one each, the rest by number (largest remainder)."""
    exact = (latent - len(numbers)) * numbers / numbers.sum()
    widths = np.floor(exact).astype(np.int64)
    left = latent - len(numbers) - widths.sum()
    widths[np.argsort(widths - exact, kind="stable")[:left]] += 1
    return [int(w) + 1 for w in widths]


class DiffusionNetwork(nn.Module):
    """A denoiser of the items' vector or, with `clusters`, of their latents.

    Args:
        sizes: widths.
        clusters: (p,) see `ClusterCoder`; read where `sizes.latent` is above 0.
        drop: share of the input that dropout takes while training.
    """

    def __init__(self, sizes: DenoiserSizes, clusters: Codes, drop: float = 0.0) -> None:
        super().__init__()
        self.coder = ClusterCoder(clusters, sizes.latent) if sizes.latent else None
        self.drop = nn.Dropout(drop if sizes.latent else 0.0)
        self.denoiser = Denoiser(sizes.latent or sizes.items, sizes, 0.0 if sizes.latent else drop)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean of x_0 and logarithm of its variance; `x` (n, p) itself, without variance, where there is no latent."""
        if self.coder is None:
            return x, None
        return self.coder.encode(self.drop(normalize(x, dim=1)))

    def decode(self, z: Tensor) -> Tensor:
        """(n, p) scores of items."""
        return z if self.coder is None else self.coder.decode(z)
