"""Ids as codes: the network learns a vector for each, and drops ids in training so that an unseen one is normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from ..data.vocab import Vocab
from ..errors import DataError
from ..types import Codes, Tensors
from .method import Bools


@dataclass(frozen=True)
class IdEncoder:
    """Ids → codes (n,) and a mask of those in the vocabulary. Not an `Encoder`: its vectors are learned elsewhere."""

    ids: Vocab
    column: str = "item_id"

    def encode(self, items: pl.DataFrame) -> tuple[Codes, Bools]:
        """Codes (n,), −1 where unknown, and a mask (n,) of known ids.

        Raises:
            DataError: `items` lacks the id column.
        """
        if self.column not in items.columns:
            raise DataError(f"the rows lack the column {self.column!r}; they have {', '.join(items.columns)}; add it.")
        codes = self.ids.encode(items[self.column])
        return codes, codes >= 0

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Everything needed to restore this encoder."""
        return {}, {"ids": self.ids.ids.to_list(), "column": self.column}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(Vocab(meta["ids"]), meta["column"])
