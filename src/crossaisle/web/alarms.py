"""Alarms of drift, on the page Live."""

from __future__ import annotations

from ..serve.service import Service
from .frame import empty


def alarms(service: Service) -> None:
    """Draw what drifted."""
    empty("Nothing watches for drift here.")
