"""Table: what every reader yields. Rows stay lazy, so that a large file is read one column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from ..errors import DataError


@dataclass(frozen=True)
class Table:
    """One table as it was found, before any check.

    Attributes:
        name: ``interactions``, ``items``, ``users``, ``train``, ``valid``, ``test``, or the stem of its file.
        frame: its rows, read when asked for.
        source: the file, URL or words that messages show.
        typed: False where the source knows text only (CSV), so that the types of further columns are guessed.
    """

    name: str
    frame: pl.LazyFrame
    source: str
    typed: bool = True

    def column(self, name: str) -> pl.Series:
        """Read one column.

        Raises:
            DataError: the source broke while it was read.
        """
        try:
            return self.frame.select(name).collect().to_series()
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).split("\n")[0]
            raise DataError(
                f"{self.source}: column {name!r} cannot be read: {reason}; give it one type and write it anew."
            ) from error


Reader = Callable[[str], Iterator[Table]]
"""Path or URL → tables. One signature for files, folders and databases."""
