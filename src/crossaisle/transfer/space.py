"""Search spaces: the values among which an option of a method is chosen on held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both among them; whole numbers where both ends are.

    Attributes:
        low: least value.
        high: greatest value.
        log: draw evenly in the logarithm, for options whose size is what matters.
    """

    low: float
    high: float
    log: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


Space = Mapping[str, Range | tuple[Value, ...]]
"""Option → its range, or the values that it may take."""


def space_of(options: Any, kept: frozenset[str] = frozenset()) -> Space:
    """What is searched of `options`: the mapping ``search`` of their class, as far as they start within it.

    An option that starts outside its range means something else than a size, and is left as it is.

    Args:
        options: an options dataclass with the values to start from, or its class for the defaults.
        kept: options that somebody chose, and that stay so.
    """
    stated: Space = getattr(options, "search", {})
    return {name: values for name, values in stated.items() if name not in kept and getattr(options, name) in values}
