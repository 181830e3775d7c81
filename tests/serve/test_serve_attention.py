"""What came of the lists: clicks and purchases of what was shown."""

from __future__ import annotations

import re

import pytest
from serving import House

from crossaisle.serve import attention
from crossaisle.serve.attention import Attention
from crossaisle.stores.kinds import Event
from crossaisle.stream.diary import now_utc


def event(user: str, item: str, kind: str) -> Event:
    return Event(f"{user}-{item}-{kind}", user, item, "cake", kind, now_utc())


def test_an_item_of_a_list_counts_once() -> None:
    seen = Attention()
    seen.show("ann", ["a", "b"])
    met = [event("ann", "a", "click")] * 2 + [event("ann", "a", "purchase"), event("ann", "c", "click")]
    assert seen.meet([*met, event("bob", "a", "click"), event("ann", "b", "view")]) == {"clicked": 1, "bought": 1}
    assert seen.meet([event("ann", "a", "click"), event("ann", "b", "click")]) == {"clicked": 1}
    seen.show("ann", ["a"])
    assert seen.meet([event("ann", "a", "click"), event("ann", "b", "click")]) == {"clicked": 1}
    seen.forget("ann")
    assert seen.meet([event("ann", "a", "click")]) == {}


def test_who_was_shown_something_long_ago_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MOST", 2)
    seen = Attention()
    for user in ("ann", "bob", "ann", "cid"):
        seen.show(user, ["a"])
    assert seen.meet([event(user, "a", "click") for user in ("ann", "bob", "cid")]) == {"clicked": 2}


def test_the_service_counts(house: House) -> None:
    first, second, third = house.listed("u20", k=3)
    for n, (item, kind) in enumerate(((first, "click"), (first, "click"), (second, "purchase"), (third, "view"))):
        house.post("/v1/events", event_id=f"e{n}", user="u20", item=item, event=kind)
    found = dict(re.findall(r'crossaisle_items_total{what="(\w+)"} (\S+)', house.client.get("/metrics").text))
    assert found == {"shown": "3.0", "clicked": "1.0", "bought": "1.0"}
    house.ask("DELETE", "/v1/users/u20")
    house.post("/v1/events", event_id="late", user="u20", item=third, event="click")
    assert 'what="clicked"} 1.0' in house.client.get("/metrics").text
