"""Starting: from an artifact and a store to an app."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from .. import fusion, transfer  # noqa: F401 - importing registers the scorers that artifacts name
from ..stores.kinds import Version
from ..stores.store import Store
from ..stream.live import Live
from .app import create_app
from .artifacts import adopted, entered, inside, opened
from .logs import log
from .settings import Settings


def started(artifact: Path, store: Store, artifacts: Path, settings: Settings) -> FastAPI:
    """The app that serves `artifact`, or what was promoted after it was first served.

    Raises:
        ArtifactError: it is missing or damaged.
        StorageError: the disk or database refused.
    """
    leave = entered(artifacts)
    try:
        app = _started(artifact, store, artifacts, settings)
    except BaseException:
        leave()
        raise
    app.state.service.at_last.append(leave)
    return app


def _started(artifact: Path, store: Store, artifacts: Path, settings: Settings) -> FastAPI:
    name, shop = adopted(artifact, artifacts, store)
    current = _current(store)
    if shop is not None or current is None:
        store.promote(name)
        current = _current(store)
    assert current is not None
    if current.name != name:
        log("other version", {"served": current.name, "asked": name, "advice": "POST /v1/versions/NAME/promote"})
    if shop is None:
        shop = opened(inside(artifacts, current.path), store)
    log("serving", {"version": current.name, "method": shop.method, "items": len(shop.catalogue)})
    return create_app(Live(store, current, shop), store, artifacts, settings)


def _current(store: Store) -> Version | None:
    return next((v for v in store.versions() if v.state == "current"), None)
