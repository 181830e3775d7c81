"""Fusion methods, one file each; importing this package registers them."""

from . import contrastive, distil, esmm, mmoe, ple, shared_bottom, star

__all__ = ["contrastive", "distil", "esmm", "mmoe", "ple", "shared_bottom", "star"]
