"""Problems: what is wrong with users' tables, all of it, each kind in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ..errors import DataError

EXAMPLES = 5
"""Rows shown per problem; the count tells of the rest."""


@dataclass(frozen=True)
class Problem:
    """One kind of mistake in one table.

    Attributes:
        table: its table.
        column: its column, ``""`` when the whole table is meant.
        sentence: what was got, what is allowed, what to do.
        rows: how many rows have it; 0 when the whole column or table is meant.
    """

    table: str
    column: str
    sentence: str
    rows: int = 0

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        return f"{where}: {self.sentence}"


@dataclass
class Findings:
    """Collects the problems of one table while its columns are checked.

    Attributes:
        table: name in messages.
        problems: in order of discovery.
        reasons: (name of column and fault, mask of n rows) of every fault that rows have.
    """

    table: str
    problems: list[Problem] = field(default_factory=list)
    reasons: list[tuple[str, pl.Series]] = field(default_factory=list)

    def whole(self, column: str, sentence: str) -> None:
        """Record a fault of a whole column or table; no row can be saved from it."""
        self.problems.append(Problem(self.table, column, sentence))

    def rows(self, column: str, mask: pl.Series, values: pl.Series | None, what: str, allowed: str) -> None:
        """Record the rows where `mask` is true.

        Args:
            column: the column.
            mask: (n,) booleans; null counts as false.
            values: (n,) what the user wrote, shown for the first rows; None shows row numbers only.
            what: fault after "row is" / "rows are".
            allowed: end of the sentence.
        """
        count = int(mask.sum())
        if count == 0:
            return
        places = mask.fill_null(False).arg_true().head(EXAMPLES)
        if values is None:
            shown = [f"row {i + 1}" for i in places]
        else:
            words = _words(values.gather(places))
            shown = [f"row {i + 1}: {word}" for i, word in zip(places, words, strict=True)]
        more = ["…"] if count > EXAMPLES else []
        verb = "1 row is" if count == 1 else f"{count:,} rows are"
        sentence = f"{verb} {what} ({'; '.join(shown + more)}); {allowed}."
        self.problems.append(Problem(self.table, column, sentence, count))
        self.reasons.append((f"{column} is {what}", mask.fill_null(False)))

    @property
    def bad(self) -> pl.Series | None:
        """(n,) True for rows with any fault; None when there is no such row."""
        if not self.reasons:
            return None
        union = self.reasons[0][1]
        for _, mask in self.reasons[1:]:
            union = union | mask
        return union


def refuse(name: str, problems: Sequence[Problem]) -> DataError:
    """The error that lists all `problems` of the data called `name`."""
    found = [str(p) for p in problems]
    by_row = any(p.rows for p in problems)
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    note = " (rows count from 1, the header is not counted)" if by_row else ""
    advice = "mend the data, or read it with `lenient` to set bad rows aside" if by_row else "mend the data"
    return DataError(f"{name} has {count}{note}; {advice}:", found)


def _words(values: pl.Series) -> list[str]:
    if isinstance(values.dtype, pl.Datetime):  # Python knows no year after 9999, wrong units have them
        return values.cast(pl.String).to_list()
    return [_show(v) for v in values]


def _show(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "…'"
