"""A shop in service: two artifacts of the tiny World, a store in a folder, and a client with each role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="no service: pip install crossaisle[serve]")
pytest.importorskip("sqlalchemy", reason="no service: pip install crossaisle[serve]")

from serving import House, Open, house_in

from crossaisle.serve import Settings
from crossaisle.testing import case


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an artifact that reads content and two that do not."""
    folder = tmp_path_factory.mktemp("fitted")
    for method in ("zero_shot", "als", "item_knn"):
        case(method).recommender.save(folder / method)
    return folder


@pytest.fixture
def opened(fitted: Path, tmp_path: Path) -> Iterator[Open]:
    """Opens services over one data folder; they are closed at the end."""
    running: list[House] = []

    def start(method: str = "zero_shot", settings: Settings | None = None, keys: bool = False) -> House:
        made = house_in(tmp_path / "data", fitted / method, settings or Settings(), keys=keys)
        running.append(made)
        return made

    yield start
    for made in running:
        made.close()


@pytest.fixture
def house(opened: Open) -> House:
    return opened()
