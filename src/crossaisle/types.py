"""The words that all floors share: History in, scores out, Ranking back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

Codes = npt.NDArray[np.int64]
"""Integer codes of users, items or domains; −1 stands for an unknown id."""
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Basis = Literal["history", "content", "popularity"]
"""What an answer rests on: the user's own events, item content, or what sells in general."""
Need = Literal[
    "base",
    "item_content",
    "target_interactions",
    "warm_items",
    "overlapping_users",
    "overlapping_items",
    "timestamps",
    "several_sources",
    "exposures",
]
"""What a method may need of the data; see `transfer.method.check_needs` and `fusion.needs.check_needs`."""
Progress = Callable[[str, int, int], None]
"""Called as ``progress(task, done, total)``; doors draw it, libraries pass it on."""
Tensors = dict[str, npt.NDArray[Any]]
Asked = Doubles
"""(m, catalogue) weights: row a asks for the sum of the catalogue's scores times its weights, a 1 for one item's."""


@dataclass(frozen=True)
class History:
    """What is known of n users at scoring time, over all domains.

    Attributes:
        counts: (n, world items) CSR float32; how often each user met each item. Rows of unknown users are empty.
        ages: data aligned with ``counts.data``: days from the last such event to now (0 where times are unknown).
        users: (n,) user codes; −1 for users outside the vocabulary.
    """

    counts: sp.csr_matrix
    ages: Floats
    users: Codes

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    def of(self, row: int) -> History:
        """One row, as `take` gives it, but without a copy of its events; −1 gives an empty row of an unknown user."""
        counts = self.counts
        start, end = (0, 0) if row < 0 else counts.indptr[row : row + 2].tolist()
        ends = np.array([0, end - start], dtype=counts.indices.dtype)  # of one type, so that scipy looks no further
        found = sp.csr_matrix((counts.data[start:end], counts.indices[start:end], ends), (1, counts.shape[1]))
        return History(found, self.ages[start:end], np.array([-1 if row < 0 else self.users[row]]))

    def take(self, rows: Codes) -> History:
        """The given `rows` in their order; −1 gives an empty row of an unknown user."""
        starts = self.counts.indptr[rows]
        lengths = np.where(rows >= 0, self.counts.indptr[rows + 1] - starts, 0)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        take = np.repeat(starts - ends[:-1], lengths) + np.arange(ends[-1])
        counts = sp.csr_matrix(
            (self.counts.data[take], self.counts.indices[take], ends),
            shape=(len(rows), self.counts.shape[1]),
        )
        users = np.full(len(rows), -1, dtype=np.int64)
        users[rows >= 0] = self.users[rows[rows >= 0]]
        return History(counts, self.ages[take], users)


def session_of(items: Sequence[int] | Codes, n_items: int) -> History:
    """History of one unknown user who met `items` (codes; −1 is passed over) just now."""
    codes = np.asarray(items, dtype=np.int64)
    met, times = np.unique(codes[codes >= 0], return_counts=True)
    counts = sp.csr_matrix((times.astype(np.float32), met, np.array([0, len(met)])), shape=(1, n_items))
    return History(counts, np.zeros(len(met), dtype=np.float32), np.array([-1], dtype=np.int64))


@dataclass(frozen=True)
class Ranking:
    """Ranked items for n users, best first; short lists are padded with ``""`` and −inf.

    Attributes:
        users: n user ids as asked.
        items: (n, k) item ids.
        scores: (n, k) float32; comparable within a row only.
        basis: n words that say what each row rests on.
    """

    users: list[str]
    items: npt.NDArray[np.str_]
    scores: Floats
    basis: list[Basis]


class Scorer(Protocol):
    """A fitted model: user histories in, one score for every item of the catalogue out.

    A scorer holds arrays and numbers only, so it is saved without pickle: `state` gives named arrays and a JSON-able
    dict, `restore` takes them back and must reproduce the scores bit for bit. A scorer may say what its personal
    answers rest on by a class attribute or property ``basis``; without one it is ``"history"``.
    """

    kind: ClassVar[str]

    def score(self, history: History) -> Floats:
        """Scores (n users, catalogue items) for `history`."""
        ...

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Everything needed to restore this scorer."""
        ...

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        ...


@runtime_checkable
class Vectors(Protocol):
    """A scorer whose scores are ``user_vectors(history) @ item_vectors.T`` (a bias is one more coordinate).

    Attributes:
        item_vectors: (catalogue, d) float32; held, not computed at each look.
    """

    @property
    def item_vectors(self) -> Floats: ...  # noqa: D102

    def user_vectors(self, history: History) -> Floats:
        """(n, d) float32."""
        ...


CO_PURCHASE = "co-purchase"
"""Modality of scores that read who bought what, and nothing of what items are."""


@dataclass(frozen=True)
class Contributions:
    """m combinations of one person's scores, taken apart: ``start + parts.sum(axis=1)`` is what was asked for.

    Attributes:
        start: (m,) float64, what a person gets of whom no event is known.
        parts: (m, events) float64, what each stored event of the history adds, in the order of ``counts.indices``.
        kinds: modality → (m,), the same sum by kind of knowledge; None where all of it is `CO_PURCHASE`.
    """

    start: Doubles
    parts: Doubles
    kinds: Mapping[str, Doubles] | None = None

    @property
    def by_modality(self) -> Mapping[str, Doubles]:
        """Modality → (m,), what it adds; they sum to ``parts.sum(axis=1)``."""
        return {CO_PURCHASE: self.parts.sum(axis=1)} if self.kinds is None else self.kinds

    def times(self, factor: float) -> Contributions:
        """Of `factor` times the scores."""
        kinds = {name: value * factor for name, value in self.by_modality.items()}
        return Contributions(self.start * factor, self.parts * factor, kinds)

    def plus(self, other: Contributions) -> Contributions:
        """Of the sum of both scores."""
        mine, its = self.by_modality, other.by_modality
        nothing = np.zeros(len(self.start))
        kinds = {name: mine.get(name, nothing) + its.get(name, nothing) for name in {**mine, **its}}
        return Contributions(self.start + other.start, self.parts + other.parts, kinds)


@runtime_checkable
class Explains(Protocol):
    """A scorer that can say what each event of a history adds to its scores; others are asked by Shapley values.

    Asked for whole combinations of scores, and not for items alone, a scorer that combines others can pass the question
    on: what is added, scaled or centred in it stays linear.
    """

    def contributions(self, history: History, asked: Asked) -> Contributions:
        """Contributions to `asked` (m, catalogue) of the one person of `history`."""
        ...


@runtime_checkable
class Extensible(Protocol):
    """A scorer that can score items it has not seen, from their content."""

    def extend(self, content: pl.DataFrame) -> Scorer:
        """A scorer whose `score` has ``len(content)`` further columns at the end.

        Args:
            content: one row per new item: ``item_id``, and what is known of ``title``, ``brand``, ``category``,
                ``price`` and attributes. Their item codes follow the last of the vocabulary, in the same order;
                histories given to the new scorer have that many further columns too.
        """
        ...
