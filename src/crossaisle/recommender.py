"""Recommender: a scorer with the ids, histories and shelf it needs to answer people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import polars as pl
import scipy.sparse as sp

from . import artifact
from .data.vocab import Vocab
from .errors import ArtifactError, MethodError
from .registry import Registry
from .types import Codes, History, Scorer, Tensors

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
            {f"scorer.{n}": t for n, t in tensors.items()} | _pack(self.history) | {"catalogue": self.catalogue},
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
        try:
            made = SCORERS.get(kind)
        except MethodError:
            raise ArtifactError(f"{path} needs the scorer {kind!r}; install the package that brings it.") from None
        own = {n.removeprefix("scorer."): t for n, t in tensors.items() if n.startswith("scorer.")}
        items = tables["items"]
        return cls(
            method=meta["method"],
            domain=meta["domain"],
            scorer=made.restore(own, meta["scorer"]["meta"]),
            catalogue=tensors["catalogue"],
            user_ids=Vocab(tables["users"]["user_id"]),
            item_ids=Vocab(items["item_id"]),
            history=_unpack(tensors, len(items)),
            items=items.drop("item_id") if items.width > 1 else pl.DataFrame(),
            facts=meta["facts"],
        )


def _pack(history: History) -> Tensors:
    counts = history.counts
    return {
        "history.counts": counts.data,
        "history.items": counts.indices,
        "history.starts": counts.indptr,
        "history.ages": history.ages,
        "history.users": history.users,
    }


def _unpack(tensors: Tensors, n_items: int) -> History:
    parts = tensors["history.counts"], tensors["history.items"], tensors["history.starts"]
    counts = sp.csr_matrix(parts, shape=(len(tensors["history.users"]), n_items))
    return History(counts, tensors["history.ages"], tensors["history.users"])
