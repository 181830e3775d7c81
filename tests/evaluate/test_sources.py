"""Which sources are chosen where the truth is planted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossaisle.api import MethodSpec, SourceChoice, World, select_sources
from crossaisle.data.split import Split
from crossaisle.data.synthetic import synthetic
from crossaisle.errors import ConfigError, DataError, StorageError
from crossaisle.evaluate import source_trials
from crossaisle.evaluate import sources as selection
from crossaisle.evaluate.spec import entry_of
from crossaisle.evaluate.validation import Protocol, validation_of
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_problem
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.weights import beats

SAME: dict[str, Any] = {"users": 300, "items": 60, "interactions": 12.0, "user_overlap": 1.0, "item_overlap": 1.0}
"""The same people and items in all domains, so that what a source says is read as if the target had said it."""


@pytest.fixture(scope="module")
def planted() -> World:
    """``d1`` has the tastes of ``d0``, ``d2`` the opposite ones."""
    return synthetic(n_domains=3, conflict=1.0, conflict_domains=(2,), **SAME)[0]


def choice(world: World, **given: Any) -> SourceChoice:
    return select_sources(world, "d0", **{"weeks": 4.0, **given})


def test_the_helpful_source_is_chosen_and_the_harmful_one_left_out(planted: World) -> None:
    found = choice(planted)
    assert found.sources == ("d1",)
    assert "better than all sources beyond noise" in found.why
    adds = {a.source: a for a in found.adds}
    assert (adds["d1"].chosen, adds["d1"].verdict) == (True, "helps")
    assert (adds["d2"].chosen, adds["d2"].verdict) == (False, "hurts")
    assert adds["d2"].low <= adds["d2"].difference <= adds["d2"].high < 0
    assert [a.source for a in found.adds] == ["d1", "d2"]


def test_what_is_compared_fits_together(planted: World) -> None:
    found = choice(planted)
    none, forward, every = found.compared
    assert (none.sources, forward.sources, every.sources) == ((), ("d1",), ("d1", "d2"))
    assert forward.difference == pytest.approx(forward.quality - every.quality)
    assert found.adds[0].difference == pytest.approx(forward.quality - none.quality)
    assert found.adds[1].difference == pytest.approx(every.quality - forward.quality)
    assert [s.added for s in found.steps] == ["d1", None]
    assert set(found.steps[0].gains) == {"d1", "d2"}
    assert found.fits == 4  # none, all, each alone; the rest was fitted already


def test_without_any_shared_taste_the_target_stays_alone() -> None:
    world, _ = synthetic(n_domains=3, shared=0.0, **SAME)
    assert choice(world).sources == ()


def test_where_nothing_is_clearly_better_all_stay() -> None:
    world, _ = synthetic(n_domains=3, **{**SAME, "item_overlap": 0.0})
    found = choice(world)
    assert found.sources == ("d1", "d2")
    assert found.why == "no other set was better than all sources beyond noise"


def test_few_people_choose_nothing() -> None:
    world, _ = synthetic(n_domains=3, **{**SAME, "users": 30})
    found = choice(world, weeks=1.0)
    assert found.sources == ("d1", "d2")
    assert (found.fits, found.adds) == (0, ())
    assert found.why.startswith("too few people to choose: ")
    assert found.why.endswith(" and 20 are needed, so all sources stay")


def test_the_order_saves_fits() -> None:
    world, _ = synthetic(n_domains=6, conflict=1.0, conflict_domains=(2, 3, 4, 5), **SAME)
    rows, none = world.interactions, world.interactions.clear()
    names = ("d1", "d2", "d3", "d4", "d5")
    problem = Problem(world, "d0", names, Split(rows, none, none, none, "all"), world.catalogue("d0"))
    entry = entry_of(MethodSpec("user_kernel"))
    found = selection.select_sources(problem, entry, order={"d1": 1.0, "d5": 0.1}, tries=1)
    assert [list(s.gains) for s in found.steps] == [["d1"], ["d5"]]
    assert found.sources == ("d1",)
    whole = selection.select_sources(problem, entry)
    assert whole.sources == ("d1",)
    assert found.fits == 2 + 2 + 3  # none and all, d1 and d1 + d5, what each of the other three adds
    assert whole.fits == found.fits + 4  # d2, d3, d4 and d5 alone
    with pytest.raises(ConfigError, match="tries is 0"):
        selection.select_sources(problem, entry, tries=0)


def test_nearness_by_hand() -> None:
    problem = tiny_problem()
    near = selection.nearness(problem)
    assert list(near) == ["tea", "coffee"]
    rows = problem.visible.filter(problem.visible["domain"] == problem.domain_codes[1])
    # All who bought cake bought coffee, and one of the 24 cakes is sold as coffee as well.
    sold = np.isin(problem.catalogue, rows["item"].to_numpy()).mean()
    assert near["coffee"] == pytest.approx((1.0 + sold) * np.log1p(len(rows)))
    assert sold in (0.0, 1 / 24)


def test_a_set_of_sources_changes_what_is_seen_and_not_what_is_asked() -> None:
    problem = tiny_problem()
    asked = validation_of(problem)
    smaller = dataclasses.replace(asked, problem=dataclasses.replace(asked.problem, sources=("tea",)))
    codes = set(smaller.problem.visible["domain"].unique())
    assert codes == {problem.world.domain_code("tea"), problem.world.domain_code("cake")}
    assert smaller.problem.history.counts.sum() == len(smaller.problem.visible) < len(asked.problem.visible)
    assert np.array_equal(smaller.people, asked.people)


def test_what_is_held_out_can_be_chosen() -> None:
    problem, entry = tiny_problem(weeks=8.0), entry_of(MethodSpec("user_kernel"))
    half = selection.select_sources(problem, entry)
    one = selection.select_sources(problem, entry, protocol=Protocol("one"))
    assert 20 <= half.people < one.people  # one purchase of everybody with two or more
    counts = np.diff(problem.target_counts.indptr)
    assert one.people == (counts > 1).sum()


def test_the_same_again(planted: World) -> None:
    assert choice(planted) == choice(planted)
    assert choice(planted, seed=1).compared != choice(planted).compared


def test_it_goes_on_where_it_was_interrupted(planted: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def stop(task: str, number: int, total: int) -> None:
        done.append(number)
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), showing(stop):
        choice(planted, out=tmp_path)
    assert len(list(tmp_path.glob("user_kernel-*.json"))) == 3
    fits: list[tuple[str, ...]] = []
    whole = source_trials.SourceTrials._scored

    def counted(self: Any, asked: Any) -> Any:
        fits.append(asked.problem.sources)
        return whole(self, asked)

    monkeypatch.setattr(source_trials.SourceTrials, "_scored", counted)
    assert choice(planted, out=tmp_path) == choice(planted)
    assert len(fits) == 1 + 4
    fits.clear()
    next(tmp_path.glob("user_kernel-*.npz")).write_bytes(b"damaged")
    choice(planted, out=tmp_path)
    assert len(fits) == 1


def test_a_budget_ends_the_search(planted: World, tmp_path: Path) -> None:
    found = choice(planted, budget="0.001s")
    assert found.fits == 2
    assert found.steps[0].gains == {}
    assert found.adds == ()
    assert [c.name for c in found.compared] == ["none", "forward", "all"]


def test_bases_are_fused_from_each_set(
    fused: list[tuple[World, int]], study: Any, world: World, tmp_path: Path
) -> None:
    problem = tiny_problem(world)
    entry = entry_of(MethodSpec("test_carry", fusion="test_fusion"))
    found = selection.select_sources(problem, entry, folder=tmp_path)
    seen = [set(w.interactions["domain"].unique()) for w, _ in fused]
    tea, coffee = (world.domain_code(d) for d in ("tea", "coffee"))
    assert {tea, coffee} in seen
    assert {tea} in seen
    assert {coffee} in seen
    assert found.fits == 4


def test_what_cannot_be_fitted_counts_as_nothing(add_method: Callable[..., None], planted: World) -> None:
    def scores(base: Any, problem: Problem) -> Any:
        return np.tile(problem.target_counts.sum(axis=0), (problem.world.n_users, 1))

    add_method("test_several", scores, needs=("several_sources",))
    found = choice(planted, method="test_several")
    assert set(found.failed) == {"", "d1", "d2"}
    assert "needs several_sources" in found.failed["d1"]
    assert [c.quality > 0 for c in found.compared] == [False, False, True]
    assert found.sources == ("d1", "d2")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"order": {"d7": 1.0}}, ConfigError, "order: unknown source 'd7'"),
        ({"sources": ("d9",)}, DataError, "'d9'"),
        ({"sources": ("d0",)}, ConfigError, "no source domain beside 'd0'"),
        ({"budget": "soon"}, ConfigError, "budget is 'soon'"),
        ({"method": MethodSpec("user_kernel", options={"lamda": 1})}, ConfigError, "lamda"),
    ],
)
def test_bad_input_in_one_sentence(planted: World, given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        choice(planted, **given)


def test_a_disk_that_refuses(planted: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        choice(planted, out=tmp_path / "file" / "deeper")


def test_sets_that_are_tried_share_the_level_of_the_test() -> None:
    a, b = np.tile([1.26, -0.74], 50), np.zeros(100)  # t = 0.26 · √99 = 2.59, p = 0.0055 with 99 degrees of freedom
    assert beats(a, b)
    assert beats(a, b, 4)
    assert not beats(a, b, 5)
    assert not beats(b, b)
