"""A budget in studies and `transfer`: the same for every method, reported, resumed, and not for blends."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from study_helpers import timeless

from crossaisle.api import Budget, transfer
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, MethodError
from crossaisle.evaluate import search as searching
from crossaisle.evaluate import study as studies
from crossaisle.evaluate.bases import Bases
from crossaisle.evaluate.result import Report
from crossaisle.evaluate.search import Search
from crossaisle.evaluate.spec import MethodSpec, Study, entries_of
from crossaisle.evaluate.study import evaluate
from crossaisle.evaluate.tuner import Tuner
from crossaisle.testing_world import tiny_problem

ASKED = (
    MethodSpec("popularity", "recent", {"half_life_weeks": 4.0}),
    MethodSpec("als", options={"iterations": 3}),
    MethodSpec("blend", options={"parts": ("popularity", "ease"), "rounds": 5}),
)


@pytest.fixture(autouse=True)
def _few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST", 3)


@pytest.fixture
def tuned_study() -> Study:
    return Study("cake", cut="2024-03-25", weeks=(0.0, 8.0), ship="blend", seeds=(0, 1), budget="1h")


def without_seconds(report: Report) -> str:
    tuning = {
        label: {step: {**facts, "seconds": 0.0} for step, facts in steps.items()}
        for label, steps in report.protocol["tuning"].items()
    }
    return timeless(dataclasses.replace(report, protocol={**report.protocol, "tuning": tuning}))


def test_a_study_with_a_budget_says_what_was_searched(world: World, tuned_study: Study, tmp_path: Path) -> None:
    report = evaluate(world, tuned_study, ASKED, tmp_path)
    tuning = report.protocol["tuning"]
    assert report.protocol["budget"] == "1h"
    assert set(tuning) == {"recent", "als", "blend"}
    assert tuning["als"]["week 8"]["trials"] == 3
    assert tuning["als"]["week 8"]["validation"] == "held out"
    assert tuning["recent"]["week 8"]["searched"] == ["unit"]  # what was asked for stays as it is
    assert tuning["blend"]["week 8"] == {"trials": 0, "seconds": 0.0, "why": "no option is left to search"}
    assert tuning["recent"]["week 0"]["why"].startswith("fewer than 20 people")
    assert len(list((tmp_path / "trials").glob("als-*.journal"))) == 1  # one search for both seeds
    said = "\n".join(report.warnings)
    assert "searched on held-out rows for 1h a method and step: recent, als." in said
    assert "Options not searched: blend, because no option is left to search." in said
    assert report.protocol["methods"]["als"]["options"]["factors"] == 128  # where the search starts


def test_a_study_with_a_budget_goes_on_and_repeats(
    world: World, tuned_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(world, tuned_study, ASKED, tmp_path)
    other = evaluate(world, tuned_study, ASKED)
    assert without_seconds(first) == without_seconds(other)
    monkeypatch.setattr(Search, "judge", lambda *_: pytest.fail("a finished trial was repeated"))
    monkeypatch.setattr(studies, "save_cell", lambda *_: pytest.fail("a finished cell was run again"))
    assert timeless(evaluate(world, tuned_study, ASKED, tmp_path)) == timeless(first)


def test_the_budget_is_part_of_a_cell_and_no_budget_is_not(tuned_study: Study) -> None:
    plain = dataclasses.replace(tuned_study, budget=None)
    before = studies.study_parts(plain)
    assert "budget" not in before
    assert studies.study_parts(tuned_study) == before | {"budget": "1h"}
    with pytest.raises(ConfigError, match="such as 90s"):
        dataclasses.replace(tuned_study, budget="soon")


def test_a_tuner_keeps_what_is_named_unless_it_is_free() -> None:
    problem = tiny_problem()
    (entry,) = entries_of([MethodSpec("als", options={"factors": 4, "iterations": 2})])
    for free in (False, True):
        tuner = Tuner(Budget(1e6), Bases(), free=free)
        found, facts = tuner.tuned(entry, problem)
        assert ("factors" in facts["searched"]) == free
        assert found.options.iterations == 2
        assert tuner.tuned(entry, problem)[0] is found  # once a problem
    assert Tuner(None, Bases()).tuned(entry, problem) == (entry, {})


def test_transfer_within_a_budget(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"method": "item_knn", "cut": "2024-03-25", "shrink": 5.0}
    budget = Budget.of("1h", tmp_path / "trials")
    made = transfer(world, "cake", budget=budget, **asked)
    assert made.facts["tuning"]["trials"] == 3
    assert "shrink" not in made.facts["tuning"]["searched"]
    assert transfer(world, "cake", budget="1h", **asked).facts["tuning"]["trials"] == 3  # in memory
    monkeypatch.setattr(Search, "judge", lambda *_: pytest.fail("a finished trial was repeated"))
    assert transfer(world, "cake", budget=budget, **asked).facts["tuning"] == made.facts["tuning"]
    assert "tuning" not in transfer(world, "cake", **asked).facts
    with pytest.raises(ConfigError, match="such as 90s"):
        transfer(world, "cake", budget="a while", **asked)


def test_transfer_without_optuna_refuses_before_it_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossaisle.evaluate.budget.find_spec", lambda _: None)
    with pytest.raises(MethodError, match="needs optuna"):
        transfer(world, "cake", method="ease", budget="10m")
