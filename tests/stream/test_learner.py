from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from queue import Queue

import polars as pl
import pytest

pytest.importorskip("sqlalchemy", reason="no stores: pip install crossaisle[serve]")
pytest.importorskip("psycopg", reason="no stores: pip install crossaisle[serve]")

from crossaisle.api import Recommender, transfer
from crossaisle.errors import ConfigError, StorageError
from crossaisle.stores import Event, Store, Version, open_store
from crossaisle.stream.diary import now_utc
from crossaisle.stream.growth import ids_of
from crossaisle.stream.learner import LESSON, Background, Learner
from crossaisle.stream.lesson import Teaching
from crossaisle.testing_world import LATE, START, tiny_world

WHOLE = tiny_world()
CUT = START + timedelta(weeks=LATE)
KNOWN = WHOLE.until(CUT)
ROWS = ids_of(WHOLE, WHOLE.interactions.filter(pl.col("timestamp") >= CUT).sort("timestamp"))
EVENTS = [Event(f"e{i}", *row[:5], price=row[6]) for i, row in enumerate(ROWS.iter_rows())]
HALF = len(EVENTS) // 2
NOW = START + timedelta(weeks=16)
WILLING = Teaching(people=10, margin=10.0)
"""Promotes whatever is not proved worse."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.sqlite")
    transfer(KNOWN, "cake", method="popularity").save(tmp_path / "first")
    made.add_version(Version("first", "first", now_utc()))
    made.promote("first")
    yield made
    made.close()


def states(store: Store) -> dict[str, str]:
    return {v.name: v.state for v in store.versions()}


def test_learns_promotes_and_rolls_back(store: Store, tmp_path: Path) -> None:
    store.add_events(EVENTS[:HALF])
    learner = Learner(store, KNOWN, tmp_path, WILLING)
    made = learner.step(NOW)
    assert made is not None
    assert made.promoted
    facts = made.version.facts
    shop = Recommender.load(tmp_path / made.version.path)
    learned = facts["last_event"]
    assert shop.facts["last_event"] == learned
    assert shop.history.counts.sum() == KNOWN.interactions.height + learned  # numbers of SQLite count from 1
    assert facts[LESSON]["judgement"]["users"] >= 10
    assert states(store) == {made.version.name: "current", "first": "previous"}
    assert store.roll_back().name == "first"
    assert learner.step(NOW) is None  # it was rolled back: the same events do not bring it back
    assert states(store) == {made.version.name: "retired", "first": "current"}
    store.add_events(EVENTS[HALF:])
    again = learner.step(NOW)
    assert again is not None
    assert again.version.facts["last_event"] > learned
    assert states(store)["first"] == "previous"


def test_what_hurts_is_kept_back(store: Store, tmp_path: Path) -> None:
    good = transfer(KNOWN, "cake", method="user_kernel")
    good.save(tmp_path / "good")
    store.add_version(Version("good", "good", now_utc()))
    store.promote("good")
    store.add_events(EVENTS)
    worse = Teaching(method="popularity", people=60, most_windows=21)
    made = Learner(store, KNOWN, tmp_path, worse).step(NOW)
    assert made is not None
    assert not made.promoted
    assert made.version.facts[LESSON]["judgement"]["difference"] < 0
    assert states(store)["good"] == "current"
    assert states(store)[made.version.name] == "candidate"


def test_an_interrupted_step_is_finished_by_the_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_events(EVENTS)

    def refuses(name: str) -> None:
        raise StorageError("the disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(store, "promote", refuses)
        with pytest.raises(StorageError):
            Learner(store, KNOWN, tmp_path, WILLING).step(NOW)
    assert states(store)["first"] == "current"
    made = Learner(store, KNOWN, tmp_path, WILLING).step(NOW)
    assert made is not None
    assert made.promoted
    assert states(store)[made.version.name] == "current"
    assert Learner(store, KNOWN, tmp_path, WILLING).step(NOW) is None


def test_who_asked_to_be_forgotten_is_not_learned(store: Store, tmp_path: Path) -> None:
    store.add_events(EVENTS)
    store.erase_users(["u20"])
    made = Learner(store, KNOWN, tmp_path, WILLING).step(NOW)
    assert made is not None
    shop = Recommender.load(tmp_path / made.version.path)
    assert shop.user_ids.code("u20") < 0
    assert shop.history.counts[KNOWN.user_ids.code("u20")].nnz == 0


def test_without_a_first_version_it_says_what_to_do(tmp_path: Path) -> None:
    empty = open_store(tmp_path / "empty.sqlite")
    with pytest.raises(ConfigError, match="promote a first one"):
        Learner(empty, KNOWN, tmp_path).step()
    empty.close()


def test_the_background_promotes_and_survives_errors(store: Store, tmp_path: Path) -> None:
    store.add_events(EVENTS)
    served: Queue[str] = Queue()
    faults = iter([StorageError("the disk is full."), ValueError("a fault")])

    def serve(name: str) -> None:
        for fault in faults:
            raise fault
        store.promote(name)
        served.put(name)

    background = Background(Learner(store, KNOWN, tmp_path, WILLING, promote=serve), 0.05)
    background.start()
    name = served.get(timeout=30)
    background.stop()
    assert states(store)[name] == "current"
    with pytest.raises(ConfigError, match="above 0"):
        Background(Learner(store, KNOWN, tmp_path), 0)
