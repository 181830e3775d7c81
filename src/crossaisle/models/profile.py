"""Profiles: a user's history over all domains as one vector, so that a new event counts at once, without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from ..encoders.content import Content
from ..types import Codes, Floats, Tensors

Doubles = npt.NDArray[np.float64]
_LEAST = 1e-6
_BOUND = 8.0
"""Standard deviations from the mean at which a coordinate of a profile is cut."""
_NULL = 1e-5
"""Singular values below this share of the greatest are rounding."""
_DENSE = 800
"""Below this many users or items all singular vectors are found at once: ARPACK, near the rank, repeats nothing."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """profile(u) = standardised [ Σ_j w_uj f_j / ‖w_u‖, log(1 + ‖w_u‖) ],  w_uj = event weight × rarity of item j.

    Attributes:
        facts: (items, q) float32, f_j: collaborative vector (zero for items that nobody had), text, numbers.
        rarity: (items,) float32, log(users / users of the item); 0 leaves an item out.
        values: (k,) singular values of the collaborative part of `facts`, which has the first k columns.
        centre: (q + 1,) mean over the users seen in fusion.
        scale: (q + 1,) standard deviation over them.
    """

    facts: Floats
    rarity: Floats
    values: Floats
    centre: Floats
    scale: Floats

    @property
    def width(self) -> int:
        """Width of a pair of profiles, 2q + 2."""
        return 2 * len(self.centre)

    @classmethod
    def fit(cls, events: sp.csr_matrix, content: Content, dim: int, seed: int) -> Self:
        """Profiles whose collaborative vectors are the singular vectors of `events`.

        Args:
            events: (users, items) CSR weights of what the fusion may see.
            content: of all items.
            dim: width of the collaborative part.
            seed: of the start vector of the decomposition.
        """
        rarity = rarity_of(events)
        vectors, values = collaborative_vectors(weigh(events, rarity), dim, seed)
        facts = np.hstack([vectors, content.text, content.numeric]).astype(np.float32)
        width = facts.shape[1] + 1
        raw = cls(facts, rarity, values, np.zeros(width, np.float32), np.ones(width, np.float32))
        seen = _means(raw.sums(events[np.diff(events.indptr) > 0])).astype(np.float64)
        spread = seen.std(axis=0)
        scale = np.where(spread > _LEAST, spread, 1.0).astype(np.float32)
        return cls(facts, rarity, values, seen.mean(axis=0).astype(np.float32), scale)

    def sums(self, events: sp.csr_matrix) -> Floats:
        """(n, q + 2) float32 of event weights (n, items): Σ_j w_uj f_j, Σ_j w_uj², number of items that are read.

        Sums of parts of a history add up to those of the whole.
        """
        weights = weigh(events, self.rarity)
        squares = np.asarray(weights.multiply(weights).sum(axis=1)).reshape(-1, 1)
        number = np.asarray((weights != 0).sum(axis=1)).reshape(-1, 1)
        return np.hstack([np.asarray(weights @ self.facts), squares, number]).astype(np.float32)

    def sums_of(self, items: Codes, weights: Floats) -> Floats:
        """(n, q + 2) `sums` of n histories of one item each, of event weights `weights` (n,)."""
        worth = (weights * self.rarity[items])[:, None]
        return np.hstack([worth * self.facts[items], worth**2, worth != 0]).astype(np.float32)

    def pair(self, elsewhere: Floats, own: Floats) -> Floats:
        """(n, 2q + 2) what a network reads: the profile of the history elsewhere, and in the domain itself.

        Args:
            elsewhere: (n, q + 2) `sums` of events in other domains.
            own: (n, q + 2) `sums` of events in the domain that is asked; zero on its first day.
        """
        return np.hstack([self.standardise(elsewhere), self.standardise(own)])

    def shares(self, items: Codes, weights: Floats) -> Floats:
        """(k, q + 1) what each of k events adds to the `standardise`d profile of a history of these alone.

        The length of the history is taken as given. The mean that is taken off, and the coordinate that is the length
        itself, are shared by w_uj² / ‖w_u‖²; a coordinate that is cut is cut in proportion.
        """
        worth = (weights * self.rarity[items]).astype(np.float64)
        total = float((worth**2).sum())
        if total == 0:
            return np.zeros((len(items), len(self.centre)), dtype=np.float32)
        amount, length = (worth**2 / total)[:, None], np.sqrt(total)
        raw = np.hstack([worth[:, None] * self.facts[items] / max(length, _LEAST), amount * np.log1p(length)])
        rows = (raw - amount * self.centre) / self.scale
        whole = rows.sum(axis=0)
        cut = np.where(np.abs(whole) > _BOUND, _BOUND / np.maximum(np.abs(whole), _BOUND), 1.0)
        made: Floats = (rows * cut).astype(np.float32)
        return made

    def standardise(self, sums: Floats) -> Floats:
        """Profiles (n, q + 1) of `sums` (n, q + 2); rows without items are zero."""
        # The number is exact where a difference of sums leaves rounding behind.
        made = (_means(sums) - self.centre) / self.scale * (sums[:, -1:] > 0)
        bounded: Floats = np.clip(made, -_BOUND, _BOUND).astype(np.float32)
        return bounded

    def extend(self, content: Content) -> Profiles:
        """With further items at the end, known by their content alone, as rare as the median item."""
        none = np.zeros((len(content), len(self.values)), dtype=np.float32)
        facts = np.vstack([self.facts, np.hstack([none, content.text, content.numeric])]).astype(np.float32)
        usual = float(np.median(self.rarity[self.rarity > 0])) if (self.rarity > 0).any() else 1.0
        rarity = np.concatenate([self.rarity, np.full(len(content), usual, dtype=np.float32)])
        return Profiles(facts, rarity, self.values, self.centre, self.scale)

    def fold_in(self, events: sp.csr_matrix, items: Codes) -> Profiles:
        """With collaborative vectors for those of `items` that have none, from the people who have them.

        Args:
            events: (users, items) CSR event weights that may be seen.
            items: (m,) item codes.

        Returns:
            Profiles with v_j = Σ_u x_uj (x_u V) / σ² (the right singular vector that a new column x_j would have) and
            the rarity that `events` gives them.
        """
        k = len(self.values)
        fresh = items[~self.facts[items, :k].any(axis=1)]
        if k == 0 or not len(fresh):
            return self
        rarity = self.rarity.copy()
        rarity[fresh] = np.where(self.rarity[fresh] > 0, rarity_of(events)[fresh], 0.0)
        rows = unit_rows(weigh(events, rarity))
        root = np.sqrt(float(events.shape[1]))
        people = np.asarray(rows @ self.facts[:, :k]) / root
        facts = self.facts.copy()
        facts[fresh, :k] = (rows[:, fresh].T @ people) / np.maximum(self.values, _LEAST) ** 2 * root
        return Profiles(facts, rarity, self.values, self.centre, self.scale)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Arrays and numbers to restore these profiles."""
        names = ("facts", "rarity", "values", "centre", "scale")
        return {n: getattr(self, n) for n in names}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(*(tensors[n] for n in ("facts", "rarity", "values", "centre", "scale")))


