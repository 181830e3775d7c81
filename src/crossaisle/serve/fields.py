"""Fields of requests: what a text, a number, a time and a list may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

LONGEST = 250


def _plain(text: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise ValueError("control characters are not allowed")
    text.encode()  # half of a surrogate pair is a ValueError too
    return text


def _naive(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 2200:
        raise ValueError("a time from 1970 to 2199 is needed")
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


Id = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_plain)]
Word = Annotated[str, Field(max_length=2_000), AfterValidator(_plain)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Time = Annotated[datetime, AfterValidator(_naive)]
Count = Annotated[int, Field(ge=1, le=1000)]
Items = Annotated[list[Id], Field(min_length=1, max_length=10_000)]
Session = Annotated[list[Id], Field(max_length=1_000)]
VersionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Allowed = Annotated[list[Id], Field(max_length=100_000)]
Categories = Annotated[list[Word], Field(max_length=1_000)]


def example(**fields: Any) -> ConfigDict:
    """Configuration of a model that refuses unknown fields, with an example of it."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})
