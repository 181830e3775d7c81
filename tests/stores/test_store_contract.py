"""What every store does, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossaisle.errors import ConfigError, DataError
from crossaisle.stores import Event, Exposure, Item, Key, Marks, Store, Trial, User, Version, open_store

NOON = datetime(2024, 5, 1, 12)
EVENT = Event("e1", "ann", "bread", "bakery", "purchase", NOON, 2.0, 1.5)
SHOWN = Exposure("r1", "ann", "bread", 1, 0.25, "v1", NOON)
ODD = ('o\'neil "x"', "用户", "e\u0301", "é", "a", "A", " a ", "%", "\\", "'; DROP TABLE events; --", "x" * 1_000, "\n")


def events(n: int, user: str = "ann") -> list[Event]:
    return [replace(EVENT, event_id=f"{user}{i}", user_id=user) for i in range(n)]


def versioned(store: Store, *names: str) -> None:
    for name in names:
        store.add_version(Version(name, f"/artifacts/{name}", NOON, facts={"quality": 0.1}))
        store.promote(name)


def states(store: Store) -> dict[str, str]:
    return {v.name: v.state for v in store.versions()}


def test_events_come_back_as_they_went(store: Store) -> None:
    bare = Event("e2", "ann", "roll", "bakery", "view", NOON.replace(microsecond=123456))
    assert store.add_events([EVENT, bare]) == 2
    assert [e for _, e in store.events()] == [EVENT, bare]
    assert store.events_of("ann") == [EVENT, bare]
    assert store.events_of("ann", limit=1) == [bare]
    assert store.events_of("bob") == []


def test_an_event_twice_is_one(store: Store) -> None:
    assert store.add_events([EVENT, replace(EVENT, item_id="roll")]) == 1
    assert store.add_events([EVENT]) == 0
    assert store.add_events([EVENT, replace(EVENT, event_id="e2")]) == 1
    assert store.add_events([]) == 0
    assert [e.item_id for e in store.events_of("ann")] == ["bread", "bread"]


def test_what_is_kept_outlives_the_process_that_kept_it(place: str) -> None:
    first = open_store(place)
    first.add_events([EVENT])
    first.erase_users(["bob"])
    first.close()
    again = open_store(place)
    assert again.events_of("ann") == [EVENT]
    assert again.is_erased(["bob", "ann"]) == [True, False]  # the salt stays the same
    again.close()


def test_a_clock_that_jumps_back_loses_nothing(store: Store) -> None:
    sent = [replace(EVENT, event_id=f"e{i}", timestamp=NOON - i * timedelta(days=400)) for i in range(6)]
    store.add_events(sent[:3])
    read = store.events()
    store.add_events(sent[3:])
    read += store.events(after=read[-1][0])
    assert [e for _, e in read] == sent
    assert store.events_of("ann", limit=2) == sent[-2:]


def test_events_are_read_in_pages(store: Store) -> None:
    store.add_events(events(25))
    read, last = [], 0
    while page := store.events(after=last, limit=10):
        read += [e for _, e in page]
        last = page[-1][0]
    assert read == events(25)


def test_numbers_are_not_given_again_after_erasing(store: Store) -> None:
    store.add_events(events(3))
    last = store.events()[-1][0]
    store.erase_users(["ann"])
    store.add_events(events(1, "bob"))
    assert [e.user_id for _, e in store.events(after=last)] == ["bob"]


def test_items_are_replaced_by_id_and_domain(store: Store) -> None:
    bread = Item("bread", "bakery", {"title": 'Bröd "1"', "price": 2.5, "tags": ["a", None, {"b": True}]})
    store.put_items([bread, Item("bread", "deli"), Item("roll", "bakery")])
    store.put_items([replace(bread, available=False), Item("roll", "bakery"), Item("roll", "bakery", {"price": 1})])
    assert list(store.items("bakery")) == [replace(bread, available=False), Item("roll", "bakery", {"price": 1})]
    assert list(store.items()) == [*store.items("bakery"), Item("bread", "deli")]
    assert list(store.items("attic")) == []


def test_items_of_several_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.sql_base.AT_ONCE", 3)
    wanted = [Item(f"i{i}", d) for d in ("bakery", "deli") for i in range(5)]
    store.put_items(wanted[::-1])
    assert list(store.items()) == wanted
    assert list(store.items("deli")) == wanted[5:]


def test_users_are_replaced_by_id_and_erased(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.sql_base.AT_ONCE", 2)
    store.put_users([User(f"u{i}", {"language": "fi"}) for i in range(5)])
    store.put_users([User("u1", {"tags": ["loyal", None]}), User("u9")])
    assert list(store.users())[:2] == [User("u0", {"language": "fi"}), User("u1", {"tags": ["loyal", None]})]
    assert store.erase_users(["u1", "u2"]) == 2
    assert [u.user_id for u in store.users()] == ["u0", "u3", "u4", "u9"]


TRIAL = Trial("new-blend", {"variants": {"old": 0.5, "new": 0.5}}, NOON, 12)


def test_one_experiment_runs_at_a_time(store: Store) -> None:
    store.begin_trial(TRIAL)
    assert store.trials() == [TRIAL]
    with pytest.raises(ConfigError, match=r"experiment 'new-blend' is running; end it first"):
        store.begin_trial(replace(TRIAL, name="other"))
    with pytest.raises(ConfigError, match=r"there is an experiment 'new-blend' already; choose another name"):
        store.begin_trial(TRIAL)
    store.end_trial("new-blend", NOON + timedelta(days=3), {"word": "win"})
    store.end_trial("new-blend", NOON + timedelta(days=4), {"word": "harm"})  # it has ended: nothing changes
    ended = replace(TRIAL, ended=NOON + timedelta(days=3), result={"word": "win"})
    assert store.trials() == [ended]
    later = replace(TRIAL, name="other", begun=NOON + timedelta(days=5))
    store.begin_trial(later)
    assert store.trials() == [later, ended]
    with pytest.raises(ConfigError, match=r"unknown experiment 'othr': did you mean 'other'"):
        store.end_trial("othr", NOON, {})
    with pytest.raises(DataError, match=r"-1 is no shown for experiments: a whole number from 0 is needed"):
        store.begin_trial(replace(TRIAL, name="third", shown=-1))


def test_marks_tell_what_has_changed(store: Store) -> None:
    assert store.marks() == Marks(0, 0, 0, 0, None, None)
    store.add_events(events(3))
    store.add_exposures([Exposure("r", "ann", "bread", p, 1.0, "v1", NOON) for p in (1, 2)])
    store.put_items([Item("bread", "bakery")])
    store.put_items([Item("bread", "bakery"), Item("roll", "bakery")])
    store.put_users([User("ann")])
    versioned(store, "v1")
    store.begin_trial(TRIAL)
    assert store.marks() == Marks(store.events()[-1][0], store.exposures()[-1][0], 2, 0, "v1", "new-blend")
    store.erase_users(["ann", "bob"])
    store.end_trial("new-blend", NOON, {})
    assert store.marks() == Marks(0, 0, 2, 2, "v1", None)


def test_exposures_are_numbered_and_kept_once(store: Store) -> None:
    second = replace(SHOWN, position=2, item_id="roll")
    assert store.add_exposures([SHOWN, second]) == 2
    assert store.add_exposures([SHOWN, replace(SHOWN, request_id="r2")]) == 1
    (first, shown), *rest = store.exposures()
    assert shown == SHOWN
    assert store.exposures(after=first) == rest
    assert [e for _, e in rest] == [second, replace(SHOWN, request_id="r2")]


def test_erasing_takes_the_rows_of_these_users_alone(store: Store) -> None:
    for user in ("ann", "bob", "cid"):
        store.add_events(events(2, user))
        store.add_exposures([replace(SHOWN, request_id=user, user_id=user)])
    assert store.erase_users(["ann", "cid", "nobody"]) == 6
    assert [e.user_id for _, e in store.events()] == ["bob", "bob"]
    assert [e.user_id for _, e in store.exposures()] == ["bob"]
    assert store.is_erased(["ann", "bob", "cid", "nobody"]) == [True, False, True, True]
    assert store.erase_users(["ann"]) == 0
    assert store.erase_users([]) == 0


def test_who_comes_back_has_what_came_since(store: Store) -> None:
    store.add_events([EVENT])
    store.erase_users(["ann"])
    assert store.add_events([EVENT]) == 1
    assert store.events_of("ann") == [EVENT]
    assert store.is_erased(["ann"]) == [True]


def test_many_users_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.stores.sql_base.AT_ONCE", 2)
    users = [f"u{i}" for i in range(5)]
    store.add_events([e for u in users for e in events(1, u)])
    assert store.erase_users(users[:-1]) == 4
    assert store.is_erased(users) == [True] * 4 + [False]


def test_promoting_and_one_step_back(store: Store) -> None:
    versioned(store, "v1", "v2", "v3")
    assert states(store) == {"v3": "current", "v2": "previous", "v1": "retired"}
    store.promote("v3")
    assert states(store)["v3"] == "current"
    back = store.roll_back()
    assert back == Version("v2", "/artifacts/v2", NOON, "current", {"quality": 0.1})
    assert states(store) == {"v3": "retired", "v2": "current", "v1": "retired"}
    with pytest.raises(ConfigError, match=r"no previous version to go back to; promote one of `versions\(\)`"):
        store.roll_back()
    store.promote("v1")
    store.promote("v2")
    assert states(store) == {"v3": "retired", "v2": "current", "v1": "previous"}


def test_versions_that_cannot_be(store: Store) -> None:
    versioned(store, "v1")
    with pytest.raises(ConfigError, match=r"unknown version 'v2': did you mean 'v1'"):
        store.promote("v2")
    with pytest.raises(ConfigError, match=r"there is a version 'v1' already; choose another name"):
        store.add_version(Version("v1", "elsewhere", NOON))
    with pytest.raises(ConfigError, match=r"version 'v3' is 'current'; add it as 'candidate' and promote it"):
        store.add_version(Version("v3", "elsewhere", NOON, "current"))
    assert states(store) == {"v1": "current"}


def test_keys(store: Store) -> None:
    reader, admin = Key("shop", "read", "ab" * 32, NOON), Key("boss", "admin", "cd" * 32, NOON)
    store.add_key(reader)
    store.add_key(admin)
    assert store.keys() == [admin, reader]
    for taken in (replace(reader, digest="ef"), replace(reader, name="other")):
        with pytest.raises(ConfigError, match=r"or one with the same secret; choose another"):
            store.add_key(taken)
    assert store.remove_key("shop")
    assert not store.remove_key("shop")
    assert store.keys() == [admin]


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_ids_stay_as_they_are(store: Store, text: str) -> None:
    event = Event(text, text, text, text, text, NOON)
    store.add_events([event, EVENT])
    assert store.events_of(text) == [event]
    store.put_items([Item(text, text, {text: text})])
    assert list(store.items(text)) == [Item(text, text, {text: text})]
    assert store.erase_users([text]) == 1
    assert [e for _, e in store.events()] == [EVENT]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"user_id": ""}, r"^'' is no user_id for events: text of 1 to 1,000 bytes \(UTF-8\) without NUL is needed"),
        ({"user_id": "a\0b"}, r"'a\\x00b' is no user_id"),
        ({"item_id": "用" * 334}, r"^'用{59}… is no item_id"),
        ({"event": "\ud800"}, r"'\\ud800' is no event"),
        ({"event_id": 7}, r"^7 is no event_id"),
        ({"domain": None}, r"^None is no domain"),
        ({"value": float("nan")}, r"^nan is no value for events: a finite number is needed; nothing was kept\.$"),
        ({"price": 10**400}, r"is no price"),
        ({"price": "1"}, r"^'1' is no price"),
        (
            {"timestamp": NOON.replace(tzinfo=UTC)},
            r"is no timestamp .* in UTC without a time zone of its own is needed",
        ),
    ],
)
def test_an_event_that_cannot_be_kept_is_refused_with_all_beside_it(
    store: Store, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        store.add_events([EVENT, replace(EVENT, event_id="e2"), replace(EVENT, **{"event_id": "e3", **change})])
    assert store.events() == []


@pytest.mark.parametrize("content", [{"a": float("inf")}, {1: 2}, {"a": (1, 2)}, {"a": NOON}, ["a"]], ids=repr)
def test_content_that_json_cannot_hold_is_refused(store: Store, content: Any) -> None:
    with pytest.raises(DataError, match=r"is no content for items: a mapping of names to what JSON can hold is needed"):
        store.put_items([Item("bread", "bakery", content)])


@pytest.mark.parametrize("position", [0, 2**31, 1.0, True])
def test_positions_count_from_one(store: Store, position: Any) -> None:
    with pytest.raises(DataError, match=r"is no position for exposures: a whole number from 1 is needed"):
        store.add_exposures([replace(SHOWN, position=position)])


def test_ids_in_questions_are_checked_too(store: Store) -> None:
    for ask in (store.events_of, store.remove_key, lambda u: store.erase_users([u]), lambda u: store.is_erased([u])):
        with pytest.raises(DataError, match=r"'a\\x00' is no id: text of 1 to 1,000 bytes"):
            ask("a\0")


def test_writers_side_by_side_and_a_reader_who_misses_nothing(place: str) -> None:
    """Two processes' stores, three threads each; numbers must become visible in their order."""
    stores = [open_store(place) for _ in range(2)]
    wanted = {f"w{w}-{i}" for w in range(6) for i in range(25)}

    def write(w: int) -> None:
        for i in range(25):
            stores[w % 2].add_events([replace(EVENT, event_id=f"w{w}-{i}")])

    writers = [threading.Thread(target=write, args=(w,)) for w in range(6)]
    for writer in writers:
        writer.start()
    read: list[str] = []
    last, alive = 0, True
    while alive:
        alive = any(w.is_alive() for w in writers)  # asked before reading: the last page is read after the last writer
        page = stores[0].events(after=last)
        read += [event.event_id for _, event in page]
        last = page[-1][0] if page else last
    assert len(read) == len(wanted)
    assert set(read) == wanted
    for store in stores:
        store.close()


def test_promotions_side_by_side_leave_one_current(store: Store) -> None:
    versioned(store, "v1", "v2", "v3", "v4")
    threads = [threading.Thread(target=store.promote, args=(f"v{1 + i % 4}",)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(states(store).values())
    assert found == ["current", "previous", "retired", "retired"]
