"""Sequence: what comes next after what a person met, from the content of items alone, in any domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor

from ..encoders.content import Content, ContentOptions, ContentReader, told_of
from ..encoders.method import Bools
from ..errors import MethodError
from ..models.base import Base, item_rows, tensors_of
from ..models.sequence import SequenceNetwork, SequenceSizes
from ..objectives.rank import sampled_softmax
from ..recommender import Recommender
from ..rng import seeded
from ..train.loop import Phase, train
from ..train.sequences import DomainData, SequenceBatch, Sequences, SequenceSampler
from ..types import Floats
from .common import Scope, training_history
from .method import transfer
from .problem import Problem
from .result import recommender_for
from .sequence_scorer import SequenceScorer, at_first, vectors_of
from .space import Range, Space


@dataclass(frozen=True)
class SequenceOptions:
    """Options of `sequence`."""

    scope: Scope = "all"
    """``all``: sequences over all visible domains; ``target``: of the target's items alone (a control)."""
    content: ContentOptions = field(default_factory=ContentOptions)
    """What of the items is read, as in fusion."""
    length: int = 50
    """Latest items of a person that are read."""
    dim: int = 64
    """Width of item vectors and of attention."""
    hidden: int = 128
    """Width of the hidden layer that content passes."""
    layers: int = 2
    """Layers of attention."""
    heads: int = 2
    """Heads of attention; they share the width."""
    dropout: float = 0.2
    """Share that is dropped while training."""
    temperature: float = 0.1
    """Cosines are divided by this: the smaller, the sharper."""
    steps: int = 800
    """Steps of the optimiser."""
    batch: int = 128
    """People a step, all of one domain."""
    negatives: int = 512
    """Items drawn a step as not chosen, of the same domain."""
    rate: float = 2e-3
    """Learning rate at its highest."""
    decay: float = 1e-2
    """Weight decay."""

    search: ClassVar[Space] = {
        "dropout": Range(0.0, 0.5),
        "temperature": Range(0.03, 0.5, log=True),
        "steps": Range(200, 4000, log=True),
        "rate": Range(3e-4, 1e-2, log=True),
    }

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        whole = (self.length, self.dim, self.hidden, self.layers, self.heads, self.steps, self.batch, self.negatives)
        if min(whole) < 1 or self.dim % self.heads:
            raise ValueError(
                "length, dim, hidden, layers, heads, steps, batch and negatives must be at least 1, "
                "and dim a multiple of heads."
            )
        if not 0 <= self.dropout < 1 or min(self.temperature, self.rate) <= 0 or self.decay < 0:
            raise ValueError("0 ≤ dropout < 1, temperature > 0, rate > 0 and decay ≥ 0 are needed.")


