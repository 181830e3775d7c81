"""A service that learns: versions come by themselves, drift is told, experiments and people who leave are minded."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from serving import House, house_of

from crossaisle.api import transfer
from crossaisle.recommender import Recommender
from crossaisle.serve import Settings
from crossaisle.serve.learning import learn
from crossaisle.serve.start import started
from crossaisle.stores.kinds import Event
from crossaisle.stores.open import open_store
from crossaisle.stream.drift import Alarm, Watch
from crossaisle.stream.growth import frame_of_events, grown_world, ids_of
from crossaisle.stream.lesson import Teaching
from crossaisle.stream.lookout import Lookout
from crossaisle.testing_world import LATE, START, tiny_world

WHOLE = tiny_world()
CUT = START + timedelta(weeks=LATE)
KNOWN = WHOLE.until(CUT)
ROWS = ids_of(WHOLE, WHOLE.interactions.filter(pl.col("timestamp") >= CUT).sort("timestamp"))
EVENTS = [Event(f"e{i}", *row[:5], price=row[6]) for i, row in enumerate(ROWS.iter_rows())]
WILLING = Teaching(method="popularity", people=10, margin=10.0)
"""Promotes whatever is not proved worse."""


@pytest.fixture
def learning(tmp_path: Path) -> Any:
    """A service that learns from KNOWN and what comes, all the time."""
    transfer(KNOWN, "cake", method="popularity").save(tmp_path / "first")
    app = started(tmp_path / "first", open_store(tmp_path / "data"), tmp_path / "data" / "artifacts", Settings())
    learn(app.state.service, KNOWN, WILLING, every=0.05)
    house = house_of(tmp_path / "data", app)
    yield house
    house.close()


def send(house: House, events: list[Event]) -> None:
    body = [
        {"event_id": e.event_id, "user": e.user_id, "item": e.item_id, "domain": e.domain, "event": e.event,
         "timestamp": e.timestamp.isoformat(), "price": e.price} for e in events
    ]  # fmt: skip
    for first in range(0, len(body), 500):
        house.post("/v1/events/batch", events=body[first : first + 500])


def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def served(house: House) -> str:
    return str(house.client.get("/health").json()["version"])


def test_what_comes_is_learned_and_served(learning: House) -> None:
    first = served(learning)
    send(learning, EVENTS)
    until(lambda: served(learning) != first)
    listed = learning.client.get("/v1/versions").json()["versions"]
    current = next(v for v in listed if v["state"] == "current")
    assert current["name"].startswith("learned-")
    assert current["facts"]["lesson"]["judgement"]["users"] >= 10
    assert learning.post("/v1/recommend", user="u20")["version"] == current["name"]
    assert learning.ask("POST", "/v1/versions/rollback").json()["name"] == first


def test_nothing_is_learned_while_an_experiment_runs(learning: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "crossaisle")
    first, folder = served(learning), learning.folder / "artifacts"
    shutil.copytree(folder / first, folder / "other")
    learning.post("/v1/versions", name="other", artifact="other")
    learning.post("/v1/experiments", name="e", variants={first: 0.5, "other": 0.5})
    send(learning, EVENTS)
    until(lambda: "nothing learned: experiment 'e' is running" in caplog.text)
    assert not list(folder.glob("learned-*"))
    assert served(learning) == first
    learning.post("/v1/experiments/e/end")
    until(lambda: served(learning).startswith("learned-"))


def test_who_is_erased_during_a_lesson_is_in_no_artifact(learning: House, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Recommender.save

    def slow(shop: Recommender, folder: Path) -> None:
        if folder.name.startswith("learned-") and "u20" in shop.user_ids.ids:
            learning.service.store.erase_users(["u20"])  # the service cannot know of this folder yet
        saved(shop, folder)

    monkeypatch.setattr(Recommender, "save", slow)
    send(learning, EVENTS)
    store = learning.service.store
    until(lambda: any(v.name.startswith("learned-") for v in store.versions()) and all(store.is_erased(["u20"])))
    until(lambda: served(learning).startswith("learned-"))
    for version in store.versions():
        if version.name.startswith("learned-"):
            shop = Recommender.load(learning.folder / "artifacts" / version.path)
            assert shop.user_ids.code("u20") < 0


def drifting(days: int, change: int) -> list[Event]:
    """Forty people a day who buy cakes that are known, and from day `change` on others too."""
    draw, events = np.random.default_rng(0), []
    for day in range(days):
        for person in range(40):
            for n in range(3):
                new = day >= change and draw.random() < 0.5
                item = f"novel{draw.integers(5)}" if new else f"cake{draw.integers(10):02d}"
                at = datetime(2024, 7, 1, 9) + timedelta(days=day, minutes=10 * person + n)
                events.append(Event(f"d{day}-{person}-{n}", f"p{person}", item, "cake", "purchase", at))
    return events


def test_a_lookout_tells_of_each_day_once_when_it_is_over() -> None:
    pytest.importorskip("river", reason="no drift: pip install crossaisle[stream]")
    events, told = drifting(20, change=14), list[Alarm]()
    world, rows = grown_world(KNOWN, frame_of_events(list(enumerate(events, 1))))
    shop = transfer(KNOWN, "cake", method="popularity")
    lookout = Lookout(Watch(), KNOWN, told.append)
    for evening in range(1, 21):
        now = datetime(2024, 7, 1, 12) + timedelta(days=evening)
        lookout.look(world, rows.filter(pl.col("timestamp") < now), 0, shop, now)
        lookout.look(world, rows.filter(pl.col("timestamp") < now), 0, shop, now)
    unknown = [a for a in told if a.signal == "unknown_items"]
    assert [a.at.date().isoformat() for a in unknown] == ["2024-07-15"]  # the first day of the change, and once
    assert unknown[0].before < 0.05 < 0.3 < unknown[0].after


def test_what_a_version_has_learned_is_not_watched() -> None:
    pytest.importorskip("river", reason="no drift: pip install crossaisle[stream]")
    events, told = drifting(20, change=14), list[Alarm]()
    world, rows = grown_world(KNOWN, frame_of_events(list(enumerate(events, 1))))
    lookout = Lookout(Watch(), KNOWN, told.append)
    lookout.look(world, rows, 14 * 120, transfer(KNOWN, "cake", method="popularity"), datetime(2024, 9, 1))
    assert not [a for a in told if a.signal == "unknown_items"]  # all days that it looked at are alike


def test_alarms_are_answered_counted_and_logged(learning: House, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("river", reason="no drift: pip install crossaisle[stream]")
    assert learning.client.get("/v1/alarms").json() == {"watching": True, "alarms": []}
    send(learning, drifting(20, change=14))
    until(lambda: bool(learning.client.get("/v1/alarms").json()["alarms"]))
    alarm = learning.client.get("/v1/alarms").json()["alarms"][-1]
    assert alarm["sentence"]
    assert f'crossaisle_alarms_total{{signal="{alarm["signal"]}"}}' in learning.client.get("/metrics").text
    assert '"event": "alarm"' in capsys.readouterr().err


def test_a_service_that_does_not_learn_says_that_nothing_is_watched(house: House) -> None:
    assert house.client.get("/v1/alarms").json() == {"watching": False, "alarms": []}
