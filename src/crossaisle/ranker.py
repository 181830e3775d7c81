"""Ranker: a scorer over a catalogue, asked for the best k; by all scores, or by an index of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .index import Index, Mask, columns_of, top_k
from .types import Codes, Floats, History, Scorer, Vectors, session_of


@dataclass(frozen=True, eq=False)
class Ranker:
    """Finds the best items of a catalogue.

    Attributes:
        scorer: the fitted model.
        catalogue: (n,) sorted item codes.
        n_codes: size of the vocabulary of item codes.
        index: of the scorer's item vectors; without one all scores are computed.
    """

    scorer: Scorer
    catalogue: Codes
    n_codes: int
    index: Index | None = None

    def top(
        self, history: History, k: int, *, exclude_seen: bool, available: Mask | None
    ) -> tuple[Floats, Codes, npt.NDArray[np.bool_]]:
        """The k best items for each of n histories.

        Args:
            history: of n users, few enough to hold their scores at once.
            k: how many.
            exclude_seen: leave out what is in `history`.
            available: (catalogue,) only these are found.

        Returns:
            (n, k) scores and places in the catalogue (see `index.Top`), and (n,) whether the scores differ from
            those of somebody without a history.
        """
        seen = columns_of(history.counts, self.places, len(self.catalogue)) if exclude_seen else None
        found = self._read(history)
        personal = (np.diff(history.counts.indptr) > 0) & (found != self._nobody).any(axis=1)
        ranked = top_k if self.index is None else self.index.top
        return *ranked(found, k, seen, available), personal

    @cached_property
    def places(self) -> Codes:
        """(item codes,) column of the catalogue, −1 outside it."""
        places = np.full(self.n_codes, -1, dtype=np.int64)
        places[self.catalogue] = np.arange(len(self.catalogue))
        return places

    @cached_property
    def for_anybody(self) -> Floats:
        """(catalogue,) scores of somebody of whom nothing is known."""
        found: Floats = self.scorer.score(session_of([], self.n_codes))[0]
        return found

    @cached_property
    def _nobody(self) -> Floats:
        return self.for_anybody[None] if self.index is None else self._read(session_of([], self.n_codes))

    def _read(self, history: History) -> Floats:
        """User vectors (n, d) where the index ranks, else scores (n, catalogue) that may be written to."""
        if self.index is not None and isinstance(self.scorer, Vectors):
            return self.scorer.user_vectors(history)
        return np.array(self.scorer.score(history), dtype=np.float32)
