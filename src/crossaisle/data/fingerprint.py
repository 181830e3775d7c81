"""Fingerprint: a hash of a World's content that depends neither on the machine nor on library versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .vocab import Vocab

_ROWS = 1_000_000
_BYTES = 1 << 22


def of_tables(frames: Iterable[pl.DataFrame], vocabularies: Iterable[Vocab]) -> str:
    """32 hex digits for coded `frames` and their `vocabularies`; row order counts, column order does not."""
    digest = hashlib.blake2b(digest_size=16)
    for vocabulary in vocabularies:
        digest.update(f"|{len(vocabulary)}|".encode())
        _add(digest, vocabulary.ids)
    for frame in frames:
        digest.update(f"|{frame.height}|".encode())
        for name in sorted(frame.columns):
            digest.update(f"|{name}|".encode())
            _add(digest, frame[name])
    return digest.hexdigest()


def of_rows(whole: str, kept: pl.Series) -> str:
    """32 hex digits for the rows that the booleans `kept` (n,) leave of the content whose hash is `whole`."""
    digest = hashlib.blake2b(whole.encode(), digest_size=16)
    digest.update(np.packbits(kept.to_numpy()).tobytes())
    return digest.hexdigest()


def of_files(paths: Iterable[Path], options: dict[str, Any]) -> str:
    """32 hex digits for the bytes of `paths` (with their names) and JSON-able `options`."""
    digest = hashlib.blake2b(json.dumps(options, sort_keys=True, default=str).encode(), digest_size=16)
    for path in paths:
        digest.update(f"|{path.name}|{path.stat().st_size}|".encode())
        with path.open("rb") as file:
            while block := file.read(_BYTES):
                digest.update(block)
    return digest.hexdigest()


def _add(digest: Any, series: pl.Series) -> None:
    # Slices keep the copies small beside the column itself.
    for start in range(0, len(series), _ROWS):
        part = series.slice(start, _ROWS)
        if part.null_count():
            digest.update(b"|null|")
            digest.update(part.is_null().to_numpy().tobytes())
        dtype = part.dtype
        if isinstance(dtype, pl.Enum):
            digest.update("\x1f".join(dtype.categories).encode())
        if isinstance(dtype, (pl.Datetime, pl.Date, pl.Duration, pl.Enum)):
            part = part.to_physical()
        if part.dtype.is_numeric() and not part.dtype.is_decimal():
            digest.update(part.fill_null(0).to_numpy().tobytes())
        elif dtype == pl.String:
            digest.update("\x1f".join(part.fill_null("").to_list()).encode())
        else:
            digest.update(repr(part.to_list()).encode())
