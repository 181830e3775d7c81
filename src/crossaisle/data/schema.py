"""The columns that users bring: every name, type and rule of the data format, in this place and nowhere else.

The rules are applied by `crossaisle.data.validate`, column by column and vectorised, so that ten million rows are
checked within the memory of one column at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 1
"""Part of every cache key: raise it when the same files must be read anew."""

TableName = Literal["interactions", "items", "users"]
Kind = Literal["id", "text", "number", "whole", "time"]
DEFAULT_EVENT = "interaction"
"""What an event is called where the data do not say."""


@dataclass(frozen=True)
class Column:
    """One column of the format.

    Attributes:
        name: as users write it.
        kind: ``id`` (text or whole numbers, never empty), ``text``, ``number`` (finite), ``whole`` or ``time`` (UTC).
        about: one sentence for the docs.
        required: the table is refused without it.
        low: least allowed number.
        high: greatest allowed number.
        above: numbers must be greater than `low` rather than equal to it.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    above: bool = False

    @property
    def allowed(self) -> str:
        """What a cell may hold, as the end of an error message."""
        base = {
            "id": "text or a whole number is needed",
            "text": "text or nothing is needed",
            "number": "a number or nothing is needed",
            "whole": "a whole number or nothing is needed",
            "time": "a date and time such as 2017-12-31T23:59:59, or nothing, is needed",
        }[self.kind]
        limits = []
        if self.low is not None:
            limits.append(f"{'>' if self.above else '≥'} {self.low:g}")
        if self.high is not None:
            limits.append(f"≤ {self.high:g}")
        return base.replace("number", f"number {' and '.join(limits)}") if limits else base


def _columns(*columns: Column) -> Mapping[str, Column]:
    return {c.name: c for c in columns}


INTERACTIONS: Mapping[str, Column] = _columns(
    Column("user_id", "id", "who; the same id in two domains is the same person", required=True),
    Column("item_id", "id", "what; the same id in two domains is the same thing", required=True),
    Column("domain", "id", "category, market, shop or channel; may come from items or from `domain=`", required=True),
    Column("event", "id", f"view, click, cart, purchase, rating, …; {DEFAULT_EVENT!r} where absent or empty"),
    Column("timestamp", "time", "when, UTC; without it only splits without time work"),
    Column("value", "number", "rating, quantity or watch time"),
    Column("price", "number", "price of one unit", low=0),
    Column("currency", "text", "ISO code of `price`"),
    Column("propensity", "number", "probability with which a logged policy showed the item", low=0, high=1, above=True),
    Column("position", "whole", "place in the list that was shown", low=0),
)

ITEMS: Mapping[str, Column] = _columns(
    Column("item_id", "id", "what", required=True),
    Column("domain", "id", "where it is listed; one row per item and domain", required=True),
    Column("title", "text", "what people call it"),
    Column("description", "text", "longer text"),
    Column("brand", "text", "maker or label"),
    Column("category", "text", "finer than the domain"),
    Column("price", "number", "list price of one unit", low=0),
    Column("currency", "text", "ISO code of `price`"),
    Column("image", "text", "path of a picture, relative to the table"),
)

USERS: Mapping[str, Column] = _columns(
    Column("user_id", "id", "who; one row per user; further columns are attributes", required=True),
)

TABLES: Mapping[str, Mapping[str, Column]] = {"interactions": INTERACTIONS, "items": ITEMS, "users": USERS}

ALWAYS: Mapping[str, tuple[str, ...]] = {
    "interactions": ("timestamp", "value", "price"),
    "items": ("title", "description", "brand", "category", "price", "image"),
    "users": (),
}
"""Optional columns that a World always has, all null where the user brought none."""

PART = "part"
"""Column of interactions that a folder with train, valid and test files gives to its World."""

RESERVED = frozenset({"user", "item"})
"""Names of coded columns; user tables may not use them for attributes."""

LOGGED: Mapping[str, Column] = _columns(
    Column("item_id", "id", "what was shown", required=True),
    Column(
        "propensity", "number", "probability with which it was shown at that place", True, low=0, high=1, above=True
    ),
    Column("reward", "number", "what it earned: 1 for a click or purchase, else 0; or money", required=True),
    Column("position", "whole", "place in the list, 1 is first; 1 where absent", low=1),
    Column("user_id", "id", "who saw it; rows of one user are not independent"),
    Column("request_id", "id", "the list it stood in; what is independent where users are not known"),
    Column("candidate", "number", "the candidate's probability of the same item at that place", low=0, high=1),
)
"""A log of exposures for off-policy estimates (`crossaisle estimate`)."""

POLICY: Mapping[str, Column] = _columns(
    Column("item_id", "id", "what the candidate shows", required=True),
    Column("probability", "number", "with which probability at that place", required=True, low=0, high=1),
    Column("position", "whole", "place in the list, 1 is first; 1 where absent", low=1),
    Column("user_id", "id", "to whom; to everybody where absent"),
)
"""A candidate for off-policy estimates: for each place (and user) probabilities that add up to 1."""
