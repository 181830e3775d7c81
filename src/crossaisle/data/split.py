"""What may be seen and what is asked: every split is one value of `Split`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True)
class Split:
    """Rows of ``World.interactions``, parted. Nothing in `test` or `hidden` may train anything.

    Attributes:
        train: visible rows of all domains.
        valid: rows of the target kept for selection (may be empty).
        test: rows of the target that are asked for, scored once.
        hidden: earlier rows of the target that the split pretends not to know; used only to tell *new* from *repeat*.
        kind: name of the split, printed in reports.
        cut: nothing in `train` is later (None when the data have no times).
        leaks_future: True for leave-last-out without a global cut; reports label it.
    """

    train: pl.DataFrame
    valid: pl.DataFrame
    test: pl.DataFrame
    hidden: pl.DataFrame
    kind: str
    cut: datetime | None = None
    leaks_future: bool = False
