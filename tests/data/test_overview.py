"""What a World holds, counted by hand, and what may be kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossaisle.data.overview import FACT, DomainOverview, Overview, fact_of
from crossaisle.data.world import World
from crossaisle.errors import ArtifactError, DataError

EVENTS = {
    "user_id": ["ann", "bob", "ann", "cid", "ann"],
    "item_id": ["earl-grey", "earl-grey", "teapot", "teapot", "mug"],
    "domain": ["tea", "tea", "kitchen", "kitchen", "kitchen"],
    "timestamp": ["2024-03-01T10:00:00", "2024-03-02", "2024-03-05 18:30", "2024-03-04", "2024-03-06"],
}
ITEMS = {
    "item_id": ["earl-grey", "teapot", "teapot", "bench"],
    "domain": ["tea", "tea", "kitchen", "garden"],
    "title": ["Earl Grey", None, "Teapot", "Bench"],
    "price": [4.5, None, None, 90.0],
}


def shop(**changes: Any) -> World:
    return World.from_frames(pl.DataFrame(EVENTS), pl.DataFrame(ITEMS), name="shop", **changes)


def test_it_counts_what_each_domain_has_and_shares_with_the_target() -> None:
    found = Overview.of(shop(), "tea")
    assert found.domains == (
        DomainOverview("tea", 2, 2, 2, "2024-03-01T10:00:00", "2024-03-02T00:00:00", 2, 2, 0.5, 0.5),
        # Ann is in both; the teapot is listed in both; the mug is sold and nowhere listed.
        DomainOverview("kitchen", 3, 2, 2, "2024-03-04T00:00:00", "2024-03-06T00:00:00", 1, 1, 0.5, 0.0),
        DomainOverview("garden", 0, 0, 1, None, None, 0, 0, 1.0, 1.0),
    )
    assert (found.users, found.items, found.timed, found.quarantined) == (3, 4, True, 0)
    assert found.read == {"interactions": 5, "items": 4}


def test_it_needs_neither_items_nor_times() -> None:
    world = World.from_frames(pl.DataFrame(EVENTS).drop("timestamp"))
    found = Overview.of(world, "kitchen")
    assert not found.timed
    assert found.domains[0] == DomainOverview("kitchen", 3, 2, 2, None, None, 2, 2, 0.0, 0.0)


def test_it_tells_why_rows_were_set_aside_without_their_values(tmp_path: Path) -> None:
    spoilt = pl.DataFrame(EVENTS).with_columns(price=pl.Series([1.0, -2.0, 1.0, 1.0, -7.0]))
    items = pl.concat([pl.DataFrame(ITEMS), pl.DataFrame(ITEMS)[:1]])
    world = World.from_frames(spoilt, items, lenient=True, quarantine=tmp_path / "bad.jsonl")
    found = Overview.of(world, "tea")
    assert found.quarantined == 3
    assert found.reasons == {
        "interactions: price is negative": 2,
        "items: item_id is listed before for the same item_id and domain": 1,
    }


def test_it_comes_back_from_json_and_names_nobody() -> None:
    text = json.dumps(fact_of(shop(), "tea"))
    assert Overview.from_document(json.loads(text)[FACT]) == Overview.of(shop(), "tea")
    assert not any(name in text for name in ("ann", "earl-grey"))


@pytest.mark.parametrize("body", [None, [], {"domains": 3}, {"domains": [{"domain": "tea"}]}, {"domains": []}])
def test_what_is_no_overview_is_refused_in_a_sentence(body: Any) -> None:
    with pytest.raises(ArtifactError, match="fit again"):
        Overview.from_document(body)


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(DataError, match="did you mean 'tea'"):
        Overview.of(shop(), "teas")
