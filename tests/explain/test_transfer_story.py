"""`explain_transfer`: sources, layers, who gained and who lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossaisle.errors import ArtifactError
from crossaisle.evaluate.spec import MethodSpec, Study, entries_of
from crossaisle.evaluate.study import evaluate
from crossaisle.explain import Finished, explain_transfer, section
from crossaisle.recommender import Recommender
from crossaisle.testing_world import tiny_world

Fitted = Callable[..., Recommender]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder, world = tmp_path_factory.mktemp("run"), tiny_world()
    study = Study(target="cake", cut="2024-03-25", weeks=(0.0, 6.0), seeds=(0,), ship="user_kernel")
    methods = (MethodSpec("popularity"), MethodSpec("ease"), MethodSpec("user_kernel"))
    report = evaluate(world, study, methods, folder)
    return Finished(world, study, entries_of(methods), report, folder / "cells")


def test_gains_are_those_of_the_report(cake: Fitted, run: Finished) -> None:
    told = explain_transfer(cake("user_kernel"), run, people=10)
    assert [g.step for g in told.gains] == ["week 0", "week 6"]
    gains = told.gains[-1]
    (guard,) = [
        g for g in run.report.guard if g.week == 6.0 and g.against == "best_control" and g.method == "user_kernel"
        and (g.slice, g.metric, g.k) == run.study.headline
    ]  # fmt: skip
    assert (gains.control, gains.users) == (guard.control, guard.users)
    assert gains.difference == pytest.approx(guard.difference)
    assert sum(g.users for g in gains.by_purchases.values()) == gains.users
    assert sum(g.users * g.difference for g in gains.by_sources.values()) / gains.users == pytest.approx(
        guard.difference
    )
    assert gains.by_slice[run.study.headline[0]].difference == pytest.approx(guard.difference)


def test_examples_are_people_with_what_is_known_of_them(cake: Fitted, run: Finished) -> None:
    gains = explain_transfer(cake("user_kernel"), run, people=10).gains[-1]
    assert gains.gained > 0
    best = gains.gained_most[0]
    assert best.method - best.control == max(p.method - p.control for p in gains.gained_most)
    assert all(p.method < p.control for p in gains.lost_most)
    shop = cake("user_kernel")
    held = shop.history.take(shop.user_ids.encode([best.user])).counts.indices
    # Some items are sold in two domains, so what is elsewhere may be more than what is outside the catalogue.
    assert best.purchases <= np.isin(held, shop.catalogue).sum()
    assert best.elsewhere >= (~np.isin(held, shop.catalogue)).sum()
    assert 0 <= best.sources <= 2


def test_sources_share_what_speaks_for_the_lists(cake: Fitted) -> None:
    told = explain_transfer(cake("user_kernel"), people=20)
    assert told.users == 20
    assert sum(s.share for s in told.sources) == pytest.approx(1)
    assert {"tea", "coffee"} <= {s.domain for s in told.sources}
    assert all(0 <= s.changed <= 1 and s.users <= 20 for s in told.sources)
    assert json.loads(json.dumps(section([], told)))["transfer"]["domain"] == "cake"


def test_a_control_owes_nothing_to_the_sources(cake: Fitted) -> None:
    told = explain_transfer(cake("ease"), people=20)
    assert {s.domain for s in told.sources if s.share > 0} <= {"cake", "cake or coffee"}
    assert (told.layers, told.gains) == ({}, ())


def test_layers_that_learned_are_those_that_moved(cake: Fitted) -> None:
    moved = explain_transfer(cake("finetune", steps=80, unfreeze=("head", "items", "user")), people=2).layers
    assert {name for name, change in moved.items() if change > 0} >= {"user.fuse", "user.vector"}
    assert moved["item.fuse"] == moved["item.vector"] == 0
    in_blend = cake("blend", parts=("user_kernel", "shared_bottom"), part_options={"shared_bottom": {"steps": 40}})
    assert explain_transfer(in_blend, people=2).layers["shared_bottom: user.fuse"] > 0


def test_cells_of_other_data_are_refused(cake: Fitted, run: Finished, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="run the study again"):
        explain_transfer(cake("ease"), replace(run, cells=tmp_path), people=1)
