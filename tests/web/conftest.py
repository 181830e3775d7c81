"""A browser, services to look at, and artifacts that they serve."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="no service: pip install crossaisle[serve]")
pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")

from browsing import ARGS, Look, Looked, Service, Start
from oddities import odd_world

from crossaisle.api import transfer
from crossaisle.serve.keyring import add_key
from crossaisle.stores.open import open_store
from crossaisle.testing import case


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One a module: while it is open, no other test of the process can run a loop of its own."""
    api = pytest.importorskip("playwright.sync_api", reason="no browser driver: pip install crossaisle[dev]")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no browser: install Chromium")
    with api.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=found, args=list(ARGS))
        yield made
        made.close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recommenders: one that reads content, and one over odd names that does not."""
    folder = tmp_path_factory.mktemp("artifacts")
    case("zero_shot").recommender.save(folder / "zero_shot")
    transfer(odd_world(), "shop", method="item_knn").save(folder / "odd")
    return folder


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with ExitStack() as running:

        def made(artifact: Path, *words: object, folder: Path | None = None) -> Service:
            service = Service(folder or tmp_path_factory.mktemp("service"), artifact, *words)
            running.callback(service.close)
            return service

        yield made


@pytest.fixture(scope="session")
def service(start: Start, artifacts: Path) -> Service:
    """The one that reads content, without keys."""
    return start(artifacts / "zero_shot")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the service that has keys."""
    return tmp_path_factory.mktemp("keyed")


@pytest.fixture(scope="session")
def secrets(folder: Path) -> dict[str, str]:
    """Name → secret; the name says the role, but that the key called gone is there to be removed."""
    store = open_store(folder / "data")
    made = {name: add_key(store, name, role) for name, role in (("read", "read"), ("admin", "admin"), ("gone", "read"))}
    store.close()
    return made


@pytest.fixture(scope="session")
def keyed(start: Start, artifacts: Path, folder: Path, secrets: dict[str, str]) -> Service:
    """The one over odd names, with keys."""
    return start(artifacts / "odd", folder=folder)


@pytest.fixture
def look(browser: Any) -> Iterator[Look]:
    """Opens pages; whatever a page asks for must come from its own service, and none may complain."""
    opened: list[Looked] = []
    with ExitStack() as stack:

        def made(service: Service, **how: Any) -> Looked:
            context = browser.new_context(**({"viewport": {"width": 1200, "height": 800}} | how))
            stack.callback(context.close)
            found = Looked(context.new_page(), service)
            found.page.set_default_timeout(10_000)
            found.page.on("request", lambda r: found.asked.append(r.url))
            found.page.on("websocket", lambda w: found.asked.append(w.url))
            found.page.on("pageerror", lambda e: found.complaints.append(str(e)))
            found.page.on("console", lambda m: found.complaints.append(m.text) if m.type == "error" else None)
            opened.append(found)
            return found

        yield made
    assert [f.foreign for f in opened if f.foreign] == []
    assert [f.complaints for f in opened if f.complaints] == []
