from datetime import datetime, timedelta

import numpy as np
import pytest

pytest.importorskip("river", reason="no drift: pip install crossaisle[stream]")

from crossaisle.rng import generator
from crossaisle.stream.drift import SIGNALS, Alarm, Watch, changed_at

START = datetime(2024, 1, 1)
PER_DAY = 300


def alarms(signal: str, means: tuple[float, float], change: int, days: int, seed: int = 0) -> list[Alarm]:
    draw, watch, found = generator(seed, "drift"), Watch(), []
    for visit in range(PER_DAY * days):
        at = START + timedelta(days=visit / PER_DAY)
        mean = means[0] if visit < PER_DAY * change else means[1]
        alarm = watch.add(signal, at, float(draw.normal(mean, 0.15 * SIGNALS[signal].scale)))
        found += [alarm] if alarm is not None else []
    return found


def test_a_planted_shift_is_alarmed_within_a_day_and_says_since_when() -> None:
    found = alarms("unknown_items", (0.05, 0.25), change=14, days=16)
    assert len(found) == 1  # one change, one alarm
    alarm = found[0]
    planted = START + timedelta(days=14)
    assert planted < alarm.at < planted + timedelta(days=1)
    assert abs(alarm.since - planted) < timedelta(hours=4)
    assert alarm.before == pytest.approx(0.05, abs=0.03)
    assert alarm.after > 0.15
    assert "went up" in alarm.sentence
    assert "PUT /v1/items" in alarm.sentence
    assert alarm.to_dict()["since"].startswith("2024-01-1")


@pytest.mark.parametrize("signal", sorted(SIGNALS))
def test_silence_where_nothing_changes(signal: str) -> None:
    mean = 0.3 * SIGNALS[signal].scale
    assert not any(alarms(signal, (mean, mean), change=0, days=14, seed=seed) for seed in range(3))


def test_better_is_no_alarm() -> None:
    assert not alarms("quality", (0.1, 0.4), change=7, days=9)
    assert alarms("quality", (0.4, 0.1), change=7, days=9)[0].before > 0.3


def test_where_the_mean_changed() -> None:
    assert changed_at(np.array([1.0, 1.0, 1.0, 3.0, 3.0])) == 3
    assert changed_at(np.array([0.0, 5.0])) == 1
