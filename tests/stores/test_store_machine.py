"""Any order of calls: the store says what a plain model in memory says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from crossaisle.errors import ConfigError
from crossaisle.stores import Event, Exposure, Item, Key, Marks, Trial, User, Version, open_store

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)
USERS = st.sampled_from(["ann", "Ann", "ann ", "a'n\"n", "安", "é", "e\u0301", "%"])
NAMES = st.sampled_from(["v1", "v2", "v3", "v4", "v5"])
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
CONTENT = st.dictionaries(
    st.text(), PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(st.text(), PLAIN, max_size=2)
)
EVENTS = st.builds(
    Event,
    event_id=st.sampled_from("abcdefghijkl"),
    user_id=USERS,
    item_id=TEXTS,
    domain=TEXTS,
    event=TEXTS,
    timestamp=st.datetimes(),
    value=NUMBERS,
    price=NUMBERS,
)
ITEMS = st.builds(Item, st.sampled_from("xyz"), st.sampled_from("de"), CONTENT, st.booleans())
EXPOSURES = st.builds(
    Exposure, st.sampled_from("rs"), USERS, TEXTS, st.integers(1, 3), st.floats(0, 1), TEXTS, st.datetimes()
)
KEYS = st.builds(Key, st.sampled_from("klm"), st.sampled_from(["read", "write", "admin"]), TEXTS, st.datetimes())


PEOPLE = st.builds(User, USERS, CONTENT)
TRIALS = st.sampled_from("tuv")


class Machine(RuleBasedStateMachine):
    """The model: lists and dicts that do the same in the plainest way."""

    def __init__(self, new_place: Callable[[], str]) -> None:
        super().__init__()
        self.new_place = new_place

    @initialize()
    def opened(self) -> None:
        self.place = self.new_place()
        self.store = open_store(self.place)
        self.events: dict[str, Event] = {}
        self.items: dict[tuple[str, str], Item] = {}
        self.exposures: dict[tuple[str, int], Exposure] = {}
        self.erased: set[str] = set()
        self.versions: dict[str, Version] = {}
        self.keys: dict[str, Key] = {}
        self.users: dict[str, User] = {}
        self.trials: dict[str, Trial] = {}
        self.puts = 0

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.place)

    @rule(events=st.lists(EVENTS, max_size=5))
    def add_events(self, events: list[Event]) -> None:
        before = len(self.events)
        for event in events:
            self.events.setdefault(event.event_id, event)
        assert self.store.add_events(events) == len(self.events) - before

    @rule(items=st.lists(ITEMS, max_size=3))
    def put_items(self, items: list[Item]) -> None:
        self.store.put_items(items)
        self.items.update({(i.domain, i.item_id): i for i in items})
        self.puts += bool(items)

    @rule(users=st.lists(PEOPLE, max_size=3))
    def put_users(self, users: list[User]) -> None:
        self.store.put_users(users)
        self.users.update({u.user_id: u for u in users})

    @rule(name=TRIALS, design=CONTENT, shown=st.integers(0, 2**60))
    def begin_trial(self, name: str, design: dict[str, Any], shown: int) -> None:
        trial = Trial(name, design, datetime(2024, 1, 1 + len(self.trials)), shown)
        running = any(t.ended is None for t in self.trials.values())
        self.same_or_refused(running or name in self.trials, lambda: self.store.begin_trial(trial))
        if not running:
            self.trials.setdefault(name, trial)

    @rule(name=TRIALS, ended=st.datetimes(), result=CONTENT)
    def end_trial(self, name: str, ended: datetime, result: dict[str, Any]) -> None:
        self.same_or_refused(name not in self.trials, lambda: self.store.end_trial(name, ended, result))
        if name in self.trials and self.trials[name].ended is None:
            self.trials[name] = replace(self.trials[name], ended=ended, result=result)

    @rule(exposures=st.lists(EXPOSURES, max_size=3))
    def add_exposures(self, exposures: list[Exposure]) -> None:
        before = len(self.exposures)
        for shown in exposures:
            self.exposures.setdefault((shown.request_id, shown.position), shown)
        assert self.store.add_exposures(exposures) == len(self.exposures) - before

    @rule(users=st.lists(USERS, max_size=2))
    def erase(self, users: list[str]) -> None:
        before = len(self.events) + len(self.exposures) + len(self.users)
        self.users = {k: u for k, u in self.users.items() if k not in users}
        self.events = {k: e for k, e in self.events.items() if e.user_id not in users}
        self.exposures = {k: e for k, e in self.exposures.items() if e.user_id not in users}
        self.erased.update(users)
        gone = before - len(self.events) - len(self.exposures) - len(self.users)
        assert self.store.erase_users(users) == gone

    @rule(name=NAMES, made=st.datetimes(), facts=CONTENT)
    def add_version(self, name: str, made: datetime, facts: dict[str, Any]) -> None:
        version = Version(name, f"/{name}", made, facts=facts)
        self.same_or_refused(name in self.versions, lambda: self.store.add_version(version))
        self.versions.setdefault(name, version)

    @rule(name=NAMES)
    def promote(self, name: str) -> None:
        self.same_or_refused(name not in self.versions, lambda: self.store.promote(name))
        if name in self.versions and self.versions[name].state != "current":
            self.move(previous="retired", current="previous")
            self.versions[name] = replace(self.versions[name], state="current")

    @rule()
    def roll_back(self) -> None:
        possible = any(v.state == "previous" for v in self.versions.values())
        self.same_or_refused(not possible, self.store.roll_back)
        if possible:
            self.move(current="retired", previous="current")

    @rule(key=KEYS)
    def add_key(self, key: Key) -> None:
        taken = key.name in self.keys or key.digest in {k.digest for k in self.keys.values()}
        self.same_or_refused(taken, lambda: self.store.add_key(key))
        if not taken:
            self.keys[key.name] = key

    @rule(name=st.sampled_from("klm"))
    def remove_key(self, name: str) -> None:
        assert self.store.remove_key(name) == (self.keys.pop(name, None) is not None)

    @invariant()
    def the_same(self) -> None:
        numbered = self.store.events()
        assert [e for _, e in numbered] == list(self.events.values())
        assert [n for n, _ in numbered] == sorted({n for n, _ in numbered})
        assert [e for _, e in self.store.exposures()] == list(self.exposures.values())
        assert list(self.store.items()) == [self.items[key] for key in sorted(self.items)]
        assert self.store.versions() == list(self.versions.values())[::-1]
        assert self.store.keys() == [self.keys[name] for name in sorted(self.keys)]
        assert list(self.store.users()) == [self.users[name] for name in sorted(self.users)]
        assert self.store.trials() == list(self.trials.values())[::-1]
        last, shown = (max((n for n, _ in rows), default=0) for rows in (numbered, self.store.exposures()))
        current = next((v.name for v in self.versions.values() if v.state == "current"), None)
        running = next((t.name for t in self.trials.values() if t.ended is None), None)
        assert self.store.marks() == Marks(last, shown, self.puts, len(self.erased), current, running)

    @rule(user=USERS)
    def ask(self, user: str) -> None:
        assert self.store.events_of(user) == [e for e in self.events.values() if e.user_id == user]
        assert self.store.is_erased([user]) == [user in self.erased]

    def teardown(self) -> None:
        self.store.close()

    def move(self, **states: Any) -> None:
        self.versions = {n: replace(v, state=states.get(v.state, v.state)) for n, v in self.versions.items()}

    def same_or_refused(self, refused: bool, call: Callable[[], object]) -> None:
        if refused:
            with pytest.raises(ConfigError):
                call()
        else:
            call()


def test_any_order_of_calls(new_place: Callable[[], str]) -> None:
    run_state_machine_as_test(
        lambda: Machine(new_place),
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
