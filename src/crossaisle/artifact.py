"""Artifact: a fitted thing as a folder of plain data, written whole or not at all; reading it runs no code.

The folder holds ``artifact.json`` (format, schema version, kind, library versions, size and SHA-256 of each file, and
the writer's own ``meta``), ``tensors.safetensors`` with all arrays, and one Parquet file for each table.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from .errors import ArtifactError, StorageError
from .types import History, Tensors

FORMAT = "crossaisle"
SCHEMA = 1
"""Raised when an older crossaisle could not read what this one writes."""
MANIFEST = "artifact.json"
TENSORS = "tensors.safetensors"
LIBRARIES = ("crossaisle", "numpy", "scipy", "torch", "polars", "safetensors")
_TABLE = re.compile(r"\w+\.parquet", re.ASCII)


def write(
    folder: str | Path,
    kind: str,
    tensors: Mapping[str, npt.NDArray[Any]],
    tables: Mapping[str, pl.DataFrame],
    meta: Mapping[str, Any],
) -> None:
    """Write an artifact to `folder`, which appears whole or not at all; an older artifact there is replaced.

    Args:
        folder: where; its parents are made. An existing folder must be empty or an artifact and nothing else.
        kind: what it is, for example ``"recommender"``; `read` asks for the same.
        tensors: name → array of plain numbers.
        tables: name (letters, digits, ``_``) → table.
        meta: JSON-able numbers and words of the writer; NumPy numbers are taken too.

    Raises:
        ArtifactError: `folder` holds something that is not an artifact.
        StorageError: the disk refused; the older artifact, if any, is untouched.
    """
    target = Path(os.path.realpath(folder))
    if not _replaceable(target):
        raise ArtifactError(
            f"{folder} exists and is more than a crossaisle artifact; choose another path or move it away."
        )
    part = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        part.mkdir(parents=True)
        _fill(part, kind, tensors, tables, meta)
        _put(part, target)
    # safetensors and polars report a full disk as errors of their own.
    except (OSError, SafetensorError, pl.exceptions.ComputeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"cannot write {folder}: {reason}; free some space or choose another path.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read(folder: str | Path, kind: str) -> tuple[Tensors, dict[str, pl.DataFrame], dict[str, Any]]:
    """The tensors, tables and meta that `write` was given.

    Args:
        folder: as given to `write`.
        kind: as given to `write`.

    Raises:
        ArtifactError: missing, foreign, damaged, of another kind, or written by a newer crossaisle.
    """
    target = _standing(Path(os.path.realpath(folder)))
    manifest = _manifest(target)
    if manifest is None:
        raise ArtifactError(f"{folder} is not a crossaisle artifact; give a folder that crossaisle saved.")
    if manifest["schema"] > SCHEMA:
        raise ArtifactError(
            f"{folder} has schema {manifest['schema']}, written by a newer crossaisle; this one reads up to {SCHEMA}: "
            "upgrade crossaisle."
        )
    if manifest["kind"] != kind:
        raise ArtifactError(f"{folder} holds a {manifest['kind']}, not a {kind}; give the folder of a {kind}.")
    for name, wanted in manifest["files"].items():
        _verify(target / name, wanted)
    tables = [n for n in manifest["files"] if n != TENSORS]
    read_tables = {n.removesuffix(".parquet"): pl.read_parquet(target / n, glob=False, parallel="none") for n in tables}
    return load_file(target / TENSORS), read_tables, manifest["meta"]


def pack_history(history: History) -> Tensors:
    """`history` as named arrays for `write`."""
    counts = history.counts
    named = {"counts": counts.data, "items": counts.indices, "starts": counts.indptr}
    return {f"history.{n}": t for n, t in (named | {"ages": history.ages, "users": history.users}).items()}


def unpack_history(tensors: Tensors, n_items: int) -> History:
    """The inverse of `pack_history`, over `n_items` item codes."""
    parts = tensors["history.counts"], tensors["history.items"], tensors["history.starts"]
    counts = sp.csr_matrix(parts, shape=(len(tensors["history.users"]), n_items))
    return History(counts, tensors["history.ages"], tensors["history.users"])


def _fill(
    part: Path,
    kind: str,
    tensors: Mapping[str, npt.NDArray[Any]],
    tables: Mapping[str, pl.DataFrame],
    meta: Mapping[str, Any],
) -> None:
    save_file({n: np.asarray(t, order="C") for n, t in tensors.items()}, part / TENSORS)
    for name, table in tables.items():
        table.write_parquet(part / f"{name}.parquet")
    manifest = {
        "format": FORMAT,
        "schema": SCHEMA,
        "kind": kind,
        "libraries": {"python": platform.python_version(), **_versions()},
        "files": {path.name: _seal(path) for path in sorted(part.iterdir())},
        "meta": dict(meta),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, default=_plain)
    (part / MANIFEST).write_text(text, encoding="utf-8")
    # safetensors lets nobody but the writer read; a service under another account has to, where the umask allows it.
    (part / TENSORS).chmod((part / MANIFEST).stat().st_mode)
    for path in part.iterdir():
        with path.open("rb+") as file:  # a full disk may show only here
            os.fsync(file.fileno())


def _put(part: Path, target: Path) -> None:
    # A full folder cannot be renamed over another: the old one steps aside, and `_standing` finds it there should
    # the power fail between the two renames.
    aside = _aside(target)
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
    os.rename(part, target)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.replaced")


def _standing(target: Path) -> Path:
    found = next((p for p in (target, _aside(target)) if p.is_dir()), None)
    if found is None:
        raise ArtifactError(f"there is no artifact at {target}; give the folder of a saved one.")
    return found


def _replaceable(target: Path) -> bool:
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    names = set(os.listdir(target))
    manifest = _manifest(target)
    return not names or (manifest is not None and names <= {MANIFEST, *manifest.get("files", ())})


def _manifest(folder: Path) -> dict[str, Any] | None:
    """What ``artifact.json`` says, with the fields of this schema or of a newer one; None when it is none of ours."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if found["format"] != FORMAT or not isinstance(found["schema"], int):
            return None
        if found["schema"] <= SCHEMA and not _complete(found):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(found)


def _complete(found: dict[str, Any]) -> bool:
    files = found["files"]
    fits = all(n == TENSORS or _TABLE.fullmatch(n) for n in files)
    sealed = all(isinstance(s["bytes"], int) and isinstance(s["sha256"], str) for s in files.values())
    return fits and sealed and TENSORS in files and isinstance(found["kind"], str) and isinstance(found["meta"], dict)


def _seal(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _verify(path: Path, wanted: Mapping[str, Any]) -> None:
    try:
        found = _seal(path)
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
        raise ArtifactError(f"{reason}; copy the artifact again or save it anew.") from None
    if found != wanted:
        size = f"{found['bytes']} of {wanted['bytes']} bytes" if found["bytes"] != wanted["bytes"] else "other content"
        raise ArtifactError(f"{path} is damaged ({size}); copy the artifact again or save it anew.")


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree
            continue
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"meta holds a {type(value).__name__}, which is not JSON-able")
