"""Advice through its door: what ranks first where, limits, needs, and honest answers about little data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
from made_up_cases import CONTROL, facts, made_up

from crossaisle.advisor import cases as store
from crossaisle.advisor.advice import Limits, advise
from crossaisle.advisor.cases import Case, Launch, Recipe
from crossaisle.advisor.outlook import Outlook, gain_of
from crossaisle.api import MethodSpec, Study, evaluate
from crossaisle.errors import ArtifactError, ConfigError, MethodError
from crossaisle.report import write
from crossaisle.testing_world import tiny_problem, tiny_world, without
from crossaisle.transfer.problem import Problem


def test_what_helped_at_launches_alike_is_expected_to_help() -> None:
    look = Outlook.of(made_up())
    kernel = Recipe("user_kernel")
    means = [look.gain.expect(look.points(facts(known), [kernel])).mean[0] for known in (0.1, 0.5, 0.9)]
    assert means[0] < -0.15
    assert means[2] > 0.15
    assert means == sorted(means)


def test_intervals_of_launches_that_were_left_out_hold() -> None:
    inside, total = 0, 0
    for seed in range(4):
        cases = made_up(targets=12, noise=0.1, seed=seed)
        for group in sorted({c.launch.group for c in cases}):
            look = Outlook.of([c for c in cases if c.launch.group != group])
            for case in (c for c in cases if c.launch.group == group):
                found = look.gain.expect(look.points(case.launch.facts, [case.recipe]))
                truth = gain_of(case.value, case.launch.control)
                inside += bool(found.low[0] <= truth <= found.high[0])
                total += 1
    assert 0.7 <= inside / total <= 0.95


def test_the_control_is_the_answer_where_transfers_lost() -> None:
    cases = [dataclasses.replace(c, value=0.01) if not c.control else c for c in made_up()]
    found = advise(tiny_problem(), [dataclasses.replace(c, value=CONTROL) if c.control else c for c in cases])
    assert found.rows[0].control
    assert found.rows[0].word == "control"
    assert found.sentence.startswith("Do not transfer: use popularity")
    assert all(r.word == "unlikely to help" for r in found.rows if not r.control)


def test_with_no_other_domain_nothing_is_transferred() -> None:
    alone = dataclasses.replace(tiny_problem(), sources=())
    found = advise(alone, made_up())
    assert all(r.control for r in found.rows)
    assert found.sentence.startswith("Do not transfer")
    assert found.left_out["user_kernel"] == "there is no other domain to learn from."
    assert any("no other domain" in w for w in found.warnings)


def apart() -> Problem:
    """The tiny problem with other people and items in the sources."""
    problem = tiny_problem()
    world, own = problem.world, pl.col("domain") == problem.domain_codes[-1]
    rows = problem.split.train
    people = rows.filter(own)["user"].unique().implode()
    kept = rows.filter(own | ~(pl.col("user").is_in(people) | pl.col("item").is_in(world.catalogue("cake").tolist())))
    return dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=kept))


def test_where_nothing_is_shared_only_what_reads_content_can_carry() -> None:
    found = advise(apart(), [*made_up(), *additive_case()])
    assert found.left_out["user_kernel"].endswith("neither are shared.")
    assert {"zero_shot", "popularity", "ease"} <= {r.recipe for r in found.rows}
    assert "user_kernel" in {r.recipe for r in advise(tiny_problem(), made_up()).rows}


def test_what_does_not_fit_is_told_by_the_limit_that_was_given() -> None:
    with pytest.raises(MethodError, match=r"expected to take 0\.0\d+ minutes of 0\.0001"):
        advise(apart(), made_up(), Limits(minutes=0.0001))


def test_each_row_says_what_it_would_use_and_why() -> None:
    found = advise(tiny_problem(), made_up())
    kernel = next(r for r in found.rows if r.recipe == "user_kernel")
    assert kernel.sources == ("coffee", "tea")  # coffee shares an item with cake
    assert kernel.low < kernel.gain < kernel.high
    assert any("of its people are known elsewhere" in reason for reason in kernel.reasons)
    assert kernel.past[0].world == "shop"
    assert next(r for r in found.rows if r.control).sources == ()
    document = json.loads(found.to_json())
    assert document["schema_version"] == 1
    assert document["sentence"] == found.sentence


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        (Limits(minutes=0.5), "zero_shot"),
        (Limits(private=True), "emcdr"),
        (Limits(explainable=True), "zero_shot"),
    ],
)
def test_limits_leave_out_and_say_why(limits: Limits, gone: str) -> None:
    found = advise(tiny_problem(), [*made_up(), *additive_case()], limits)
    assert gone in found.left_out
    assert gone not in {r.recipe for r in found.rows}
    assert found.left_out[gone].endswith(".")


def additive_case() -> list[Case]:
    launch = Launch("shop", "t0", "week 2", facts(0.0), CONTROL)
    return [Case(launch, Recipe("ease"), True, 0.04, 0.001, 1.0, 900.0)]


def test_limits_that_nothing_meets_are_one_sentence() -> None:
    with pytest.raises(MethodError, match="no recipe fits 'cake' within these limits"):
        advise(tiny_problem(), made_up(), Limits(memory=0.01))
    with pytest.raises(ConfigError, match="minutes is 0"):
        Limits(minutes=0)


def test_without_cases_there_is_no_advice() -> None:
    with pytest.raises(MethodError, match="no past case"):
        advise(tiny_problem(), [])


def test_a_target_without_sales_is_advised_by_content_alone_and_says_so() -> None:
    found = advise(without(tiny_problem(), "target_interactions"), made_up())
    assert "no visible interactions" in found.warnings[0]
    assert {r.method for r in found.rows} <= {"popularity", "zero_shot", "user_kernel"}
    assert "emcdr" in found.left_out


def test_few_people_are_called_too_little_to_say() -> None:
    problem = tiny_problem()
    few = problem.split.train.filter((pl.col("domain") != problem.domain_codes[-1]) | (pl.col("user") < 14))
    small = dataclasses.replace(problem, split=dataclasses.replace(problem.split, train=few))
    assert any("too little to say" in w for w in advise(small, made_up()).warnings)


def test_items_without_content_leave_content_methods_out() -> None:
    found = advise(without(tiny_problem(), "item_content"), made_up())
    assert "zero_shot" in found.left_out
    assert any("no titles" in w for w in found.warnings)


def test_cases_survive_their_file() -> None:
    cases = made_up(3)
    again = store.from_json(store.to_json(cases))
    assert [c.recipe for c in again] == [c.recipe for c in cases]
    np.testing.assert_allclose([c.value for c in again], [c.value for c in cases], rtol=1e-4)
    assert [c.launch.group for c in again] == [c.launch.group for c in cases]


def test_a_report_of_ones_own_becomes_cases(tmp_path) -> None:  # type: ignore[no-untyped-def]
    methods = (
        MethodSpec("popularity"),
        MethodSpec("user_kernel", "mine", {"scope": "target"}),
        MethodSpec("user_kernel"),
    )
    report = evaluate(tiny_world(), Study("cake", cut="2024-03-25", weeks=(2.0,), ship="user_kernel"), methods)
    write(report, tmp_path / "run")
    cases = store.read_reports([tmp_path])
    assert {c.recipe.name for c in cases} == {"popularity", "user_kernel", "user_kernel@target"}
    assert {c.launch.group for c in cases} == {"tiny: cake"}
    best = max(c.value for c in cases if c.control)
    assert all(c.launch.control == best for c in cases)
    assert all(c.launch.facts.people > 30 for c in cases)
    with pytest.raises(ArtifactError, match="there is no"):
        store.read_reports([tmp_path / "nowhere"])
    del report.protocol["steps"][0]["launch"]["own"]  # as in a report from before this was asked
    assert store.cases_of(report) == []
