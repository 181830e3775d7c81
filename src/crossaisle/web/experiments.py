"""Experiments, on the page Live."""

from __future__ import annotations

from ..serve.service import Service
from .frame import empty


def experiments(service: Service) -> None:
    """Draw the experiments that run."""
    empty("No experiment runs here.")
