"""Read Worlds kept on disk by the hash of their files, so that the same bytes are checked once."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from platformdirs import user_cache_path

from ..config import as_dict
from ..errors import StorageError
from . import fingerprint
from .schema import SCHEMA_VERSION, TABLES
from .vocab import Vocab
from .world import World

if TYPE_CHECKING:
    from .load import ReadOptions

_VOCABULARIES = ("user_ids", "item_ids", "domains", "events")
_NOT_CONTENT = ("cache", "cache_folder", "quarantine", "lenient")


def cache_folder(chosen: Path | None = None) -> Path:
    """`chosen`, else the environment variable CROSSAISLE_CACHE, else the platform's cache folder."""
    if chosen is not None:
        return chosen
    named = os.environ.get("CROSSAISLE_CACHE")
    return Path(named) if named else user_cache_path("crossaisle", appauthor=False)


def remember(paths: Mapping[str, Path], options: ReadOptions, fresh: Callable[[], World]) -> World:
    """The World of `paths` from the cache; built by `fresh` and kept when it is not there or damaged.

    Raises:
        StorageError: the cache cannot be written (nothing half-written is left).
    """
    asked: dict[str, Any] = {k: v for k, v in as_dict(options).items() if k not in _NOT_CONTENT}
    asked |= {"schema": SCHEMA_VERSION, "tables": list(paths)}
    key = fingerprint.of_files(paths.values(), asked)
    folder = cache_folder(options.cache_folder) / "worlds" / key
    known = load(folder)
    if known is not None:
        return known
    world = fresh()
    save(world, folder)
    return world


def save(world: World, folder: Path) -> None:
    """Write `world` to `folder` as Parquet and JSON; the folder appears whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name[:8]}-", dir=folder.parent))
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        _write(world, part)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part, folder)
    except (OSError, pl.exceptions.PolarsError) as error:
        shutil.rmtree(part, ignore_errors=True)
        if load(folder) is None:  # otherwise another process was faster
            raise _refused(folder, error) from error


def load(folder: Path) -> World | None:
    """The World that `save` wrote to `folder`; None when there is none, or it is damaged or of another version."""
    try:
        meta = json.loads((folder / "world.json").read_text(encoding="utf-8"))
        if meta["schema"] != SCHEMA_VERSION:
            return None
        frames = {t: pl.read_parquet(folder / f"{t}.parquet") for t in TABLES}
        words = {v: Vocab(pl.read_parquet(folder / f"{v}.parquet")["id"]) for v in _VOCABULARIES}
        found = fingerprint.of_tables(frames.values(), words.values())
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        return None
    if found != meta["fingerprint"]:
        return None
    parts: dict[str, Any] = {**frames, **words}
    return World(**parts, name=meta["name"], fingerprint=found, facts=meta["facts"])


def _write(world: World, folder: Path) -> None:
    for table in TABLES:
        getattr(world, table).write_parquet(folder / f"{table}.parquet", compression="lz4")
    for words in _VOCABULARIES:
        pl.DataFrame({"id": getattr(world, words).ids}).write_parquet(folder / f"{words}.parquet", compression="lz4")
    meta = {
        "schema": SCHEMA_VERSION,
        "name": world.name,
        "fingerprint": world.fingerprint,
        "facts": dict(world.facts),
    }
    (folder / "world.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")


def _refused(folder: Path, error: Exception) -> StorageError:
    reason = getattr(error, "strerror", None) or str(error)
    return StorageError(
        f"cannot keep the data in {folder.parent}: {reason}; free some space, set CROSSAISLE_CACHE to another "
        "folder, or read with cache=False."
    )
