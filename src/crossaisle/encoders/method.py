"""The plug-in point of encoders: item rows in, vectors and a mask of readable rows out."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from ..registry import Registry
from ..types import Floats, Tensors

Bools = npt.NDArray[np.bool_]


class Encoder(Protocol):
    """Reads item rows (or user rows) that it may never have seen.

    Like a scorer it is saved without pickle: `state` gives named arrays and a JSON-able dict, `restore` takes them
    back and must give the same vectors.
    """

    name: ClassVar[str]

    @property
    def dim(self) -> int:
        """Width d of the vectors."""
        ...

    def encode(self, items: pl.DataFrame) -> tuple[Floats, Bools]:
        """Vectors (n, d) and a mask (n,) of the rows that could be read; vectors of the others are zero."""
        ...

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Everything needed to restore this encoder."""
        ...

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """The inverse of `state`."""
        ...


ENCODERS: Registry[type[Encoder]] = Registry("encoder", "crossaisle.encoders")
"""Name → class."""
