"""What a fusion needs is stated, shown and checked before anything is read or trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from crossaisle.api import World, fuse
from crossaisle.errors import MethodError
from crossaisle.fusion.esmm import EsmmOptions
from crossaisle.fusion.method import FUSIONS, FusionMethod, fusion
from crossaisle.fusion.needs import POSSIBLE, chain_of, check_needs
from crossaisle.fusion.shared_bottom import SharedBottomOptions
from crossaisle.models.base import Base
from crossaisle.testing_world import sources_without, tiny_shown, tiny_world

SOURCES = ("tea", "coffee")


def needing(*needs: Any) -> FusionMethod:
    return FusionMethod("needy", lambda *_: pytest.fail("it was trained"), EsmmOptions, "a test", needs=needs)


def asked(world: World, need: str, sources: tuple[str, ...] = SOURCES, options: Any = None) -> None:
    check_needs(needing(need), world, sources, options if options is not None else EsmmOptions())


@pytest.mark.parametrize("need", POSSIBLE)
def test_a_world_that_lacks_a_need_is_refused_and_one_that_has_it_is_not(need: str) -> None:
    world = tiny_shown()
    asked(world, need)
    poor, sources = (world, ("tea",)) if need == "several_sources" else (sources_without(world, need), SOURCES)
    with pytest.raises(MethodError, match=rf"^fusion 'needy' needs {need}, which tea") as caught:
        asked(poor, need, sources)
    assert "\n" not in str(caught.value)


def test_what_the_target_has_counts_for_nothing() -> None:
    """Cake and coffee have people in common, tea and coffee have none: only the sources are looked at."""
    world = sources_without(tiny_world(), "overlapping_users")
    cake = tiny_world().interactions.filter(pl.col("domain") == world.domain_code("cake"))
    tea_and_cake = replace(world, interactions=pl.concat([world.interactions, cake]))
    asked(tea_and_cake, "overlapping_users", ("coffee", "cake"))
    with pytest.raises(MethodError, match="name sources that share people"):
        asked(tea_and_cake, "overlapping_users")


def test_exposures_are_events_by_the_names_that_the_options_give() -> None:
    world = tiny_shown()
    codes = [world.events.code(name) for name in ("view", "click", "purchase")]
    assert chain_of(world, "tea", ("view", "click", "purchase")) == codes
    assert chain_of(world, "tea", ("no such", "click", "purchase")) == codes[1:]
    assert chain_of(world, "tea", ("view", "click", "no such")) == []
    with pytest.raises(
        MethodError, match=r"which tea lacks here: seen or click events beside sold events of one domain"
    ):
        asked(world, "exposures", ("tea",), EsmmOptions(exposure="seen", purchase="sold"))


def test_a_fusion_with_a_need_refuses_before_it_reads_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FUSIONS, "_items", dict(FUSIONS._items))

    @fusion("picky", options=SharedBottomOptions, paper="a test", needs=("several_sources",))
    def fit(world: World, sources: tuple[str, ...], options: Any, seed: int) -> Base:
        pytest.fail("it was trained")

    with pytest.raises(
        MethodError, match="fusion 'picky' needs several_sources, which tea lacks here: name at least two"
    ):
        fuse(tiny_world(), ("tea",), method="picky")
    with pytest.raises(MethodError, match="needs several_sources"):
        fit(tiny_world(), ("tea",), SharedBottomOptions(), 0)


def test_a_need_that_no_fusion_can_have_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match=r"fusion 'odd' states needs \['warm_items'\]; it can have item_content"):
        fusion("odd", options=SharedBottomOptions, paper="a test", needs=("warm_items",))