def _means(sums: Floats) -> Floats:
    """(n, q + 1) raw profiles: Σ w f / ‖w‖ and log(1 + ‖w‖)."""
    length = np.sqrt(np.maximum(sums[:, -2:-1], 0.0))
    return np.hstack([sums[:, :-2] / np.maximum(length, _LEAST), np.log1p(length)])


def rarity_of(events: sp.csr_matrix) -> Floats:
    """(items,) log(users / users of the item); items that nobody had count as rare as an item of one user."""
    people = np.bincount(events.indices, minlength=events.shape[1])
    users = max(int(np.count_nonzero(np.diff(events.indptr))), 1)
    rarity: Floats = np.log((users + 1.0) / (np.maximum(people, 1) + 0.5)).clip(0.05).astype(np.float32)
    return rarity


def weigh(events: sp.csr_matrix, rarity: Floats) -> sp.csr_matrix:
    """`events` times the rarity of their items."""
    data = events.data.astype(np.float32) * rarity[events.indices]
    return sp.csr_matrix((data, events.indices, events.indptr), shape=events.shape)


def only(events: sp.csr_matrix, listed: npt.NDArray[np.bool_]) -> sp.csr_matrix:
    """`events` (n, items) on the items where `listed` (items,) is True; the shape stays."""
    kept = listed[events.indices]
    ends = np.concatenate([[0], np.cumsum(kept)])[events.indptr]
    return sp.csr_matrix((events.data[kept], events.indices[kept], ends), shape=events.shape)


def collaborative_vectors(weights: sp.csr_matrix, dim: int, seed: int) -> tuple[Floats, Floats]:
    """Right singular vectors of rows of length 1, and their singular values.

    Returns:
        Vectors (items, ≤ dim) times √items, zero for items without events; values (≤ dim,), greatest first, without
        those that are zero: their vectors are arbitrary.
    """
    rows, sold = unit_rows(weights), np.flatnonzero(np.bincount(weights.indices, minlength=weights.shape[1]))
    rows = rows[np.diff(rows.indptr) > 0][:, sold].astype(np.float64)
    if min(rows.shape) <= max(_DENSE, 2 * dim):
        values, vectors = _all_singular(rows)
    else:
        draw = np.random.default_rng(seed)
        _, values, rowwise = svds(rows, k=dim, v0=draw.standard_normal(min(rows.shape)), rng=draw)
        vectors = rowwise.T
    best = np.argsort(-values, kind="stable")[:dim]
    best = best[values[best] > _NULL * values.max(initial=0.0)]
    kept = vectors[:, best]
    sign = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(len(best))]) if len(sold) else np.ones(0)
    made = np.zeros((weights.shape[1], len(best)), dtype=np.float32)
    made[sold] = kept * sign * np.sqrt(weights.shape[1])
    return made, values[best].astype(np.float32)


def unit_rows(weights: sp.csr_matrix) -> sp.csr_matrix:
    """`weights` with rows of length 1; empty rows stay empty."""
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.maximum(length, _LEAST)) @ weights).tocsr()


def _all_singular(rows: sp.csr_matrix) -> tuple[Doubles, Doubles]:
    """Singular values and right singular vectors (columns), least first, by the smaller of the two products."""
    flat = rows.shape[0] < rows.shape[1]
    values, vectors = np.linalg.eigh((rows @ rows.T if flat else rows.T @ rows).toarray())
    values = np.sqrt(np.maximum(values, 0.0))
    if flat:
        vectors = (rows.T @ vectors) / np.maximum(values, _LEAST)
    return values, vectors
