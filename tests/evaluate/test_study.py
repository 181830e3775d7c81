"""Studies from end to end on the tiny World: shared problems, resumption, repetition, guard and skips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from study_helpers import METHODS_ASKED, timeless

from crossaisle.data.world import World
from crossaisle.errors import StorageError, TrainingError
from crossaisle.evaluate.result import Report
from crossaisle.evaluate.slices import slices_of
from crossaisle.evaluate.spec import MethodSpec, Study
from crossaisle.evaluate.study import evaluate
from crossaisle.progress import showing
from crossaisle.transfer.problem import Problem
from crossaisle.types import Floats


def row(report: Report, method: str, week: float | None, name: str = "new", metric: str = "ndcg") -> Any:
    wanted = (method, week, name, metric)
    return next((r for r in report.rows if (r.method, r.week, r.slice, r.metric) == wanted), None)


def oracle(problem: Problem) -> Floats:
    """Ranks what each user will buy first: looks at the test rows, as no method may."""
    made = slices_of(problem)
    scores = np.zeros((problem.world.n_users, len(problem.catalogue)), np.float32)
    scores[made.users] = made.relevant["all"].toarray()
    return scores


def test_every_method_at_every_step_with_its_interval(world: World, study: Study) -> None:
    report = evaluate(world, study, METHODS_ASKED)
    assert report.kinds == {"popularity": "control", "ease": "control", "als": "control", "user_kernel": "transfer"}
    for week in (2.0, 8.0):
        for spec in METHODS_ASKED:
            found = row(report, spec.label, week)
            assert 0 <= found.low <= found.value <= found.high <= 1
            assert found.seeds == (3 if spec.method == "als" else 1)
    assert row(report, "ease", 0.0) is None
    assert any(w.startswith("Left out at week 0: ease, als, because the method") for w in report.warnings)
    assert [(s["week"], s["visible_rows"] > 0) for s in report.protocol["steps"]] == [(0, 0), (2, 1), (8, 1)]
    assert report.protocol["users"]["week 2"]["new"] == row(report, "ease", 2.0).users
    assert {c.method for c in report.costs if c.week == 8.0} == set(report.kinds)
    assert all(c.fit_seconds > 0 and c.peak_mb > 10 and c.ms_per_request > 0 for c in report.costs)
    assert report.best == {"cake": {"transfer": "user_kernel", "control": {
        f"week {s.week:g}": s.control for s in report.ships}}}  # fmt: skip


def test_the_same_study_twice_is_the_same_report(world: World, study: Study) -> None:
    first, again = (evaluate(world, study, METHODS_ASKED) for _ in range(2))
    assert timeless(first) == timeless(again)


def test_interrupted_and_resumed_is_the_same_report(world: World, study: Study, tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), showing(stop):
        evaluate(world, study, METHODS_ASKED, tmp_path)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cells").iterdir()}
    assert kept
    resumed = evaluate(world, study, METHODS_ASKED, tmp_path)
    assert timeless(resumed) == timeless(evaluate(world, study, METHODS_ASKED))
    assert all(p.stat().st_mtime_ns == time for p, time in kept.items())


def test_finished_cells_are_not_run_again_but_damaged_and_changed_ones_are(
    world: World, study: Study, tmp_path: Path, add_method: Callable[..., None]
) -> None:
    runs: list[float | None] = []

    def scores(base: Any, problem: Problem) -> Floats:
        runs.append(problem.weeks)
        return oracle(problem)

    add_method("test_oracle", scores)
    methods = (MethodSpec("popularity"), MethodSpec("test_oracle"))
    asked = replace(study, ship="test_oracle")
    first = evaluate(world, asked, methods, tmp_path)
    assert runs == [0.0, 2.0, 8.0]
    evaluate(world, replace(asked, weeks=(0.0, 1.0, 2.0, 8.0)), methods, tmp_path)
    assert runs[3:] == [1.0]
    evaluate(world, replace(asked, ks=(5,)), methods, tmp_path)
    assert runs[4:] == [0.0, 2.0, 8.0]
    for path in (tmp_path / "cells").glob("test_oracle*.npz"):
        path.write_bytes(path.read_bytes()[:50])
    assert timeless(evaluate(world, asked, methods, tmp_path)) == timeless(first)
    assert runs[7:] == [0.0, 2.0, 8.0]


def test_an_oracle_helps_and_nonsense_hurts_and_is_not_shipped(
    world: World, study: Study, add_method: Callable[..., None]
) -> None:
    add_method("test_oracle", lambda base, problem: oracle(problem))
    add_method("test_nonsense", lambda base, problem: -oracle(problem))
    methods = (*METHODS_ASKED, MethodSpec("test_oracle"), MethodSpec("test_nonsense"))
    report = evaluate(world, replace(study, ship="test_nonsense"), methods)
    assert row(report, "test_oracle", 2.0).value == row(report, "test_oracle", 2.0).low == 1.0
    verdicts = {(g.method, g.week): g.verdict for g in report.guard if (g.slice, g.against) == ("new", "best_control")}
    assert {verdicts["test_oracle", w] for w in (0.0, 2.0, 8.0)} == {"helps"}
    assert {verdicts["test_nonsense", w] for w in (0.0, 2.0, 8.0)} == {"hurts"}
    assert [s.ships for s in report.ships] == [s.control for s in report.ships]
    saved = {(r.method, r.week): r for r in report.time_saved}
    assert (saved["test_oracle", 2.0].reached, saved["test_oracle", 2.0].factor) == (None, 4.0)
    assert saved["test_oracle", 2.0].at_least
    assert saved["test_oracle", 2.0].high is None
    assert saved["test_nonsense", 2.0].factor < 1
    good = evaluate(world, replace(study, ship="test_oracle"), methods)
    assert {s.ships for s in good.ships} == {"test_oracle"}


def test_bases_see_only_the_past_of_the_sources_and_are_fused_once_a_seed(
    world: World, study: Study, fused: list[tuple[World, int]], tmp_path: Path
) -> None:
    methods = (MethodSpec("popularity"), MethodSpec("test_carry", fusion="test_fusion"))
    asked = replace(study, ship="test_carry")
    report = evaluate(world, asked, methods, tmp_path)
    assert [seed for _, seed in fused] == [0, 1, 2]
    for seen, _ in fused:
        assert seen.interactions["timestamp"].max() < datetime(2024, 3, 25)
        assert set(seen.interactions["domain"]) == {world.domain_code("coffee"), world.domain_code("tea")}
        assert seen.fingerprint != world.fingerprint
    assert row(report, "test_carry", 0.0).seeds == 3
    guard = next(g for g in report.guard if g.method == "test_carry")
    assert guard.seeds == 3
    assert 0 <= guard.seeds_agree <= 3
    for path in (tmp_path / "cells").iterdir():
        path.unlink()
    assert timeless(evaluate(world, asked, methods, tmp_path)) == timeless(report)
    assert len(fused) == 3


def test_a_failing_method_is_left_out_with_its_sentence(
    world: World, study: Study, add_method: Callable[..., None]
) -> None:
    def fail(base: Any, problem: Problem) -> Floats:
        if problem.weeks == 2.0:
            raise TrainingError("the loss became NaN; lower the learning rate.")
        return oracle(problem)

    add_method("test_fails", fail)
    report = evaluate(world, replace(study, ship="test_fails"), (MethodSpec("popularity"), MethodSpec("test_fails")))
    assert "Left out at week 2: test_fails, because the loss became NaN; lower the learning rate." in report.warnings
    assert row(report, "test_fails", 2.0) is None
    assert [s.ships for s in report.ships] == ["test_fails", "popularity", "test_fails"]


@pytest.mark.parametrize(
    ("changes", "shots"),
    [
        ({"split": "k_shot", "shots": (1, 3)}, [1, 3]),
        ({"split": "cold_users", "share": 0.3}, [None]),
        ({"split": "cold_items", "share": 0.3}, [None]),
        ({"split": "leave_last_out"}, [None]),
    ],
)
def test_other_splits_have_no_weeks(world: World, changes: dict[str, Any], shots: list[int | None]) -> None:
    asked = Study("cake", ship="user_kernel", seeds=(0, 1), **changes)
    report = evaluate(world, asked, METHODS_ASKED)
    assert [s.shots for s in report.ships] == shots
    assert report.time_saved == ()
    assert {r.week for r in report.rows} == {None}
    found = next(r for r in report.rows if (r.method, r.slice) == ("user_kernel", "all"))
    assert found.seeds == (1 if asked.split == "leave_last_out" else 2)
    assert any("leaks the future" in w for w in report.warnings)
    assert any("at least 3" in w for w in report.warnings)


def test_given_parts_are_judged_as_they_are(world: World, tmp_path: Path) -> None:
    rows = world.interactions.with_columns(
        user_id=pl.Series(world.user_ids.decode(world.interactions["user"].to_numpy())),
        item_id=pl.Series(world.item_ids.decode(world.interactions["item"].to_numpy())),
        domain=pl.Series(world.domains.decode(world.interactions["domain"].to_numpy())),
        event=pl.lit("purchase"),
    ).select("user_id", "item_id", "domain", "event", "timestamp")
    cut = datetime(2024, 3, 25)
    rows.filter(pl.col("timestamp") < cut).write_parquet(tmp_path / "train.parquet")
    rows.filter(pl.col("timestamp") >= cut).write_parquet(tmp_path / "test.parquet")
    files = {n: str(tmp_path / f"{n}.parquet") for n in ("train", "test")}
    given = evaluate(world, Study("cake", split="given", split_options=files, ship="user_kernel"), METHODS_ASKED)
    whole = Study("cake", split="time_cut", cut="2024-03-25", split_options={"valid_share": 0.0}, ship="user_kernel")
    cut_rows = evaluate(world, whole, METHODS_ASKED).rows
    assert {(r.method, r.slice, r.metric): r.value for r in given.rows} == pytest.approx(
        {(r.method, r.slice, r.metric): r.value for r in cut_rows}
    )


def test_a_full_disk_is_said_in_a_sentence(world: World, study: Study, tmp_path: Path) -> None:
    (tmp_path / "cells").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot write"):
        evaluate(world, study, METHODS_ASKED, tmp_path)
