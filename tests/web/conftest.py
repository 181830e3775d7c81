"""A browser, services to look at, and artifacts that they serve."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("fastapi", reason="no service: pip install crossaisle[serve]")
pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")

from browsing import ARGS, Look, Looked, Service, Start

from crossaisle.api import World, transfer
from crossaisle.testing import case

ODD_USER, ODD_ITEM, SCRIPT = "u/ä 1?#", "i/ü ☃", "<script>window.broken = 1</script><b>bold</b>"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
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
    """Recommenders: one that reads content, one that does not, one over odd names, and one over a single item."""
    folder = tmp_path_factory.mktemp("artifacts")
    for method in ("zero_shot", "item_knn"):
        case(method).recommender.save(folder / method)
    transfer(odd_world(), "shop", method="item_knn").save(folder / "odd")
    transfer(odd_world(), "kiosk", method="item_knn").save(folder / "one")
    return folder


def odd_world() -> World:
    had = [
        (ODD_USER, ODD_ITEM),
        (ODD_USER, "plain"),
        ("u2", "plain"),
        ("u2", "script"),
        ("u2", "bare"),
        ("u3", ODD_ITEM),
    ]
    had += [("u3", "script"), ("u4", "bare"), ("u4", "script")]
    rows = [{"user_id": u, "item_id": i, "domain": "shop", "event": "purchase"} for u, i in had]
    rows += [{"user_id": "u2", "item_id": "only", "domain": "kiosk", "event": "purchase"}]
    titles = {ODD_ITEM: "Übergröße ☃", "plain": "plain bread", "script": SCRIPT, "bare": None}
    items = [{"item_id": i, "domain": "shop", "title": t} for i, t in titles.items()]
    items += [{"item_id": "only", "domain": "kiosk", "title": "the only one"}]
    return World.from_frames(pl.DataFrame(rows), pl.DataFrame(items))


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
