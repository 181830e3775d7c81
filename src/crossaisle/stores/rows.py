"""What a row may hold. All that is allowed comes back as it was; the rest is refused in a sentence.

- Text: 1 to 1,000 bytes of UTF-8 without the character NUL, any script and any quotes (longer ones fit in no index).
- Numbers: finite; positions count from 1.
- Times: naive, in UTC.
- Content and facts: what JSON can hold, with text as names and without tuples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Double, Integer, Table, Text

from ..errors import DataError

LONGEST = 1_000
"""Bytes of a text."""
Check = Callable[[Any], bool]


def row_of(table: Table, thing: object) -> dict[str, Any]:
    """The columns of `thing`, a dataclass whose fields are those of `table`.

    Raises:
        DataError: a field cannot be kept as it is.
    """
    row = dict(vars(thing))
    for name, fits, allowed, optional in _rules(table):
        value = row[name]
        if not (value is None and optional) and not fits(value):
            raise DataError(f"{_short(value)} is no {name} for {table.name}: {allowed} is needed; nothing was kept.")
    return row


def check_ids(ids: Sequence[str]) -> None:
    """Refuse what cannot be an id.

    Raises:
        DataError: one of `ids` is not what rows can hold.
    """
    for given in ids:
        if not _is_text(given):
            raise DataError(f"{_short(given)} is no id: {_TEXT} is needed.")


def _short(value: object) -> str:
    shown = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not value or "\0" in value:
        return False
    try:
        return len(value) <= LONGEST and len(value.encode()) <= LONGEST
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _is_position(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31


def _is_number_of_arrival(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is None


def _is_json(value: Any) -> bool:
    try:
        return isinstance(value, dict) and bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


_TEXT = f"text of 1 to {LONGEST:,} bytes (UTF-8) without NUL"
_KINDS: dict[type, tuple[Check, str]] = {
    Text: (_is_text, _TEXT),
    Double: (_is_number, "a finite number"),
    BigInteger: (_is_number_of_arrival, "a whole number from 0"),
    Integer: (_is_position, "a whole number from 1"),
    DateTime: (_is_time, "a date and time in UTC without a time zone of its own"),
    JSON: (_is_json, "a mapping of names to what JSON can hold"),
    Boolean: (lambda value: isinstance(value, bool), "true or false"),
}


@cache
def _rules(table: Table) -> list[tuple[str, Check, str, bool]]:
    """(name, check, what is allowed, whether nothing is too) of each column that the caller fills."""
    columns = [c for c in table.columns if c.name != "number"]
    return [(c.name, *_KINDS[type(c.type)], bool(c.nullable)) for c in columns]
