"""A scorer beside others that know more items than it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..attribution import contributions_of
from ..recommender import SCORERS, scorer
from ..types import Asked, Contributions, Floats, History, Scorer, Tensors
from .common import spread_over


@scorer("padded")
@dataclass(frozen=True, eq=False)
class Padded:
    """A scorer that knows nothing of the newest items: they get its mean score.

    Attributes:
        part: the scorer.
        added: number of new items at the end.
    """

    kind: ClassVar[str] = "padded"
    part: Scorer
    added: int

    def score(self, history: History) -> Floats:
        """(n, catalogue + added)."""
        known = self.part.score(self._old(history))
        return np.hstack([known, np.repeat(known.mean(axis=1, keepdims=True), self.added, axis=1)])

    def _old(self, history: History) -> History:
        """`history` without the newest items."""
        items = history.counts.shape[1] - self.added
        kept = history.counts.indices < items
        return History(history.counts[:, :items], history.ages[kept], history.users)

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """See `Explains`: those of the scorer; the newest items have its mean."""
        old = self._old(history)
        inner = asked[:, : asked.shape[1] - self.added]
        inner = inner + asked[:, inner.shape[1] :].sum(axis=1, keepdims=True) / inner.shape[1]
        found = contributions_of(self.part, old, inner)
        kept = np.flatnonzero(history.counts.indices < old.counts.shape[1])
        return Contributions(found.start, spread_over(history.counts.nnz, kept, found.parts), found.by_modality)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, meta = self.part.state()
        return tensors, {"kind": self.part.kind, "added": self.added, "meta": meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(SCORERS.get(meta["kind"]).restore(tensors, meta["meta"]), meta["added"])
