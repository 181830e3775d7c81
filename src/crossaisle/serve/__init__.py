"""Serve: the HTTP API, version 1. It needs the extra ``serve``."""

from .app import create_app
from .settings import Settings

__all__ = ["Settings", "create_app"]
