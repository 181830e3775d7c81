"""What answers for `diffusion`: a person's row of items, denoised from step T to 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from ..models.denoiser import DenoiserSizes, DiffusionNetwork
from ..objectives.diffusion import linear_variance, noised, posterior_mean
from ..recommender import scorer
from ..types import Codes, Floats, History, Tensors
from .common import Weight, weighted, with_popularity

BLOCK = 256
"""People read at once (memory: block × items)."""
_ARRAYS = ("inputs", "outputs", "clusters", "noise", "popularity")


@dataclass(frozen=True)
class Noise:
    """Steps and variance, see `linear_variance`; `sampling`: how many steps of noise a row gets before it is read."""

    steps: int
    scale: float
    low: float
    high: float
    sampling: int = 0

    @cached_property
    def kept(self) -> Tensor:
        """(steps + 1,) ᾱ."""
        return linear_variance(self.steps, self.scale, self.low, self.high)


@scorer("diffusion")
@dataclass(frozen=True, eq=False)
class DiffusionScorer:
    """x̂_0 of a person's row after T reverse steps; `popularity` for people without any item that is read.

    Attributes:
        weights: state of the network.
        sizes: of the network.
        schedule: steps and variance.
        inputs: (p,) item codes that are read.
        outputs: (catalogue,) places of `inputs` that are scored.
        clusters: (p,) see `ClusterCoder`.
        noise: (d,) the noise that every row gets where `schedule.sampling` is above 0: the same for all.
        popularity: (catalogue,) orders ties and users without history.
        weight: see `common.weighted`.
        half_life_weeks: see `rows_of`.
    """

    kind: ClassVar[str] = "diffusion"
    weights: Mapping[str, Tensor]
    sizes: DenoiserSizes
    schedule: Noise
    inputs: Codes
    outputs: Codes
    clusters: Codes
    noise: Floats
    popularity: Floats
    weight: Weight = "binary"
    half_life_weeks: float | None = None

    def score(self, history: History) -> Floats:
        """(n, catalogue) x̂_0 of the catalogue."""
        rows = rows_of(history, self.inputs, self.weight, self.half_life_weeks)
        scores = np.zeros((len(history), len(self.outputs)), dtype=np.float32)
        known = np.flatnonzero(np.diff(rows.indptr))
        for start in range(0, len(known), BLOCK):
            block = known[start : start + BLOCK]
            with torch.no_grad():
                found = self._denoised(torch.from_numpy(rows[block].toarray()))
            scores[block] = found.numpy()[:, self.outputs]
        return with_popularity(scores, self.popularity)

    def _denoised(self, rows: Tensor) -> Tensor:
        """(n, p) scores: noise of T' steps, then x_T to x_0 by posterior means, without drawing (as in the paper)."""
        x = self._network.encode(rows)[0]
        if self.schedule.sampling:
            until = torch.full((len(x),), self.schedule.sampling)
            x = noised(x, until, self.schedule.kept, torch.from_numpy(self.noise))
        for t in range(self.schedule.steps, 0, -1):
            start = self._network.denoiser(x, torch.full((len(x),), t))
            x = posterior_mean(x, start, t, self.schedule.kept)
        return self._network.decode(x)

    @cached_property
    def _network(self) -> DiffusionNetwork:
        made = DiffusionNetwork(self.sizes, self.clusters)
        made.load_state_dict(dict(self.weights))
        return made.eval()

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors: Tensors = {f"weights.{n}": t.numpy() for n, t in self.weights.items()}
        tensors |= {n: getattr(self, n) for n in _ARRAYS}
        schedule = {n: getattr(self.schedule, n) for n in ("steps", "scale", "low", "high", "sampling")}
        plain = {"weight": self.weight, "half_life_weeks": self.half_life_weeks}
        return tensors, plain | {"sizes": self.sizes.to_meta(), "schedule": schedule}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        kept = {n.removeprefix("weights."): t for n, t in tensors.items() if n.startswith("weights.")}
        return cls(
            weights={n: torch.from_numpy(np.array(t)) for n, t in kept.items()},
            sizes=DenoiserSizes.from_meta(meta["sizes"]),
            schedule=Noise(**meta["schedule"]),
            weight=meta["weight"],
            half_life_weeks=meta["half_life_weeks"],
            **{n: tensors[n] for n in _ARRAYS},
        )


def rows_of(history: History, inputs: Codes, weight: Weight, half_life_weeks: float | None = None) -> sp.csr_matrix:
    """(n, p) CSR float32 of what people had among `inputs`.

    With a half-life an event counts 2^(−age / half-life), its age from the person's latest one: that counts in full,
    as the last one does in T-DiffRec (which weighs by the order of events, not by time).
    """
    plain = weighted(history, weight)
    rows = plain[:, inputs].tocsr()
    if half_life_weeks is None or not rows.nnz:
        return rows
    dated = sp.csr_matrix((history.ages + np.float32(1.0), plain.indices, plain.indptr), plain.shape)  # none is 0
    ages, number = dated[:, inputs].tocsr().data, np.diff(rows.indptr)
    latest = np.minimum.reduceat(ages, rows.indptr[:-1][number > 0])
    fade = np.exp2((np.repeat(latest, number[number > 0]) - ages) / np.float32(7.0 * half_life_weeks))
    return sp.csr_matrix((rows.data * fade, rows.indices, rows.indptr), rows.shape)
