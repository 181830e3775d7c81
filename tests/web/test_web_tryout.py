"""Tryouts without a browser: small catalogues, and versions that change while somebody tries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from oddities import odd_world

from crossaisle.api import transfer
from crossaisle.serve import Settings
from crossaisle.serve.service import Service
from crossaisle.serve.start import started
from crossaisle.stores.kinds import Item
from crossaisle.stores.open import open_store
from crossaisle.web.tryout import NEW, Tryout, people, products, suggested


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    transfer(odd_world(), "kiosk", method="item_knn").save(tmp_path / "one")
    store = open_store(tmp_path / "data")
    made = started(tmp_path / "one", store, tmp_path / "artifacts", Settings()).state.service
    yield made
    made.close()


def test_a_catalogue_of_one_is_enough(service: Service) -> None:
    trial = Tryout()

    async def tried() -> None:
        (row,) = (await trial.answer(service)).rows
        assert (row.place, row.item.words, row.moved, row.fresh) == (1, "the only one", None, False)
        trial.met.append("only")
        shown = await trial.answer(service)
        assert (shown.rows, shown.had) == ((), {"kiosk": 1})

    asyncio.run(tried())


def test_a_method_that_cannot_place_a_new_product_says_so(service: Service) -> None:
    trial = Tryout(user="u3", new=Item(NEW, "kiosk", {"title": "newspaper"}))
    shown = asyncio.run(trial.answer(service))
    assert shown.new is None
    assert shown.refusal is not None
    assert "cannot score items it has not seen" in shown.refusal
    assert [r.item.id for r in shown.rows] == ["only"]


def test_searches_find_ids_and_titles_of_all_domains(service: Service) -> None:
    assert [f.id for f in people(service, "u/")] == ["u/ä 1?#"]
    assert [f.id for f in products(service, "übergröße")] == ["i/ü ☃"]
    assert [(f.id, f.words) for f in products(service, "bar")] == [("bare", "bare")]
    assert [f.words for f in products(service, "(")] == []
    assert {f.id for f in suggested(service)} <= {"u/ä 1?#", "u2", "u3", "u4"}


def test_what_moved_is_counted_from_what_was_seen(tmp_path: Path) -> None:
    transfer(odd_world(), "shop", method="item_knn").save(tmp_path / "shop")
    store = open_store(tmp_path / "data")
    service = started(tmp_path / "shop", store, tmp_path / "artifacts", Settings()).state.service
    trial = Tryout()

    async def tried() -> None:
        first = await trial.answer(service)
        trial.seen(first)
        trial.met.append("plain")
        for _ in range(2):  # an answer that nobody saw changes nothing
            shown = await trial.answer(service)
            moves = {r.item.id: r.moved for r in shown.rows}
            assert moves == {i: first.places[i] - place for i, place in shown.places.items()}
            assert "plain" not in moves
        trial.begin(None)
        assert {r.moved for r in (await trial.answer(service)).rows} == {None}

    asyncio.run(tried())
    service.close()
