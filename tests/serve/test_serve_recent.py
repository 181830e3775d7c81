"""The last seconds, by a clock of our own."""

from __future__ import annotations

import pytest

from crossaisle.serve.recent import KEPT, Recent


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_whole_seconds_are_counted_and_the_running_one_is_not() -> None:
    clock = Clock()
    recent = Recent(clock)
    recent.answered(200, 0.010)
    recent.answered(404, 0.030)
    recent.answered(503, 0.020)
    recent.add("history", 2)
    assert recent.last(10).counts == {}
    clock.now += 1.5
    recent.answered(200, 9.0)
    found = recent.last(10)
    assert found.counts == {"requests": 3, "refused": 1, "faults": 1, "history": 2}
    assert found.quantiles == pytest.approx((0.020, 0.029, 0.0298))
    clock.now += 10
    assert recent.last(10).counts == {"requests": 1}
    assert recent.last(5).quantiles is None


def test_spans_begin_at_whole_lengths_and_are_oldest_first() -> None:
    clock = Clock()
    recent = Recent(clock)
    for second in range(12):
        clock.now = 1000.0 + second
        recent.add("events", second)
    spans = recent.spans(5, 3)
    assert [s.counts["events"] for s in spans] == [0, 0 + 1 + 2 + 3 + 4, 5 + 6 + 7 + 8 + 9]
    assert {s.seconds for s in spans} == {5}


def test_old_seconds_are_let_go() -> None:
    clock = Clock()
    recent = Recent(clock)
    for second in range(2 * KEPT):
        clock.now = 1000.0 + second
        recent.add("events")
    clock.now += 1
    assert recent.last(2 * KEPT).counts["events"] == KEPT
