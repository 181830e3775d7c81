"""Text vectors kept on disk by the hash of their text: each text is encoded once per model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..files import write_whole

Halves = npt.NDArray[np.float16]
_MOST_SHARDS = 32
_KEY_BYTES = 16


class TextStore:
    """Text → vector, in memory and, where `folder` is given, in files that are added and never changed.

    A file is named by the hash of its bytes, so a damaged one is recognised, removed and encoded again. Vectors are
    halves (float16), in memory too, so that the first run and the second see the same numbers.

    Args:
        folder: where the files of one model are; None for memory only.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._rows: dict[bytes, Halves] = {}
        self._shards: list[Path] = []
        for path in sorted(folder.glob("*.safetensors")) if folder is not None else ():
            self._read(path)

    @property
    def dim(self) -> int | None:
        """Width of the vectors; None while there are none."""
        return next((len(row) for row in self._rows.values()), None)

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Those of `texts` that have no vector yet."""
        return [t for t in texts if _key(t) not in self._rows]

    def get(self, texts: Sequence[str]) -> Halves:
        """(n, d) vectors of `texts`; all must be there."""
        return np.stack([self._rows[_key(t)] for t in texts])

    def put(self, texts: Sequence[str], vectors: Halves) -> None:
        """Keep the vectors (n, d) of `texts`.

        Raises:
            StorageError: the disk refused; encode with ``cache=False`` to do without.
        """
        keys = [_key(t) for t in texts]
        self._rows.update(zip(keys, vectors, strict=True))
        if self.folder is None:
            return
        self._shards.append(self._write(keys, vectors))
        if len(self._shards) > _MOST_SHARDS:
            whole = self._write(list(self._rows), np.stack(list(self._rows.values())))
            for path in self._shards:
                if path != whole:
                    path.unlink(missing_ok=True)
            self._shards = [whole]

    def _read(self, path: Path) -> None:
        try:
            data = path.read_bytes()
            sound = path.stem == _digest(data)
            parts = load(data) if sound else {}
        except (OSError, SafetensorError):
            return  # another process merged it away, or it may not be read: its texts are encoded again
        if not sound:
            path.unlink(missing_ok=True)
            return
        keys = parts["keys"].tobytes()
        starts = range(0, len(keys), _KEY_BYTES)
        self._rows.update(zip((keys[s : s + _KEY_BYTES] for s in starts), parts["vectors"], strict=True))
        self._shards.append(path)

    def _write(self, keys: Sequence[bytes], vectors: Halves) -> Path:
        assert self.folder is not None
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        data = save({"keys": table, "vectors": np.ascontiguousarray(vectors)})
        path = self.folder / f"{_digest(data)}.safetensors"
        write_whole(path, data)
        return path


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
