"""Encoders: item rows in, vectors and a mask of readable rows out; importing this package registers them."""

from . import attributes, ids, text

__all__ = ["attributes", "ids", "text"]
