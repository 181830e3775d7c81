"""What answers for `sequence`: item vectors of a World, and a network over what a person met."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from ..encoders.content import Content, ContentReader, told_of
from ..encoders.method import Bools
from ..models.base import tensors_of
from ..models.sequence import SequenceNetwork, SequenceSizes
from ..recommender import scorer
from ..train.sequences import Sequences
from ..types import Basis, Codes, Floats, History, Tensors
from .common import from_0_to_1, with_popularity

BLOCK = 256
"""People read at once (memory: block × length × dim)."""
_ITEMS = 16_384
"""Items whose vectors are made at once."""


@scorer("sequence")
@dataclass(frozen=True, eq=False)
class SequenceScorer:
    """What is wanted next: cosines of the network's answer with the items of the catalogue.

    Attributes:
        weights: state of the network.
        sizes: of the network.
        temperature: cosines are divided by it.
        vectors: (items, d + 1) float32 of every item, bias last.
        read: (items,) True where an item of a history is read: it has content, and is in scope.
        catalogue: (n,) item codes that are ranked.
        nobody: (catalogue,) for people of whom nothing can be read, see `sequence.for_nobody`; orders ties, too.
        level: see `sequence.for_nobody`.
        reader: item rows → content, for items that come later.
        domain: name of the domain, for their prices.
    """

    kind: ClassVar[str] = "sequence"
    basis: ClassVar[Basis] = "content"
    weights: Mapping[str, Tensor]
    sizes: SequenceSizes
    temperature: float
    vectors: Floats
    read: Bools
    catalogue: Codes
    nobody: Floats
    level: float
    reader: ContentReader
    domain: str

    def score(self, history: History) -> Floats:
        """(n, catalogue) h · v_i / τ + b_i, or `nobody` for people of whom nothing can be read."""
        ranked = self.vectors[self.catalogue]
        scores = np.tile(self.nobody, (len(history), 1))
        for start in range(0, len(history), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(history)))
            met = Sequences.of(history.take(rows), self.read, self.sizes.length)
            known = np.flatnonzero(met.number)
            if len(known):
                scores[rows[known]] = _answers(self._network, met.take(known), self.vectors, ranked, self.temperature)
        return with_popularity(scores, self._order)

    @cached_property
    def _order(self) -> Floats:
        """(catalogue,) `nobody` from 0 to 1."""
        return from_0_to_1(self.nobody)

    def extend(self, content: pl.DataFrame) -> SequenceScorer:
        """See `Extensible.extend`: new items are read and scored from their content."""
        fresh = vectors_of(self._network, self.reader.read(content.with_columns(domain=pl.lit(self.domain))))
        codes = np.arange(len(self.vectors), len(self.vectors) + len(fresh))
        return dataclasses.replace(
            self,
            vectors=np.vstack([self.vectors, fresh]),
            read=np.concatenate([self.read, told_of(content)]),
            catalogue=np.concatenate([self.catalogue, codes]),
            nobody=np.concatenate([self.nobody, at_first(self._network, fresh, self.temperature) + self.level]),
        )

    @cached_property
    def _network(self) -> SequenceNetwork:
        made = SequenceNetwork(self.sizes)
        made.load_state_dict(dict(self.weights))
        return made.eval()

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        reader, reader_meta = self.reader.state()
        tensors: Tensors = {f"weights.{n}": t.numpy() for n, t in self.weights.items()}
        tensors |= {f"reader.{n}": t for n, t in reader.items()}
        tensors |= {n: getattr(self, n) for n in ("vectors", "read", "catalogue", "nobody")}
        meta = {n: getattr(self, n) for n in ("temperature", "level", "domain")}
        return tensors, meta | {"sizes": self.sizes.to_meta(), "reader": reader_meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        part = {
            name: {n.removeprefix(f"{name}."): t for n, t in tensors.items() if n.startswith(f"{name}.")}
            for name in ("weights", "reader")
        }
        return cls(
            weights={n: torch.from_numpy(np.array(t)) for n, t in part["weights"].items()},
            sizes=SequenceSizes.from_meta(meta["sizes"]),
            reader=ContentReader.restore(part["reader"], meta["reader"]),
            vectors=tensors["vectors"],
            read=tensors["read"],
            catalogue=tensors["catalogue"],
            nobody=tensors["nobody"],
            **{n: meta[n] for n in ("temperature", "level", "domain")},
        )


def vectors_of(network: SequenceNetwork, content: Content) -> Floats:
    """(n, d + 1) item vectors with the bias last."""
    made = np.empty((len(content), network.start.shape[0] + 1), dtype=np.float32)
    network.eval()
    with torch.no_grad():
        for start in range(0, len(content), _ITEMS):
            rows = np.arange(start, min(start + _ITEMS, len(content)))
            vectors, biases = network.items(*tensors_of(content, rows))
            made[rows] = torch.cat([vectors, biases[:, None]], dim=1).numpy()
    return made


def at_first(network: SequenceNetwork, ranked: Floats, temperature: float) -> Floats:
    """(n,) scores of items (n, d + 1) for people who met nothing yet."""
    nothing = Sequences(np.zeros((1, 0), dtype=np.int64), np.zeros(1, dtype=np.int64))
    first: Floats = _answers(network, nothing, ranked, ranked, temperature)[0]
    return first


def _answers(network: SequenceNetwork, met: Sequences, vectors: Floats, ranked: Floats, temperature: float) -> Floats:
    """(n, k) h · v_i / τ + b_i, h the answer after the last item.

    Args:
        network: ready to answer.
        met: of n people.
        vectors: (items, d + 1) of all items.
        ranked: (k, d + 1) of those that are asked.
        temperature: τ.
    """
    with torch.no_grad():
        answers: Floats = network(torch.from_numpy(vectors[met.items, :-1])).numpy()
    wanted: Floats = answers[np.arange(len(met.number)), met.number] / np.float32(temperature)
    scores: Floats = wanted @ ranked[:, :-1].T + ranked[:, -1]
    return scores
