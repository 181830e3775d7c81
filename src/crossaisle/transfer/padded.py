"""A scorer beside others that know more items than it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..recommender import SCORERS, scorer
from ..types import Floats, History, Scorer, Tensors


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
        items = history.counts.shape[1] - self.added
        kept = history.counts.indices < items
        old = History(history.counts[:, :items], history.ages[kept], history.users)
        known = self.part.score(old)
        return np.hstack([known, np.repeat(known.mean(axis=1, keepdims=True), self.added, axis=1)])

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore this scorer."""
        tensors, meta = self.part.state()
        return tensors, {"kind": self.part.kind, "added": self.added, "meta": meta}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(SCORERS.get(meta["kind"]).restore(tensors, meta["meta"]), meta["added"])
