"""Fusion methods, one file each; importing this package registers them."""

from . import shared_bottom

__all__ = ["shared_bottom"]
