"""Base: the saved outcome of fusion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Base:
    """Placeholder while the network is written."""
