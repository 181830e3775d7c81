"""The Python door: its example, what may be seen, and its sentences."""

from __future__ import annotations

import doctest
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

import crossaisle
import crossaisle.api
from crossaisle.api import Base, MethodSpec, Recommender, Study, World, evaluate, fuse, transfer
from crossaisle.errors import ConfigError, CrossaisleError, DataError, MethodError
from crossaisle.testing_world import LATE, START, tiny_world

CUT = START + timedelta(weeks=LATE)


@pytest.fixture(scope="module")
def world() -> World:
    return tiny_world()


def test_the_example_of_the_module() -> None:
    assert doctest.testmod(crossaisle.api).attempted > 3
    assert doctest.testmod(crossaisle.api).failed == 0


def test_the_names_of_the_package() -> None:
    assert crossaisle.World is World
    assert set(crossaisle.__all__) <= set(dir(crossaisle))
    with pytest.raises(AttributeError, match="no attribute 'Wordl'"):
        _ = crossaisle.Wordl


def sold(shop: Recommender) -> float:
    """Visible events of the target's items."""
    return float(shop.history.counts[:, shop.catalogue].sum())


def test_nothing_from_the_cut_on_is_seen(world: World) -> None:
    everything, before = (transfer(world, "cake", method="popularity", cut=c) for c in (None, CUT))
    assert sold(everything) > sold(before)
    rows = world.until(CUT).interactions
    assert before.history.counts.sum() == len(rows)


def test_weeks_hide_the_older_rows_of_the_target_alone(world: World) -> None:
    whole = transfer(world, "cake", method="popularity", cut=CUT)
    young = transfer(world, "cake", method="popularity", cut=CUT, weeks=2)
    code = world.domain_code("cake")
    rows = world.until(CUT).interactions
    target = rows.filter(rows["domain"] == code)
    late = target.filter(target["timestamp"] >= CUT - timedelta(weeks=2))
    assert young.history.counts.sum() == len(rows) - len(target) + len(late)
    assert sold(young) < sold(whole)


def test_sources_limit_what_is_read(world: World) -> None:
    tea = transfer(world, "cake", method="user_kernel", sources=["tea"], cut=CUT)
    both = transfer(world, "cake", method="user_kernel", cut=CUT)
    assert not np.allclose(tea.score(["u12"], ["cake01"]), both.score(["u12"], ["cake01"]))


def test_a_text_is_a_time(world: World) -> None:
    a, b = (transfer(world, "cake", method="popularity", cut=c) for c in (CUT, CUT.isoformat()))
    assert sold(a) == sold(b)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda w: transfer(w, "caek"), DataError, "did you mean 'cake'"),
        (lambda w: transfer(w, "cake", method="eese"), MethodError, "did you mean 'ease'"),
        (
            lambda w: transfer(w, "cake", method="ease", regularisation=2.0),
            ConfigError,
            "did you mean 'regularization'",
        ),
        (lambda w: transfer(w, "cake", method="ease", weeks=-1), ConfigError, "at least 0"),
        (lambda w: transfer(w, "cake", method="ease", weeks=0, cut=CUT), MethodError, "needs target_interactions"),
        (lambda w: transfer(w, "cake", method="ease", cut="soon"), ConfigError, "a time such as"),
        (lambda w: fuse(w, ["te"]), CrossaisleError, "tea|shared_bottom"),
        (lambda w: fuse(w, method="sharedbottom"), MethodError, "fusion method"),
    ],
)
def test_sentences(world: World, call: object, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        call(world)  # type: ignore[operator]


@pytest.mark.parametrize("method", ["zero_shot", "blend"])
def test_a_method_that_reads_a_base_gets_one(world: World, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    small = {"dim": 4, "hidden": 4, "collaborative": 4, "steps": 4, "content": {"text": ""}}
    asked: list[tuple[Sequence[str], object]] = []

    def fused(world: World, sources: Sequence[str], *, cut: object, seed: int) -> Base:
        asked.append((sources, cut))
        return fuse(world, sources, cut=CUT, seed=seed, **small)

    monkeypatch.setattr(crossaisle.api, "fuse", fused)
    made = transfer(world, "cake", method=method, cut=CUT, weeks=0)
    assert [(set(sources), cut) for sources, cut in asked] == [({"tea", "coffee"}, CUT)]
    assert made.recommend(["u12"], k=3).items.shape == (1, 3)


def test_a_base_sees_its_sources_alone(world: World) -> None:
    small = {"dim": 4, "hidden": 4, "collaborative": 4, "steps": 4, "content": {"text": ""}}
    codes = [world.domain_code(d) for d in ("tea", "coffee")]
    alone = replace(world, interactions=world.interactions.filter(world.interactions["domain"].is_in(codes)))
    one, other = (fuse(w, ["tea", "coffee"], cut=CUT, **small) for w in (world, alone))
    assert all(np.array_equal(one.weights[name], other.weights[name]) for name in other.weights)


def test_weeks_need_times(world: World) -> None:
    frame = {"user_id": ["a", "b", "a"], "item_id": ["x", "y", "y"], "domain": ["p", "p", "q"]}
    with pytest.raises(ConfigError, match="timestamp"):
        transfer(World.from_frames(frame), "p", method="popularity", weeks=2)


def test_evaluate_is_here_too(world: World) -> None:
    study = Study(target="cake", cut=datetime(2024, 3, 25), weeks=(2.0,), seeds=(0,), ship="user_kernel")
    report = evaluate(world, study, [MethodSpec("popularity"), MethodSpec("user_kernel")])
    assert report.ships[0].method == "user_kernel"
