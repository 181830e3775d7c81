"""Diffusion: rows by hand, planted false clicks, a launch, drifting tastes, and what it refuses."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from launch_worlds import fitted, launch, made, quality

from crossaisle.data.synthetic import START
from crossaisle.errors import ConfigError
from crossaisle.rng import generator
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer.denoising import clusters_of
from crossaisle.transfer.diffusion import DiffusionOptions
from crossaisle.transfer.diffusion_scorer import DiffusionScorer, rows_of
from crossaisle.transfer.problem import Problem
from crossaisle.types import History

QUICK: dict[str, Any] = {"steps": 300, "latent": 32}
PLAIN: dict[str, Any] = {"steps": 300, "form": "plain", "rate": 3e-3, "noise_scale": 1.0}
STEPS = PLAIN | {"noise_steps": 5, "noise_scale": 1.5, "dropout": 0.5}
ONE = PLAIN | {"noise_steps": 1, "noise_scale": 1.5, "noise_min": 0.5, "dropout": 0.7}
"""A denoising autoencoder. Both are the best of one search of noise and dropout on the Worlds of seeds 0 and 1."""


def with_rows(problem: Problem, train: pl.DataFrame) -> Problem:
    return dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=train))


def clicked_by_chance(problem: Problem, share: float) -> Problem:
    """`problem` where this share of the visible rows are items that the person met by chance."""
    draw, world, rows = generator(problem.seed, "chance"), problem.world, problem.split.train
    parts = [rows]
    for name in world.domains.ids.to_list():
        real = rows.filter(pl.col("domain") == world.domain_code(name))
        number = round(len(real) * share / (1 - share))
        false = pl.Series(draw.choice(world.catalogue(name), number), dtype=real["item"].dtype)
        parts.append(real[draw.integers(0, len(real), number).tolist()].with_columns(item=false))
    return with_rows(problem, pl.concat(parts))


def drifted(problem: Problem, week: float) -> Problem:
    """`problem` where everybody had somebody else's taste until `week`."""
    rows, late = problem.split.train, START + timedelta(weeks=week)
    other = pl.Series(generator(problem.seed, "drift").permutation(problem.world.n_users))
    old = rows.filter(pl.col("timestamp") < late)
    moved = old.with_columns(user=other[old["user"].to_list()].cast(old["user"].dtype))
    return with_rows(problem, pl.concat([moved, rows.filter(pl.col("timestamp") >= late)]))


def test_events_fade_from_the_latest_one_that_is_read() -> None:
    counts = sp.csr_matrix(np.array([[2, 1, 1], [0, 0, 0], [0, 0, 1]], dtype=np.float32))
    history = History(counts, np.array([21, 7, 0, 700], dtype=np.float32), np.arange(3))
    inputs = np.array([0, 1], dtype=np.int64)  # the latest event of the first person, on item 2, is not read
    assert rows_of(history, inputs, "count").toarray().tolist() == [[2, 1], [0, 0], [0, 0]]
    assert rows_of(history, inputs, "count", 1.0).toarray().tolist() == [[0.5, 1], [0, 0], [0, 0]]
    long_ago = rows_of(history, np.array([2], dtype=np.int64), "count", 1e-3).toarray()
    assert long_ago.ravel().tolist() == [1, 0, 1]


def test_steps_of_noise_see_through_chance_clicks_better_than_one_step() -> None:
    reached: dict[str, list[float]] = {"steps": [], "one": []}
    for seed in (2, 3, 4):
        clean = launch(made(seed=seed), 20, seed)
        problem = clicked_by_chance(clean, 0.2)
        for name, options in (("steps", STEPS), ("one", ONE)):
            reached[name].append(float(quality(clean, fitted(problem, "diffusion", **options)).mean()))
    assert np.mean(reached["steps"]) > 1.015 * np.mean(reached["one"])


@pytest.mark.parametrize("options", [PLAIN, QUICK], ids=["plain", "latent"])
def test_all_domains_tell_more_than_the_target_at_a_launch_and_more_than_popularity(options: dict[str, Any]) -> None:
    problem = launch(made(), 2)
    joint, alone = (
        quality(problem, fitted(problem, "diffusion", scope=s, **options)).mean() for s in ("all", "target")
    )
    assert joint > 1.3 * alone
    assert joint > 1.3 * quality(problem, fitted(problem, "popularity")).mean()


def test_clusters_with_encoders_of_their_own_tell_more_than_popularity() -> None:
    problem = launch(made(), 2)
    found = fitted(problem, "diffusion", clusters=2, **QUICK)
    assert isinstance(found.scorer, DiffusionScorer)
    assert len(np.unique(found.scorer.clusters)) == 2
    assert quality(problem, found).mean() > 1.8 * quality(problem, fitted(problem, "popularity")).mean()


def test_recent_events_tell_more_where_tastes_drift() -> None:
    problem = drifted(launch(made(), 20), 14)
    fading, plain = (
        quality(problem, fitted(problem, "diffusion", half_life_weeks=h, **QUICK)).mean() for h in (2.0, None)
    )
    assert fading > 1.1 * plain


def test_items_of_one_taste_share_a_cluster() -> None:
    rows = sp.csr_matrix(np.kron(np.eye(2), np.ones((6, 4))).astype(np.float32))  # six people have four items each
    clusters = clusters_of(rows, 2, 0)
    assert sorted(np.unique(clusters[:4]).tolist() + np.unique(clusters[4:]).tolist()) == [0, 1]
    assert not clusters_of(rows, 1, 0).any()


def test_noise_before_reading_is_the_same_for_everybody_and_changes_the_answer() -> None:
    problem = tiny_problem()
    quiet, noisy = (
        fitted(problem, "diffusion", steps=30, noise_steps=3, sampling_steps=s, hidden=(16,)).scorer for s in (0, 3)
    )
    alone, together = (noisy.score(problem.history_for(np.array(u)))[0] for u in ([5], [5, 6]))
    assert alone == pytest.approx(together, abs=1e-6)
    assert not np.allclose(quiet.score(problem.history_for(np.array([5])))[0], alone)


@pytest.mark.parametrize(
    "wrong",
    [{"noise_steps": 0}, {"sampling_steps": 9}, {"latent": 0}, {"dropout": 1.0}, {"half_life_weeks": -1.0},
     {"rate": 0.0}, {"noise_scale": 0.0}, {"noise_max": 0.0}, {"hidden": (0,)}],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ConfigError)):
        DiffusionOptions(**wrong)
