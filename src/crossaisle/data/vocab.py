"""Ids ⇄ integer codes. The user's ids stay the user's; everything inside works on codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import polars as pl

from ..types import Codes


class Vocab:
    """An ordered, immutable set of string ids; code = position.

    Args:
        ids: distinct strings in code order.
    """

    def __init__(self, ids: Iterable[str] | pl.Series) -> None:
        series = ids if isinstance(ids, pl.Series) else pl.Series("id", list(ids), dtype=pl.String)
        self.ids = series.cast(pl.String).rename("id").rechunk()

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, name: object) -> bool:
        return name in self._codes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self.ids.equals(other.ids)

    def __hash__(self) -> int:
        return hash((len(self.ids), self.ids[0] if len(self.ids) else None))

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.ids.to_list())}

    def code(self, name: str) -> int:
        """Code of one id, −1 when unknown."""
        return self._codes.get(name, -1)

    def encode(self, names: Sequence[str]) -> Codes:
        """Codes (n,) of `names`, −1 where unknown."""
        return np.fromiter((self._codes.get(n, -1) for n in names), dtype=np.int64, count=len(names))

    def decode(self, codes: Codes) -> list[str]:
        """Ids of `codes`; every code must be ≥ 0."""
        return self.ids.gather(np.asarray(codes, dtype=np.int64)).to_list()
