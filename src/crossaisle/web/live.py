"""The page Live."""

from __future__ import annotations

from .frame import View, empty


async def page(view: View) -> None:
    """Fill the frame."""
    empty("Nothing to see here yet.")
