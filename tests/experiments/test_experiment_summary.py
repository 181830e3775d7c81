"""Outcomes → summary → decision, with users whose numbers are known."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from crossaisle.errors import DataError
from crossaisle.experiments import Experiment, Rule, Summary, log_of, outcomes_of, read_log, summary
from crossaisle.experiments.assignment import MetricName
from crossaisle.experiments.decision import mismatch
from crossaisle.stores.kinds import Event, Exposure

START = datetime(2026, 1, 1)
HALVES = {"old": 0.5, "new": 0.5}


def played(experiment: Experiment, n: int, rates: dict[str, float], worth: dict[str, float] | None = None) -> Summary:
    """n users who buy by the rate of their variant, for what it earns."""
    users = [f"u{i}" for i in range(n)]
    variants = [experiment.variant_of(u) for u in users]
    bought = np.random.default_rng(3).random(n) < np.array([rates[v] for v in variants])
    revenue = bought * np.array([(worth or {}).get(v, 1.0) for v in variants])
    frame = pl.DataFrame({"user_id": users, "exposures": 5, "clicks": bought.astype(int), "bought": bought.astype(int)})
    return summary(experiment, frame.with_columns(revenue=pl.Series(revenue)))


def bought_by(rule: Rule, guards: tuple[MetricName, ...] = ()) -> Experiment:
    return Experiment("x", HALVES, metric="cvr", guards=guards, rule=rule)


def test_a_clear_winner_wins() -> None:
    found = played(bought_by(Rule(users=4000)), 4000, {"old": 0.1, "new": 0.2})
    assert (found.decision.word, found.decision.variant) == ("win", "new")
    assert "promote" in found.decision.sentence
    gain = found.differences["new"]["cvr"]
    assert 0 < float(gain.low) < 0.1 < float(gain.high)


def test_a_harmful_variant_is_stopped() -> None:
    found = played(bought_by(Rule(users=4000)), 4000, {"old": 0.2, "new": 0.1})
    assert (found.decision.word, found.decision.variant, dict(found.decision.stopped)) == (
        "harm",
        "old",
        {"new": "harm"},
    )


def test_a_guard_stops_what_the_metric_likes() -> None:
    rates, worth = {"old": 0.2, "new": 0.3}, {"old": 4.0, "new": 1.0}
    guarded = played(bought_by(Rule(users=4000), ("revenue",)), 4000, rates, worth)
    assert guarded.decision.word == "harm"
    assert played(bought_by(Rule(users=4000)), 4000, rates, worth).decision.word == "win"


def test_without_a_difference_it_goes_on_until_it_is_futile_or_over() -> None:
    same = {"old": 0.2, "new": 0.2}
    assert played(bought_by(Rule(users=4000)), 4000, same).decision.word == "go on"
    assert played(bought_by(Rule(users=4000, least=0.5)), 4000, same).decision.word == "futile"
    over = played(bought_by(Rule(users=4000, max_users=4000)), 4000, same).decision
    assert (over.word, over.variant) == ("over", "old")


def test_one_bad_variant_of_two_goes_alone() -> None:
    three = Experiment("x", {"old": 0.4, "bad": 0.3, "same": 0.3}, metric="cvr", rule=Rule(users=4000))
    found = played(three, 6000, {"old": 0.3, "bad": 0.1, "same": 0.3}).decision
    assert (found.word, found.variant, dict(found.stopped)) == ("go on", None, {"bad": "harm"})


def test_lost_users_are_noticed_before_anything_is_believed() -> None:
    experiment = bought_by(Rule(users=4000))
    users = [f"u{i}" for i in range(6000)]
    kept = [u for i, u in enumerate(users) if experiment.variant_of(u) == "old" or i % 8]
    ones = pl.DataFrame({"user_id": kept, "exposures": 1, "clicks": 1, "bought": 1, "revenue": 1.0})
    found = summary(experiment, ones)
    assert found.decision.word == "mismatch"
    assert found.p_mismatch < 0.001
    assert "start anew" in found.decision.sentence


def test_mismatch_by_hand() -> None:
    assert mismatch([50, 50], [0.5, 0.5]) == 1.0
    assert mismatch([60, 40], [0.5, 0.5]) == pytest.approx(math.erfc(2 / math.sqrt(2)))  # chi² = 4 = 2²
    assert mismatch([0, 0], [0.5, 0.5]) == 1.0


def test_the_table_and_the_document() -> None:
    found = played(bought_by(Rule(users=4000)), 4000, {"old": 0.1, "new": 0.2})
    table = found.table()
    assert table.height == 2 * 3
    old, new = (table.filter(variant=v, metric="cvr").row(0, named=True) for v in ("old", "new"))
    assert old["difference"] is None
    assert new["difference"] == pytest.approx(new["value"] - old["value"])
    assert new["low"] < new["value"] < new["high"]
    assert found.to_document()["decision"]["word"] == "win"


def test_nobody_yet() -> None:
    experiment = bought_by(Rule())
    found = summary(experiment, outcomes_of(experiment, [], [], since=START, now=START))
    assert found.decision.word == "go on"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"user_id": ["a"], "clicks": [1]}, "no exposures and no bought and no revenue"),
        ({"user_id": ["a", "a"], "exposures": 1, "clicks": 1, "bought": 1, "revenue": 1.0}, "a user twice"),
    ],
)
def test_wrong_outcomes_are_refused(frame: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        summary(bought_by(Rule()), pl.DataFrame(frame))


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def shown(user: str, item: str, days: float) -> Exposure:
    return Exposure("r", user, item, 1, 1.0, "v", at(days))


def did(user: str, item: str, event: str, days: float, price: float | None = None, value: float | None = None) -> Event:
    return Event(f"{user}{item}{event}{days}", user, item, "d", event, at(days), value, price)


def test_outcomes_by_hand() -> None:
    experiment = Experiment("x", HALVES, window_days=7)
    exposures = [
        shown("ann", "tea", -1),  # before it began
        shown("ann", "tea", 1),
        shown("ann", "tea", 2),  # again: one exposure
        shown("ann", "milk", 3),
        shown("ann", "salt", 9),  # after the window
        shown("bob", "tea", 2),
        shown("eve", "tea", 6),  # her window is still open
    ]
    events = [
        did("ann", "tea", "click", 0.5),  # before it was shown
        did("ann", "milk", "click", 3.5),
        did("ann", "milk", "purchase", 4, price=2.0, value=3.0),
        did("ann", "rice", "purchase", 5, price=1.5),
        did("ann", "milk", "purchase", 8.5, price=9.0),  # too late
        did("ann", "milk", "view", 4),
        did("bob", "milk", "click", 3),  # was not shown
        did("zoe", "tea", "purchase", 3, price=1.0),  # saw nothing
    ]
    found = outcomes_of(experiment, exposures, events, since=START, now=at(10))
    assert found.to_dicts() == [
        {"user_id": "ann", "entered": at(1), "exposures": 2, "clicks": 1, "bought": 1, "revenue": 7.5},
        {"user_id": "bob", "entered": at(2), "exposures": 1, "clicks": 0, "bought": 0, "revenue": 0.0},
    ]


def test_a_log_from_what_a_store_keeps() -> None:
    exposures = [shown("ann", "tea", 1), shown("ann", "tea", 2), shown("ann", "milk", 2), shown("bob", "tea", 1)]
    events = [did("ann", "tea", "click", 2.5), did("bob", "tea", "click", 0.5), did("ann", "milk", "purchase", 3)]
    clicks = log_of(exposures, events)
    rows = {(r["user_id"], r["item_id"], i): r["reward"] for i, r in enumerate(clicks.iter_rows(named=True))}
    assert rows == {("ann", "tea", 0): 0, ("bob", "tea", 1): 0, ("ann", "tea", 2): 1, ("ann", "milk", 3): 0}
    assert log_of(exposures, events, "purchase")["reward"].sum() == 1
    assert read_log(clicks).select(sorted(clicks.columns)).equals(clicks.select(sorted(clicks.columns)))
