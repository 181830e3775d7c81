"""Diffusion: rows of interactions over all domains, learned by taking noise away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ..models.base import Base
from ..models.denoiser import DenoiserSizes, DiffusionNetwork
from ..recommender import Recommender
from ..rng import generator, seeded
from ..train.loop import Phase, train
from ..train.rows import RowSampler
from .common import Scope, Weight, inputs_of, popularity_of, training_history, weighted
from .denoising import clusters_of, losses_of
from .diffusion_scorer import DiffusionScorer, Noise, rows_of
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .space import Range, Space


@dataclass(frozen=True)
class DiffusionOptions:
    """Options of `diffusion`."""

    scope: Scope = "all"
    """``all``: rows over the items of all visible domains; ``target``: of the target's items alone (a control)."""
    form: Literal["plain", "latent"] = "latent"
    """``plain``: the rows themselves are denoised; ``latent``: short vectors of them, to which the layers add."""
    clusters: int = 1
    """In form ``latent``: clusters of items, each with an encoder of its own: two of them are half as large as one for
    all."""
    latent: int = 256
    """In form ``latent``: width of all clusters' latents together."""
    half_life_weeks: float | None = None
    """Weeks after which an event says half as much, counted back from the person's latest; none: all say the same."""
    weight: Weight = "binary"
    """How repeated events count: log(1 + count), once, or each."""
    noise_steps: int = 5
    """T, steps of noise; 1: a denoising autoencoder."""
    noise_scale: float = 0.01
    """Variance of the noise is this times `noise_min` at the first step, and times `noise_max` at the last. In form
    ``plain`` it is in units of the mean square of the rows' entries, so that it means the same for a hundred items and
    for ten thousand; there about 1 is good."""
    noise_min: float = 0.1
    """See `noise_scale`."""
    noise_max: float = 0.9
    """See `noise_scale`."""
    sampling_steps: int = 0
    """T′, steps of noise that a history gets before it is read; 0: none, for histories are noisy as they are."""
    reweight: bool = False
    """Steps weigh as in the likelihood bound, SNR(t − 1) − SNR(t), or all alike."""
    hidden: tuple[int, ...] = (256,)
    """Widths of the hidden layers."""
    dropout: float = 0.5
    """Share of a row that is dropped while training."""
    unit_rows: bool = True
    """Rows are brought to length 1 before they are read."""
    divergence: float = 0.05
    """In form ``latent``: weight of the latents' divergence from a standard normal."""
    steps: int = 600
    """Steps of the optimiser."""
    batch: int = 128
    """People a step (memory: people × items)."""
    rate: float = 3e-3
    """Learning rate at its highest."""
    max_items: int = 5000
    """In scope ``all``: how many of the most common items are read beside the catalogue."""

    search: ClassVar[Space] = {
        "noise_scale": Range(0.001, 5.0, log=True),
        "noise_steps": (1, 2, 5, 10, 40),
        "dropout": Range(0.2, 0.8),
        "steps": Range(200, 2000, log=True),
        "rate": Range(1e-3, 2e-2, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        counts = (self.clusters, self.steps, self.batch, self.noise_steps, self.max_items, *self.hidden)
        if min(counts) < 1 or self.latent < self.clusters or not 0 <= self.sampling_steps <= self.noise_steps:
            raise ValueError(
                "clusters, steps, batch, noise_steps, max_items and hidden must be at least 1, latent at least "
                "clusters, and sampling_steps from 0 to noise_steps."
            )
        if not 0 <= self.dropout < 1 or self.rate <= 0 or self.divergence < 0 or (self.half_life_weeks or 1.0) <= 0:
            raise ValueError("0 ≤ dropout < 1, rate and half_life_weeks > 0, and divergence ≥ 0 are needed.")
        _ = self.schedule(1.0).kept  # refuses noise that does not rise

    def schedule(self, square: float) -> Noise:
        """Noise of variance up to 0.99, for rows whose entries have this mean square; latents have 1."""
        scale = min(self.noise_scale * square, 0.99 / max(self.noise_max, 1e-30))
        return Noise(self.noise_steps, scale, self.noise_min, self.noise_max, self.sampling_steps)


@transfer(
    "diffusion",
    options=DiffusionOptions,
    paper="Wang et al. 2023, Diffusion Recommender Model, arXiv:2304.04971",
    when="histories hold many events that say nothing of taste, such as chance clicks",
    cost="medium",
    needs=("target_interactions",),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: DiffusionOptions) -> Recommender:
    """A network that takes noise off rows of interactions over all domains, step by step."""
    history = training_history(problem, options.scope)
    inputs = inputs_of(weighted(history, options.weight), problem.catalogue, options.scope, options.max_items)
    rows = rows_of(history, inputs, options.weight, options.half_life_weeks)
    rows = rows[np.diff(rows.indptr) > 0]
    latent = options.latent if options.form == "latent" else 0
    square = 1.0 if latent else float(rows.power(2).mean())
    schedule = options.schedule(square)
    clusters = clusters_of(rows, options.clusters if latent else 1, problem.seed)
    sizes = DenoiserSizes(len(inputs), options.hidden, latent=latent, unit_rows=options.unit_rows, residual=latent > 0)
    with seeded(problem.seed, "diffusion"):
        network = DiffusionNetwork(sizes, clusters, options.dropout)
        phase = Phase("diffusion", options.steps, options.rate, decay=0.0, resumable=True)
        sampler = RowSampler(rows, problem.seed, options.batch)
        losses = losses_of(network, schedule.kept, square, options.reweight, options.divergence)
        groups = [{"params": list(network.parameters())}]
        done = train(phase, network, groups, sampler, losses)
    made = DiffusionScorer(
        weights={n: t.detach().clone() for n, t in network.state_dict().items()},
        sizes=sizes,
        schedule=schedule,
        inputs=inputs,
        outputs=np.searchsorted(inputs, problem.catalogue).astype(np.int64),
        clusters=clusters,
        noise=generator(problem.seed, "noise").standard_normal(latent or len(inputs)).astype(np.float32),
        popularity=popularity_of(problem),
        weight=options.weight,
        half_life_weeks=options.half_life_weeks,
    )
    return recommender_for(problem, "diffusion", made, steps=done.steps, losses=dict(done.losses))
