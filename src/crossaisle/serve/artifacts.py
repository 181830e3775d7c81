"""The service's own folder of artifacts: what is served lies there, so that people can be forgotten in it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from ..artifact import MANIFEST
from ..errors import ArtifactError, StorageError
from ..recommender import Recommender
from ..stores.kinds import Version
from ..stores.reading import erased_among
from ..stores.store import Store
from ..stream.diary import now_utc
from ..stream.forget import forget_in, without_users
from ..stream.snapshot import LAST_EVENT


def folders(artifacts: Path) -> list[Path]:
    """Every artifact of the folder, without what is being written there now."""
    found = sorted(p.parent for p in artifacts.rglob(MANIFEST))
    return [f for f in found if not any(part.startswith(".") for part in f.relative_to(artifacts).parts)]


def forget_everywhere(artifacts: Path, users: Sequence[str]) -> int:
    """Write every artifact anew that has any of `users`; returns how many had.

    Raises:
        ArtifactError: some cannot be read, so that nobody can be forgotten there; all others are done.
    """
    had, unread = 0, []
    for folder in folders(artifacts):
        try:
            had += forget_in(folder, users)
        except ArtifactError:
            unread.append(folder.name)
    if unread:
        raise ArtifactError(
            f"forgotten everywhere but in {', '.join(unread)}, which cannot be read; remove it from the service's "
            "folder of artifacts, and erase again."
        )
    return had


def entered(artifacts: Path) -> Callable[[], None]:
    """Come into the folder, and tidy where no other service is in; what is returned leaves it.

    Raises:
        StorageError: the disk refused.
    """
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        held = os.open(artifacts, os.O_RDONLY)
        if _alone(held):  # else what is half written may be what another service writes now
            tidy(artifacts)
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_SH)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {artifacts}: {reason}; free some space or name another folder.") from error
    return lambda: os.close(held)


def _alone(held: int) -> bool:
    """Whether nobody else is in the folder; a disk that knows no locks is for one service alone."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def tidy(artifacts: Path) -> None:
    """Clear what a power failure left: half-written folders go, an artifact that had stepped aside comes back."""
    for left in artifacts.glob(".*"):
        aside = left.name.removeprefix(".").removesuffix(".replaced")
        if left.name.endswith(".replaced") and not (artifacts / aside).exists():
            left.rename(artifacts / aside)
        elif left.is_dir():
            shutil.rmtree(left)


def inside(artifacts: Path, name: str) -> Path:
    """The folder `name` of `artifacts`.

    Raises:
        ArtifactError: it is not there, or not inside.
    """
    root = artifacts.resolve()
    found = (root / name).resolve()
    if root not in found.parents or not os.path.isfile(found / MANIFEST):  # of a name too long `Path` would raise
        raise ArtifactError(f"there is no artifact {name!r} in the service's folder of artifacts; copy it there first.")
    return found


def opened(path: Path, store: Store) -> Recommender:
    """The recommender of `path`, without those who asked to be forgotten, on disk neither.

    Raises:
        ArtifactError: missing or damaged.
    """
    shop = Recommender.load(path)
    gone = erased_among(store, shop.user_ids.ids)
    if gone:
        shop = without_users(shop, gone)
        shop.save(path)
    return shop


def adopted(source: Path, artifacts: Path, store: Store) -> tuple[str, Recommender | None]:
    """Copy the artifact `source` into the folder and make it a version; its name, and its recommender where it is new.

    Raises:
        StorageError: the disk refused.
    """
    manifest = source / MANIFEST
    if not manifest.is_file():
        raise ArtifactError(f"there is no artifact at {source}; give the folder of a saved one.")
    name = hashlib.sha256(manifest.read_bytes()).hexdigest()[:12]
    if any(v.name == name for v in store.versions()):
        return name, None
    target = artifacts / name
    _copy(source, target)
    try:
        shop = opened(target, store)
    except ArtifactError:
        shutil.rmtree(target)
        raise
    store.add_version(Version(name=name, path=name, made=now_utc(), facts=facts_of(shop, None)))
    return name, shop


def facts_of(shop: Recommender, last_event: int | None) -> dict[str, object]:
    """What is worth knowing of a version."""
    found: dict[str, object] = {
        "method": shop.method,
        "domain": shop.domain,
        "items": len(shop.catalogue),
        "users": len(shop.user_ids),
    }
    return found if last_event is None else found | {LAST_EVENT: last_event}


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, part)
        part.rename(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {target}: {reason}; free some space or name another store.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
