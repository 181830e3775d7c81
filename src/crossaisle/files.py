"""Files written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .errors import StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        StorageError: with what the system said.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {path}: {reason}; free some space or name another place.") from error
