"""Text by any sentence-transformers model; the English MiniLM that ships inside a package is the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl

from ..config import build
from ..data.cache import cache_folder
from ..errors import ArtifactError
from ..progress import tick
from ..types import Floats, Tensors
from . import text_model
from .method import ENCODERS, Bools
from .text_store import Halves, TextStore

_TASK = "encode texts"
_STEP = 256
_SHARD = 2048


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """Item texts → unit vectors of a sentence-transformers model (Reimers and Gurevych, 2019).

    The text of a row is its `fields` joined by commas; a field that the text already contains is left out. Each
    distinct text is encoded once per model and kept on disk. Another batch of texts may change a vector's last bit
    (of float16), because the processor adds up in another order; a text that is kept never changes.
    """

    name: ClassVar[str] = "text"

    model: str = "minilm"
    """``minilm`` (English, comes with ``crossaisle[text]``), a folder, or the owner/name of a model to download."""
    fields: tuple[str, ...] = ("title", "description", "brand", "category")
    """Columns that are joined, most telling first; absent ones are skipped."""
    max_tokens: int = 128
    """Longer texts are cut; the model's own limit holds as well."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 is nearly twice as fast on processors that have it (avx512_bf16, amx) and less exact (cosine .996)."""
    batch: int = 32
    """Texts per forward pass."""
    cache: bool = True
    """Keep vectors on disk."""
    folder: Path | None = None
    """Where to keep them instead of the usual cache folder."""
    expected: str = field(default="", repr=False)
    """Refuse model files of another identity than this; empty accepts any."""

    @property
    def dim(self) -> int:
        """Width of the vectors.

        Raises:
            ConfigError: the model cannot be loaded.
        """
        return self._store.dim or int(self._loaded.get_embedding_dimension())

    def texts(self, items: pl.DataFrame) -> pl.Series:
        """(n,) the joined text of each row; null where there is none."""
        text = pl.lit("")
        for name in (f for f in self.fields if f in items.columns):
            words = pl.col(name).cast(pl.String).fill_null("").str.strip_chars()
            known = text.str.to_lowercase().str.contains(words.str.to_lowercase(), literal=True)
            text = pl.when(known).then(text).when(text == "").then(words).otherwise(text + ", " + words)
        table = items.select(pl.when(text != "").then(text).alias("text"), n=pl.int_range(pl.len()))
        return table["text"]

    def encode(self, items: pl.DataFrame) -> tuple[Floats, Bools]:
        """Unit vectors (n, d) and a mask (n,) of the rows that have text; the others are zero.

        Raises:
            ConfigError: the text extra is missing, or the model cannot be loaded.
            ArtifactError: the model's files are not `expected`.
            StorageError: vectors cannot be kept.
        """
        texts = self.texts(items)
        mask = texts.is_not_null().to_numpy()
        distinct = texts.drop_nulls().unique()
        self._fill(self._store.missing(distinct.to_list()))
        vectors = np.zeros((len(items), self.dim), dtype=np.float32)
        if len(distinct):
            place = pl.DataFrame({"text": distinct, "row": np.arange(len(distinct))})
            rows = texts.drop_nulls().to_frame("text").join(place, on="text", how="left", maintain_order="left")
            vectors[mask] = self._store.get(distinct.to_list())[rows["row"].to_numpy()]
        return vectors, mask

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """See `Encoder.state`; the model's files stay where they are, their identity is kept."""
        told = {"model": self.model, "fields": list(self.fields), "max_tokens": self.max_tokens}
        return {}, {**told, "precision": self.precision, "expected": self.expected or self._identity}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        """See `Encoder.restore`; the model is loaded when a new text needs it."""
        return build(cls, meta, "text encoder")

    @cached_property
    def _identity(self) -> str:
        found = text_model.identity(self.model, max_tokens=self.max_tokens, precision=self.precision)
        if self.expected not in ("", found):
            raise ArtifactError(
                f"the text model {self.model!r} here has other files ({found[:8]}) than the one that was saved "
                f"({self.expected[:8]}); install the same version, or train again."
            )
        return found

    @cached_property
    def _store(self) -> TextStore:
        folder = (cache_folder(self.folder) / "texts" / self._identity) if self.cache else None
        return TextStore(folder)

    @cached_property
    def _loaded(self) -> Any:
        return text_model.load(self.model, self.max_tokens, self.precision)

    def _fill(self, texts: Sequence[str]) -> None:
        # Alike lengths in one batch: next to no padding. The longest first, so that the time left is not underrated.
        texts = sorted(texts, key=lambda t: (-len(t), t))
        for start in range(0, len(texts), _SHARD):
            shard = texts[start : start + _SHARD]
            parts = []
            for first in range(0, len(shard), _STEP):
                tick(_TASK, start + first, len(texts))
                parts.append(self._forward(shard[first : first + _STEP]))
            self._store.put(shard, np.concatenate(parts))
        if texts:
            tick(_TASK, len(texts), len(texts))

    def _forward(self, texts: Sequence[str]) -> Halves:
        raw = self._loaded.encode(list(texts), batch_size=self.batch, show_progress_bar=False)
        vectors: Floats = raw.astype(np.float32)
        # Here rather than in the model: the length of a vector is off by 0.3 % when bfloat16 divides by it.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        halves: Halves = (vectors / np.maximum(lengths, 1e-12)).astype(np.float16)
        return halves


ENCODERS.add(TextEncoder.name, TextEncoder)