@transfer(
    "sequence",
    options=SequenceOptions,
    paper="Kang & McAuley 2018, SASRec, arXiv:1808.09781; items by content as in Hou et al. 2022, UniSRec",
    when="what comes next depends on what came last, and items or the shop are new",
    cost="high",
    needs=("item_content", "timestamps"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: SequenceOptions) -> Recommender:
    """What comes next after what a person met, in order, by the content of items: for items and shops nobody knows."""
    world = problem.world
    reader, content = ContentReader.fit(item_rows(world), options.content)
    read = told_of(world.content)
    if options.scope == "target":
        read &= np.isin(np.arange(world.n_items), problem.catalogue)
    sampler = sampler_of(problem, read, options)
    with seeded(problem.seed, "sequence"):
        network = SequenceNetwork(sizes_of(content, reader, options), options.dropout)
        phase = Phase("sequence", options.steps, options.rate, options.decay, resumable=True)
        groups = [{"params": list(network.parameters())}]
        done = train(phase, network, groups, sampler, lambda b, _: {"rank": loss_of(network, content, b, options)})
    vectors = vectors_of(network, content)
    nobody, level = for_nobody(problem, at_first(network, vectors[problem.catalogue], options.temperature))
    made = SequenceScorer(
        weights={n: t.detach().clone() for n, t in network.state_dict().items()},
        sizes=sizes_of(content, reader, options),
        temperature=options.temperature,
        vectors=vectors,
        read=read,
        catalogue=problem.catalogue,
        nobody=nobody,
        level=level,
        reader=reader,
        domain=problem.target,
    )
    facts = {
        "steps": done.steps,
        "interactions_per_second": round(done.interactions_per_second),
        "losses": dict(done.losses),
    }
    return recommender_for(problem, "sequence", made, **facts)


def sampler_of(problem: Problem, read: Bools, options: SequenceOptions) -> SequenceSampler:
    """Batches of the visible sequences.

    Args:
        problem: what is visible.
        read: (items,) True where an item is read.
        options: scope, length, sizes of a batch.

    Raises:
        MethodError: nobody met an item that can be read.
    """
    history = training_history(problem, options.scope)
    sequences = Sequences.of(history, read, options.length + 1)
    rows = problem.target_rows if options.scope == "target" else problem.visible
    domains = []
    for code in rows["domain"].unique().sort().to_list():
        sold = rows.filter(pl.col("domain") == code)["item"].unique().sort().to_numpy().astype(np.int64)
        domains.append(DomainData.of(sequences, sold[read[sold]], problem.world.n_items))
    domains = [d for d in domains if d.pairs]
    if not domains:
        raise MethodError(
            f"nobody met an item with content that scope {options.scope!r} reads; show some weeks of "
            f"{problem.target!r}, choose scope 'all', or choose content."
        )
    return SequenceSampler(sequences, history.counts, tuple(domains), problem.seed, options.batch, options.negatives)


def sizes_of(content: Content, reader: ContentReader, options: SequenceOptions) -> SequenceSizes:
    """Widths of a network for what was read."""
    return SequenceSizes(
        text=content.text.shape[1],
        numeric=content.numeric.shape[1],
        levels=reader.attributes.sizes,
        **{n: getattr(options, n) for n in ("dim", "hidden", "heads", "layers", "length")},
    )


def loss_of(network: SequenceNetwork, content: Content, batch: SequenceBatch, options: SequenceOptions) -> Tensor:
    """Sampled softmax (see `sampled_softmax`) of what came next, after every place."""
    vectors, biases = network.items(*tensors_of(content, batch.items))
    number, length = batch.sequences.shape
    met = vectors.index_select(0, batch.sequences.reshape(-1)).reshape(number, length, vectors.shape[1])
    wanted = network(met).flatten(0, 1).index_select(0, batch.at) / options.temperature
    drawn, came = ((vectors.index_select(0, p), biases.index_select(0, p)) for p in (batch.negatives, batch.positive))
    positive = (wanted * came[0]).sum(dim=1) + came[1]
    return sampled_softmax(positive, torch.addmm(drawn[1], wanted, drawn[0].T), batch.excluded)


def for_nobody(problem: Problem, first: Floats) -> tuple[Floats, float]:
    """Scores for people of whom nothing can be read: popularity, shrunk to what content says of it.

    s_i = log(n_i + m_i) with n_i people of the target who have item i, and m_i = Σ_k n_k · softmax(first)_i how many
    there would be by its content: what sells leads, items nobody has come in by their content.

    Args:
        problem: what is visible.
        first: (catalogue,) what the network wants of people who met nothing yet.

    Returns:
        (catalogue,) scores, and the level by which log m is above `first`; 0, and `first` itself, where nothing sold.
    """
    people = np.asarray((problem.target_counts > 0).sum(axis=0), dtype=np.float64).ravel()
    if not people.any():
        return first, 0.0
    level = float(np.log(people.sum()) - np.logaddexp.reduce(first.astype(np.float64)))
    return np.log(people + np.exp(first + level)).astype(np.float32), level
