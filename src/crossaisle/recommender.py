"""Recommender: a scorer with the ids, histories and shelf it needs to answer people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from .data.vocab import Vocab
from .registry import Registry
from .types import Codes, History, Scorer

SCORERS: Registry[type[Scorer]] = Registry("scorer", "crossaisle.scorers")
"""Kind → class, so that a saved Recommender finds the class that restores it."""

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
