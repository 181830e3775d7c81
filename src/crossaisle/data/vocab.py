"""Ids ⇄ integer codes. The user's ids stay the user's; everything inside works on codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from ..types import Codes

_PART = 10_000
"""Ids that are Python objects at once."""


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
        return isinstance(name, str) and self.code(name) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self.ids.equals(other.ids)

    def __hash__(self) -> int:
        return hash((len(self.ids), self.ids[0] if len(self.ids) else None))

    def __repr__(self) -> str:
        return f"Vocab({len(self)} ids)"

    @cached_property
    def _hashes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Sorted hashes of the ids, and their codes: 12 bytes an id, where a dict of strings takes more than 100."""
        # Built at the first look-up only, in parts, so that not all ids are Python objects at once.
        hashes = np.empty(len(self.ids), dtype=np.int64)
        for start in range(0, len(self.ids), _PART):
            hashes[start : start + _PART] = [hash(name) for name in self.ids[start : start + _PART].to_list()]
        order = np.argsort(hashes, kind="stable")
        return hashes[order], order.astype(np.int32)

    def code(self, name: str) -> int:
        """Code of one id, −1 when unknown."""
        hashes, codes = self._hashes
        wanted = hash(name)
        for place in range(int(hashes.searchsorted(wanted)), len(hashes)):
            if hashes[place] != wanted:
                break
            if self.ids[int(codes[place])] == name:
                return int(codes[place])
        return -1

    def encode(self, names: Sequence[str] | pl.Series) -> Codes:
        """Codes (n,) of `names`, −1 where unknown."""
        if isinstance(names, pl.Series):
            return self._encode_series(names)
        return np.fromiter((self.code(name) for name in names), dtype=np.int64, count=len(names))

    def decode(self, codes: Codes) -> list[str]:
        """Ids of `codes`; every code must be ≥ 0."""
        return list(self.ids.gather(np.asarray(codes, dtype=np.int64)).to_list())

    def _encode_series(self, names: pl.Series) -> Codes:
        known = pl.DataFrame({"id": self.ids, "code": np.arange(len(self.ids), dtype=np.int64)})
        asked = pl.DataFrame({"id": names.cast(pl.String)})
        found = asked.join(known, on="id", how="left", maintain_order="left")["code"]
        return found.fill_null(-1).to_numpy()


def encode_sorted(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Code strings by the alphabetical place of their value.

    Args:
        names: n strings or null.

    Returns:
        (codes, ids): n UInt32 codes (null stays null) and the distinct strings in order.
    """
    # Faster than categories on several threads, and nothing stays in memory after it.
    column = pl.LazyFrame({"id": names})
    ids = column.drop_nulls().unique().collect()["id"].sort()
    known = pl.LazyFrame({"id": ids}).with_row_index("code")
    return column.join(known, on="id", how="left", maintain_order="left").select("code").collect()["code"], ids
