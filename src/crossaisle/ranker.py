"""Ranker: a scorer over a catalogue, asked for the best k; by all scores, or by an index of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .index import Index, Mask, Top, columns_of, top_k
from .screen import ScreenedIndex, Sight, exact_scores
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
        found, personal = self._read(history)
        ranked = top_k if self.index is None else self.index.top
        return *ranked(found, k, seen, available), personal

    def tastes(self, history: History) -> list[Taste]:
        """What is read of each of n histories, for lists and scores that are asked of one person at a time."""
        found, personal = self._read(history)
        people = [history] if len(history) == 1 else [history.of(row) for row in range(len(history))]
        sights = self.index.sights(found) if isinstance(self.index, ScreenedIndex) else [None] * len(people)
        told = zip(people, found[:, None], personal.tolist(), sights, strict=True)
        return [Taste(self, *each) for each in told]

    @cached_property
    def places(self) -> Codes:
        """(item codes,) column of the catalogue, −1 outside it."""
        places = np.full(self.n_codes, -1, dtype=np.int64)
        places[self.catalogue] = np.arange(len(self.catalogue))
        return places

    @cached_property
    def vectors(self) -> Vectors | None:
        """The scorer where its vectors are ranked by an index."""
        return self.scorer if self.index is not None and isinstance(self.scorer, Vectors) else None

    @cached_property
    def for_anybody(self) -> Floats:
        """(catalogue,) scores of somebody of whom nothing is known."""
        found: Floats = self.scorer.score(session_of([], self.n_codes))[0]
        return found

    @cached_property
    def _nobody(self) -> Floats:
        return self._found(session_of([], self.n_codes))

    def _read(self, history: History) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """What `_found` says, and (n,) whether it differs from that of somebody without a history."""
        found = self._found(history)
        return found, (np.diff(history.counts.indptr) > 0) & (found != self._nobody).any(axis=1)

    def _found(self, history: History) -> Floats:
        """User vectors (n, d) where the index ranks, else scores (n, catalogue) that may be written to."""
        if self.vectors is not None:
            return self.vectors.user_vectors(history)
        return np.array(self.scorer.score(history), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Taste:
    """What a ranker reads of one person's history.

    Attributes:
        ranker: that read it.
        history: of one person.
        found: (1, d) their vector where an index ranks, else their scores (1, catalogue).
        personal: whether it differs from that of somebody without a history.
        sight: of their vector, where the index is screened.
    """

    ranker: Ranker
    history: History
    found: Floats
    personal: bool
    sight: Sight | None

    def top(self, k: int, *, exclude_seen: bool, available: Mask | None) -> Top:
        """Scores and places of the k best; less than k where filters leave fewer. See `Ranker.top`."""
        hidden = self._had if exclude_seen else np.zeros(0, dtype=np.int64)
        ranked = self._ranked if self.sight is None else self.sight.top
        scores, places = ranked(k, hidden, available)
        listed = places >= 0
        return scores[listed], places[listed]

    def _ranked(self, k: int, hidden: Codes, available: Mask | None) -> Top:
        ends = np.array([0, len(hidden)])
        seen = sp.csr_matrix((np.ones(len(hidden), np.bool_), hidden, ends), (1, len(self.ranker.catalogue)))
        ranked = top_k if self.ranker.index is None else self.ranker.index.top
        scores, places = ranked(self.found.copy(), k, seen, available)
        return scores[0], places[0]

    @cached_property
    def _had(self) -> Codes:
        """Places of what the person had."""
        had: Codes = self.ranker.places[self.history.counts.indices]
        return had[had >= 0]

    def left(self, *, exclude_seen: bool, available: Mask | None) -> Mask:
        """(catalogue,) places that a list may hold."""
        left = np.ones(len(self.ranker.catalogue), np.bool_) if available is None else available.copy()
        if exclude_seen:
            left[self._had] = False
        return left if self.ranker.vectors is not None else left & (self.found[0] > -np.inf)

    def scores(self, places: Codes) -> Floats:
        """(n,) scores of the items at `places`, the same as in lists."""
        if self.ranker.vectors is not None:
            return exact_scores(self.ranker.vectors.item_vectors, self.found[0], places)
        found: Floats = self.found[0, places]
        return found
