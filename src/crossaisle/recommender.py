"""Recommender: a scorer with the ids, histories and shelf it needs to answer people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import polars as pl
import scipy.sparse as sp

from . import artifact
from .data.shelf import longer, new_ids, stranger, titled
from .data.vocab import Vocab
from .errors import ArtifactError, ConfigError, DataError, MethodError
from .index import APPROXIMATE_ABOVE, Index, block_of, index_of, top_k
from .neighbours import Reason, bought_together, buyers_of, cosines
from .progress import ticking
from .ranker import Ranker
from .registry import Registry
from .types import Basis, Codes, Extensible, Floats, History, Ranking, Scorer, Vectors, session_of

SCORERS: Registry[type[Scorer]] = Registry("scorer", "crossaisle.scorers")
"""Kind → class, so that a saved Recommender finds the class that restores it."""

KIND = "recommender"
S = TypeVar("S", bound=type[Scorer])


def scorer(kind: str) -> Callable[[S], S]:
    """Register the decorated class as the scorer of `kind`."""

    def wrap(cls: S) -> S:
        SCORERS.add(kind, cls)
        return cls

    return wrap


@dataclass(frozen=True, eq=False)
class Recommender:
    """A fitted method with the ids, histories and shelf it needs to answer people.

    Unknown users are no error: they get what suits people in general, and `Ranking.basis` says so.

    Attributes:
        method: name of the transfer method that made it.
        domain: the domain it recommends in.
        scorer: the fitted model.
        catalogue: (n,) sorted item codes that are ranked; columns of scores follow this order.
        user_ids: vocabulary of user codes.
        item_ids: vocabulary of item codes.
        history: History of all users of the vocabulary, over all domains.
        items: one row per item code, in code order: ``title``, ``brand``, ``category``, ``price``.
        facts: what is worth knowing of the fit (JSON-able).
        index: finds items without scoring all of them; see `with_index`. It is not saved.
    """

    method: str
    domain: str
    scorer: Scorer
    catalogue: Codes
    user_ids: Vocab
    item_ids: Vocab
    history: History
    items: pl.DataFrame = field(default_factory=pl.DataFrame)
    facts: Mapping[str, Any] = field(default_factory=dict)
    index: Index | None = None

    def recommend(
        self,
        users: Sequence[str],
        k: int = 10,
        *,
        exclude_seen: bool = True,
        available: Sequence[str] | None = None,
    ) -> Ranking:
        """The k best items of the catalogue for each of `users`.

        Args:
            users: n user ids, known or not; a single id is taken as a list of one.
            k: 1 to the size of the catalogue.
            exclude_seen: leave out what the user has in `history`.
            available: only these item ids may be recommended; ids outside the catalogue are ignored.

        Returns:
            (n, k) items. Basis is ``"popularity"`` where no history is visible, or it changes nothing in the scores.

        Raises:
            ConfigError: k is out of range.
        """
        names = [users] if isinstance(users, str) else list(users)
        codes, step = self.user_ids.encode(names), block_of(len(self.catalogue))
        starts = range(0, max(len(names), 1), step)
        blocks = (self.history.take(codes[s : s + step]) for s in ticking("recommend", starts, len(starts)))
        return _rank(self, names, blocks, k, exclude_seen, available)

    def recommend_session(
        self,
        items: Sequence[str],
        k: int = 10,
        *,
        exclude_seen: bool = True,
        available: Sequence[str] | None = None,
    ) -> Ranking:
        """As `recommend`, for somebody of whom only these `items`, just met, are known; unknown ids are ignored.

        Returns:
            One row; its user is ``""``.
        """
        history = session_of(self.item_ids.encode(list(items)), len(self.item_ids))
        return _rank(self, [""], [history], k, exclude_seen, available)

    def score(self, users: Sequence[str], items: Sequence[str]) -> Floats:
        """(n users, m items) float32 scores; NaN, nothing is known, for items outside the catalogue."""
        codes, asked = self.user_ids.encode(list(users)), self.item_ids.encode(list(items))
        places = np.append(self.ranker.places, -1)[asked]
        known, step = places >= 0, block_of(len(self.catalogue))
        scores = np.full((len(codes), len(asked)), np.nan, dtype=np.float32)
        for start in range(0, len(codes), step):
            block = self.scorer.score(self.history.take(codes[start : start + step]))
            scores[start : start + step, known] = block[:, places[known]]
        return scores

    def why(self, user: str, items: Sequence[str], n: int = 3) -> list[list[Reason]]:
        """For each of `items`, up to n items of the user's history that are bought together with it, closest first.

        This tells what the data say of the two items (cosine over all people of `history`), whatever the method. A
        list is empty where nothing was bought together, and for unknown users and items.
        """
        mine = self.history.take(self.user_ids.encode([user])).counts.indices
        asked = self.item_ids.encode(list(items))
        values, best = bought_together(self._buyers, asked, mine, n)
        named = titled(self.item_ids, self.items, mine).rows()
        return [
            [Reason(item_id=named[p][0], title=named[p][1], cosine=v) for p, v in zip(*pair, strict=True) if p >= 0]
            for pair in zip(best.tolist(), values.tolist(), strict=True)
        ]

    def similar(self, item: str, k: int = 10) -> pl.DataFrame:
        """Up to k items of the catalogue that are most like `item`, which need not be in it.

        Returns:
            ``item_id``, ``title``, ``score`` (cosine), ``basis``: of the scorer's item vectors where it has them, else
            of who bought both; items that nobody bought together with it are not listed.

        Raises:
            ConfigError: k is out of range.
            DataError: the item is unknown.
        """
        _check_k(self, k)
        code = self.item_ids.code(item)
        if code < 0:
            raise DataError(stranger(self.item_ids, item))
        place = self.ranker.places[code]
        if isinstance(self.scorer, Vectors) and place >= 0:
            vectors, basis = self.scorer.item_vectors, getattr(self.scorer, "basis", "history")
            lengths = np.maximum(np.linalg.norm(vectors, axis=1), np.float32(1e-30))
            scores = (vectors @ vectors[place] / (lengths * lengths[place]))[None]
        else:
            scores, basis = cosines(self._buyers, np.array([code]), self.catalogue), "history"
            scores[scores == 0] = -np.inf
        values, places = top_k(scores, k, available=self.catalogue != code)
        found = places[0] >= 0
        named = titled(self.item_ids, self.items, self.catalogue[places[0][found]])
        return named.with_columns(score=pl.Series(values[0][found]), basis=pl.lit(basis))

    def with_items(self, content: pl.DataFrame) -> Recommender:
        """A recommender whose catalogue also has new items, scored from their content.

        Args:
            content: one row per item that is not known yet: ``item_id``, and any of ``title``, ``brand``,
                ``category``, ``price`` and attributes.

        Raises:
            MethodError: the method cannot score items it has not seen.
            DataError: ids are missing, repeated or known already.
        """
        if not isinstance(self.scorer, Extensible):
            raise MethodError(
                f"method {self.method!r} cannot score items it has not seen; use zero_shot, finetune or blend."
            )
        ids = new_ids(self.item_ids, content)
        before, counts = len(self.item_ids), self.history.counts
        shape = counts.shape[0], before + len(ids)
        wider = sp.csr_matrix((counts.data, counts.indices, counts.indptr), shape)
        return replace(
            self,
            scorer=self.scorer.extend(content),
            catalogue=np.concatenate([self.catalogue, np.arange(before, before + len(ids))]),
            item_ids=Vocab(pl.concat([self.item_ids.ids, ids])),
            history=replace(self.history, counts=wider),
            items=longer(self.items, content),
            index=None,
        )

    def with_index(self) -> Recommender:
        """For a service over a large catalogue: a recommender that finds items by an index, itself where that is idle.

        Building takes minutes for some 100,000 items, which pays for many single questions; see `index`.
        """
        if not isinstance(self.scorer, Vectors) or len(self.catalogue) <= APPROXIMATE_ABOVE:
            return self
        return replace(self, index=index_of(self.scorer.item_vectors))

    def save(self, path: str | Path) -> None:
        """Write this recommender to the folder `path`, whole or not at all; see `artifact.write`.

        Raises:
            ArtifactError: `path` holds something that is not an artifact.
            StorageError: the disk refused; nothing is left behind.
        """
        tensors, meta = self.scorer.state()
        artifact.write(
            path,
            KIND,
            {f"scorer.{n}": t for n, t in tensors.items()}
            | artifact.pack_history(self.history)
            | {"catalogue": self.catalogue},
            {
                "users": pl.DataFrame({"user_id": self.user_ids.ids}),
                "items": pl.DataFrame({"item_id": self.item_ids.ids}).hstack(self.items),
            },
            {
                "method": self.method,
                "domain": self.domain,
                "scorer": {"kind": type(self.scorer).kind, "meta": meta},
                "facts": dict(self.facts),
            },
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The recommender saved at `path`, with the same scores bit for bit. No code of the artifact is run.

        Raises:
            ArtifactError: missing, foreign, damaged, from a newer crossaisle, or of a scorer that is not installed.
        """
        tensors, tables, meta = artifact.read(path, KIND)
        kind = meta["scorer"]["kind"]
        own = {n.removeprefix("scorer."): t for n, t in tensors.items() if n.startswith("scorer.")}
        try:
            restored = SCORERS.get(kind).restore(own, meta["scorer"]["meta"])
        except MethodError:
            raise ArtifactError(f"{path} needs the scorer {kind!r}; install the package that brings it.") from None
        except KeyError as error:
            raise ArtifactError(f"{path} is no complete recommender: {error} is missing; fit it again.") from None
        items = tables["items"]
        return cls(
            method=meta["method"],
            domain=meta["domain"],
            scorer=restored,
            catalogue=tensors["catalogue"],
            user_ids=Vocab(tables["users"]["user_id"]),
            item_ids=Vocab(items["item_id"]),
            history=artifact.unpack_history(tensors, len(items)),
            items=items.drop("item_id") if items.width > 1 else pl.DataFrame(),
            facts=meta["facts"],
        )

    @cached_property
    def ranker(self) -> Ranker:
        """The scorer over the catalogue, with what it keeps between questions."""
        return Ranker(self.scorer, self.catalogue, len(self.item_ids), self.index)

    @cached_property
    def _buyers(self) -> sp.csr_matrix:
        """(item codes, users) 1 where the user had the item."""
        return buyers_of(self.history)


def _rank(
    shop: Recommender,
    users: list[str],
    blocks: Iterable[History],
    k: int,
    exclude_seen: bool,
    available: Sequence[str] | None,
) -> Ranking:
    _check_k(shop, k)
    mask = None
    if available is not None:
        allowed = shop.item_ids.encode(pl.Series(list(available), dtype=pl.String))
        mask = np.isin(shop.catalogue, allowed)
    tops = [shop.ranker.top(h, k, exclude_seen=exclude_seen, available=mask) for h in blocks]
    scores, places, personal = (np.concatenate(part) for part in zip(*tops, strict=True))
    shown, number = np.unique(places, return_inverse=True)
    names = [shop.item_ids.ids[int(shop.catalogue[place])] if place >= 0 else "" for place in shown]
    items = np.array(names, dtype=np.str_)[number.reshape(places.shape)]
    word: Basis = getattr(shop.scorer, "basis", "history")
    return Ranking(users, items, scores, [word if p else "popularity" for p in personal])


def _check_k(shop: Recommender, k: int) -> None:
    if not 1 <= k <= len(shop.catalogue):
        n = len(shop.catalogue)
        raise ConfigError(f"k is {k}, but {shop.domain!r} has {n} items; choose a k from 1 to {n}.")
