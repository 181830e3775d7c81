"""Tables, guard, time saved and costs, with numbers worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crossaisle.evaluate import stats
from crossaisle.evaluate.cells import Cell, load_cell, save_cell
from crossaisle.evaluate.costs import Costs, peak_memory, resident_mb
from crossaisle.evaluate.guard import best_control, guard_at, ship_at
from crossaisle.evaluate.saved import factor_interval, time_saved_rows
from crossaisle.evaluate.slices import UserValues
from crossaisle.evaluate.spec import MethodSpec, entries_of
from crossaisle.evaluate.steps import Step
from crossaisle.evaluate.tables import Table, tables_of

ENTRIES = entries_of((MethodSpec("popularity"), MethodSpec("ease"), MethodSpec("user_kernel")))
HEADLINE = ("new", "ndcg", 10)
USERS = np.arange(20)


def cell(label: str, values: list[float], users: list[int], seed: int = 0) -> Cell:
    found = {HEADLINE: UserValues(np.array(users), np.array(values))}
    return Cell(label, Step(week=2.0), seed, found, Costs(1.0, 0.0, 1.0, 1, 1.0, 1.0))


def table(**means: float) -> Table:
    return Table(USERS, dict.fromkeys(means, (0,)), {m: np.full((1, 20), v) for m, v in means.items()})


def test_tables_align_users_over_seeds() -> None:
    made = tables_of([
        cell("ease", [0.0, 1.0], [3, 5], seed=0), cell("ease", [1.0, 0.5], [5, 9], seed=1),
        cell("popularity", [0.2, 0.4, 0.6], [3, 5, 9]),
    ])[HEADLINE]  # fmt: skip
    assert made.users.tolist() == [3, 5, 9]
    assert made.mean_of("ease").tolist() == [0.0, 1.0, 0.5]
    assert np.array_equal(made.at_seed("ease", 1), [np.nan, 1.0, 0.5], equal_nan=True)
    assert made.at_seed("popularity", 1).tolist() == [0.2, 0.4, 0.6]
    assert made.seeds == {"ease": (0, 1), "popularity": (0,)}


def test_skipped_cells_make_no_table() -> None:
    assert tables_of([Cell("ease", Step(), 0, skipped="no rows")]) == {}


def test_guard_by_hand() -> None:
    made = table(popularity=0.1, ease=0.3, user_kernel=0.2)
    assert best_control(made, ENTRIES) == "ease"
    rows = guard_at(Step(week=2.0), "t", {HEADLINE: made}, ENTRIES, HEADLINE)
    assert [(r.method, r.against, r.control, r.verdict, r.users, r.seeds, r.seeds_agree) for r in rows] == [
        ("user_kernel", "best_control", "ease", "hurts", 20, 1, 1)
    ]
    assert rows[0].difference == pytest.approx(-0.1)
    shipped = ship_at(Step(week=2.0), "t", rows, "user_kernel", "ease", ran=True)
    assert (shipped.ships, shipped.verdict) == ("ease", "hurts")
    assert ship_at(Step(), "t", [], "user_kernel", "ease", ran=False).ships == "ease"
    assert ship_at(Step(), "t", [], "user_kernel", None, ran=True).ships == "user_kernel"


def test_seeds_are_judged_alone_as_well() -> None:
    kernel = np.stack([np.full(20, 0.9), np.full(20, 0.1)])
    values = {"ease": np.full((1, 20), 0.4), "user_kernel": kernel}
    made = Table(USERS, {"ease": (0,), "user_kernel": (0, 1)}, values)
    (found,) = guard_at(Step(), "t", {HEADLINE: made}, ENTRIES, HEADLINE)
    assert (found.verdict, found.seeds, found.seeds_agree) == ("helps", 2, 1)


def test_time_saved_by_hand() -> None:
    """Controls reach .1, .2, .4 at weeks 0, 2, 4 (best of both); the transfer has .3 at week 2."""
    weeks = {
        0.0: table(popularity=0.1, ease=0.05, user_kernel=0.1),
        2.0: table(popularity=0.1, ease=0.2, user_kernel=0.3),
        4.0: table(popularity=0.4, ease=0.3, user_kernel=0.6),
    }
    first, last = time_saved_rows("t", weeks, ENTRIES)
    assert (first.week, first.reached, first.factor) == pytest.approx((2.0, 3.0, 1.5))
    assert not first.at_least
    assert (first.low, first.high) == pytest.approx((1.5, 1.5))
    assert (last.reached, last.factor, last.at_least, last.low, last.high) == (None, 1.0, True, 1.0, None)
    assert time_saved_rows("t", {0.0: weeks[0.0]}, ENTRIES) == []
    assert time_saved_rows("t", {2.0: table(user_kernel=0.1)}, ENTRIES) == []


def test_factor_interval_is_open_where_many_resamples_never_get_there() -> None:
    weeks = np.array([0.0, 4.0])
    curves = np.tile([0.0, 1.0], (100, 1))
    low, high = factor_interval(weeks, curves, 1.0, np.r_[np.full(90, 0.5), np.full(10, 2.0)])
    assert (low, high) == (2.0, None)
    assert factor_interval(weeks, curves, 1.0, np.full(100, 2.0)) == (4.0, None)


def test_cells_come_back_as_they_were(tmp_path: Path) -> None:
    saved = cell("ease", [0.25, 0.5], [1, 4], seed=2)
    save_cell(tmp_path, "k", saved)
    found = load_cell(tmp_path, "k", "other label")
    assert found is not None
    assert (found.label, found.step, found.seed, found.costs) == ("other label", saved.step, 2, saved.costs)
    assert found.values[HEADLINE].values.tolist() == [0.25, 0.5]
    assert found.values[HEADLINE].users.tolist() == [1, 4]
    assert load_cell(tmp_path, "none", "x") is None


def test_peak_memory_sees_what_was_freed_again() -> None:
    before = resident_mb()
    with peak_memory() as peak:
        ballast = np.ones(12_000_000)
        peak.look()
        del ballast
    assert peak.mb >= before + 60


values = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1, width=32))


@given(values)
@settings(max_examples=40, deadline=None)
def test_intervals_contain_the_mean_and_stay_in_the_range(found: np.ndarray) -> None:
    mean, low, high = stats.interval(found, resamples=200)
    assert low <= mean <= high
    assert found.min() - 1e-9 <= low
    assert high <= found.max() + 1e-9


@given(st.integers(1, 40).flatmap(lambda n: arrays(np.float64, (2, n), elements=st.floats(0, 1, width=32))))
@settings(max_examples=40, deadline=None)
def test_the_guard_is_antisymmetric(found: np.ndarray) -> None:
    a, b = stats.paired(found[0], found[1], resamples=200), stats.paired(found[1], found[0], resamples=200)
    assert (a.difference, a.low, a.high) == pytest.approx((-b.difference, -b.high, -b.low))
    assert {a.verdict, b.verdict} in ({"helps", "hurts"}, {"no difference"})


@given(arrays(np.float64, 5, elements=st.floats(0, 1, width=32)), st.floats(0, 1, width=32))
@settings(max_examples=60, deadline=None)
def test_the_curve_has_the_quality_at_the_first_crossing(curve: np.ndarray, quality: float) -> None:
    weeks = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    reached = stats.crossings(weeks, curve[None, :], np.array([quality]))[0]
    if (curve < quality).all():
        assert np.isnan(reached)
        return
    assert reached == weeks[0] or np.interp(reached, weeks, curve) == pytest.approx(quality, abs=1e-6)
    assert (curve[weeks < reached - 1e-9] < quality).all()


def test_rows_without_some_users_are_resampled_alone() -> None:
    rows = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0], [np.nan] * 3])
    found = stats.intervals(rows)
    assert found[0] == stats.interval(np.array([1.0, 3.0]))
    assert found[1] == stats.interval(np.array([1.0, 2.0, 3.0]))
    assert np.isnan(found[2].mean)
