"""Fusion methods, one file each; importing this package registers them."""

from . import contrastive, distil, shared_bottom

__all__ = ["contrastive", "distil", "shared_bottom"]
