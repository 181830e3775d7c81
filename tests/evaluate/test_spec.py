"""Studies and method specs: what is refused, in which words, and who is a control."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from crossaisle import config
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, CrossaisleError, DataError, MethodError
from crossaisle.evaluate.spec import MethodSpec, Study, entries_of, entry_of
from crossaisle.evaluate.steps import check_study, problem_at, steps_of


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "split 'launch' needs cut"),
        ({"cut": "2024-01-01", "split": "lunch"}, "did you mean 'launch'"),
        ({"cut": "2024-01-01", "metrics": ["ndgc"]}, "did you mean 'ndcg'"),
        ({"cut": "2024-01-01", "weeks": [2, 1]}, "ascending"),
        ({"cut": "2024-01-01", "weeks": [-1]}, "from 0 on"),
        ({"cut": "2024-01-01", "ks": [0]}, "from 1 on"),
        ({"cut": "2024-01-01", "seeds": []}, "at least one"),
        ({"cut": "2024-01-01", "seeds": [1, 1]}, "each once"),
        ({"cut": "2024-01-01", "share": 0.1}, "has no share"),
        ({"cut": "2024-01-01", "wekes": [1]}, "did you mean 'weeks'"),
        ({"cut": "2024-01-01", "split_options": {"valid_shar": 0.1}}, "did you mean 'valid_share'"),
        ({"split": "leave_last_out", "cut": "2024-01-01"}, "has no cut"),
        ({"split": "cold_items"}, "needs share"),
        ({"split": "k_shot", "shelf_weeks": 4.0}, "shelf_weeks needs a cut"),
    ],
)
def test_studies_that_cannot_be_are_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config.build(Study, {"target": "cake", **table}, "[study]")


def test_a_study_is_built_from_toml_values() -> None:
    made = config.build(Study, {"target": "cake", "cut": "2024-03-25", "weeks": [0, 4]}, "[study]")
    assert [s.week for s in steps_of(made)] == [0.0, 4.0]
    assert made.headline == ("new", "ndcg", 10)
    assert not made.random_split
    shots = config.build(Study, {"target": "cake", "split": "k_shot", "shots": [0, 3]})
    assert [s.name for s in steps_of(shots)] == ["0 shots", "3 shots"]
    assert shots.random_split
    assert [s.name for s in steps_of(Study("cake", split="leave_last_out"))] == ["all"]


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        ({"method": "eese"}, MethodError, "did you mean 'ease'"),
        ({"method": "ease", "options": {"regularisation": 1.0}}, ConfigError, "did you mean 'regularization'"),
        ({"method": "ease", "option": {}}, ConfigError, "did you mean 'options'"),
        ({"method": "ease", "options": {"regularization": -1.0}}, ConfigError, "above 0"),
        ({"method": "ease", "fusion": "none_such"}, MethodError, "unknown fusion"),
        ({"method": "ease", "fusion_options": {"a": 1}}, ConfigError, "without a fusion"),
        ({}, ConfigError, "missing method"),
    ],
)
def test_methods_that_cannot_be_are_refused(table: dict[str, Any], error: type[CrossaisleError], words: str) -> None:
    with pytest.raises(error, match=words):
        MethodSpec.parse(table)


def test_labels_default_to_names_and_must_differ() -> None:
    assert MethodSpec.parse({"method": "ease"}).label == "ease"
    with pytest.raises(ConfigError, match="'ease' is used twice"):
        entries_of((MethodSpec("ease"), MethodSpec("als", "ease")))
    with pytest.raises(ConfigError, match="no method"):
        entries_of(())


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (MethodSpec("popularity"), "control"),
        (MethodSpec("ease", options={"scope": "all"}), "transfer"),
        (MethodSpec("user_kernel"), "transfer"),
        (MethodSpec("user_kernel", options={"scope": "target"}), "control"),
    ],
)
def test_scope_decides_who_is_a_control(spec: MethodSpec, kind: str) -> None:
    assert entry_of(spec).kind == kind


def test_a_method_that_needs_a_base_gets_a_fusion_and_is_random(
    fused: list[Any], monkeypatch: pytest.MonkeyPatch, add_method: Callable[..., None]
) -> None:
    monkeypatch.setattr("crossaisle.evaluate.spec.DEFAULT_FUSION", "test_fusion")
    made = entry_of(MethodSpec("test_carry"))
    assert made.fusion is not None
    assert (made.fusion.name, made.random, made.kind) == ("test_fusion", True, "transfer")
    add_method("test_shared", lambda base, problem: np.zeros((1, 1)), needs=("base",), control=True)
    assert entry_of(MethodSpec("test_shared")).kind == "transfer"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"ship": "blended"}, ConfigError, "no label of the methods"),
        ({"ks": (10, 25)}, ConfigError, "'cake' has 24 items; lower k"),
        ({"target": "cakes"}, DataError, "did you mean 'cake'"),
        ({"sources": ("tae",)}, DataError, "did you mean 'tea'"),
        ({"sources": ("cake",)}, ConfigError, "no source domain"),
    ],
)
def test_what_this_world_cannot_answer(
    world: World, changes: dict[str, Any], error: type[CrossaisleError], words: str
) -> None:
    asked = Study(**({"target": "cake", "cut": "2024-03-25", "ship": "ease"} | changes))
    with pytest.raises(error, match=words):
        check_study(world, asked, entries_of((MethodSpec("ease"),)))


def test_the_shelf_holds_what_was_lately_sold_also_where_hidden(world: World) -> None:
    asked = Study("cake", cut="2024-03-25", weeks=(0.0,), shelf_weeks=2.0)
    problem = problem_at(world, asked, steps_of(asked)[0], 0)
    hidden = problem.split.hidden
    late = hidden.filter(hidden["timestamp"].dt.date() >= date(2024, 3, 11))
    assert problem.catalogue.tolist() == sorted(set(late["item"].to_list()))
    assert 0 < len(problem.catalogue) < len(world.catalogue("cake"))


def test_a_stack_asks_for_a_base_only_where_a_part_reads_one() -> None:
    plain = entry_of(MethodSpec("stack", options={"parts": ("popularity", "als")}))
    assert plain.fusion is None
    reading = entry_of(MethodSpec("stack", options={"parts": ("popularity", "zero_shot")}))
    assert reading.fusion is not None
