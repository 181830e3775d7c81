"""Base: the saved outcome of fusion."""
