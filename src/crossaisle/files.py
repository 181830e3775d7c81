"""Files written whole or not at all, and JSON documents read back."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import ArtifactError, StorageError


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


def read_json(path: Path, name: str, make: str) -> Any:
    """What the JSON file `path` holds.

    Args:
        path: of the file.
        name: that such files have, for the message.
        make: what makes one, for example ``run `crossaisle gap```.

    Raises:
        ArtifactError: missing, unreadable or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"there is no {path}; give a {name}, or {make}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is not a {name} ({error}); give one that crossaisle wrote.") from None


def check_schema(body: Any, where: str, known: int) -> None:
    """Refuse a document of a newer schema than the `known` one; `where` it stood is named.

    Raises:
        ArtifactError: it is newer.
    """
    version = body.get("schema_version") if isinstance(body, dict) else None
    if isinstance(version, int) and version > known:
        raise ArtifactError(f"{where} has schema {version}, this version reads {known}; upgrade crossaisle.")
