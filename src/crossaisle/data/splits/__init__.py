"""Splits, one family per file; `crossaisle.data.split` is the door."""
