"""Encoders: item rows in, vectors and a mask of readable rows out."""

from . import text  # noqa: F401  (registers itself)
