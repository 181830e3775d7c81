"""Fusion methods, one file each; importing this package registers them."""

from . import contrastive, distil, mmoe, ple, shared_bottom, star

__all__ = ["contrastive", "distil", "mmoe", "ple", "shared_bottom", "star"]
