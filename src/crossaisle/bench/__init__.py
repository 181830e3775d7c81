"""Benchmarks on public splits: every method on the given lists of candidates, beside published numbers."""
