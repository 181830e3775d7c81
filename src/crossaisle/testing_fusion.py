"""The contract that every fusion method keeps, for authors of new ones.

Four lines give a third-party fusion the whole suite::

    import pytest
    from crossaisle.testing_fusion import CHECKS, case

    @pytest.mark.parametrize("check", CHECKS)
    def test_contract(check): CHECKS[check](case("my_fusion", MyOptions(steps=5)))

or one: ``check_fusion("my_fusion", MyOptions(steps=5))``. Few steps keep it short: nothing here asks for quality.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .data.world import World
from .errors import MethodError
from .fusion.method import FUSIONS, FusionMethod
from .models.base import SHARED, Base
from .testing import lack_is_refused, options_are_spelled_once
from .testing_world import sources_without, tiny_problem, tiny_shown
from .transfer import zero_shot
from .transfer.method import NoOptions
from .types import Floats

__all__ = ["CHECKS", "FusionCase", "case", "check_fusion"]


@dataclass(frozen=True, eq=False)
class FusionCase:
    """One fusion on one tiny World.

    Attributes:
        method: the fusion under test.
        options: its options.
        world: meets its needs; from `tiny_shown` unless given.
        sources: what is fused.
    """

    method: FusionMethod
    options: Any
    world: World
    sources: tuple[str, ...] = ("tea", "coffee")

    @cached_property
    def base(self) -> Base:
        """The base, fused once."""
        return self.fit(self.world)

    def fit(self, world: World, sources: tuple[str, ...] | None = None) -> Base:
        """Fuse what `sources`, or those of the case, show in `world`."""
        chosen = sources if sources is not None else self.sources
        return self.method.fit(shown(world, chosen), chosen, self.options, 0)

    @cached_property
    def scores(self) -> Floats:
        """(users, catalogue of cake) scores of `base` on cake's launch day."""
        return launched(self.base, self.world)


def case(name: str, options: Any = None, world: World | None = None) -> FusionCase:
    """The FusionCase of fusion `name`.

    Args:
        name: as registered.
        options: default options when None; they take long, and read text with a model.
        world: `tiny_shown()` when None; it has the domains tea, coffee and cake.

    Raises:
        MethodError: for an unknown name.
    """
    method = FUSIONS.get(name)
    chosen = options if options is not None else method.options()
    return FusionCase(method, chosen, world if world is not None else tiny_shown())


def check_fusion(name: str, options: Any = None) -> None:
    """Run every check of the contract on fusion `name`.

    Raises:
        AssertionError: with the broken promise in words.
    """
    made = case(name, options)
    for check in CHECKS.values():
        check(made)


def shown(world: World, sources: tuple[str, ...]) -> World:
    """What a fusion of `sources` may see of `world`."""
    codes = [world.domain_code(name) for name in sources]
    return dataclasses.replace(world, interactions=world.interactions.filter(pl.col("domain").is_in(codes)))


def launched(base: Base, world: World) -> Floats:
    """(users, catalogue) scores of `base` for cake on its launch day, untrained: by the shared head."""
    problem = tiny_problem(world, weeks=0.0)
    scores: Floats = zero_shot.fit(base, problem, NoOptions()).scorer.score(problem.history)
    return scores


def base_says_what_it_is(c: FusionCase) -> None:
    """The base names its fusion and its sources, has the shared head first, and its facts are JSON."""
    base = c.base
    assert base.fusion == c.method.name, f"the base calls its fusion {base.fusion!r}, it is {c.method.name!r}"
    assert base.sources == c.sources, f"the base names sources {base.sources}, it was fused from {c.sources}"
    assert base.tasks[:1] == (SHARED,), f"the first head is {base.tasks[:1]}, needed is {SHARED!r}"
    strange = [n for n in base.tasks[1:] if n.rsplit("/", 1)[0] not in c.sources]
    assert not strange, f"heads {strange} are of no source"
    assert json.loads(json.dumps(base.facts)) == base.facts, "facts are no plain JSON"


def weights_and_scores_are_finite(c: FusionCase) -> None:
    """Neither the weights nor the scores of a new domain hold NaN or infinity."""
    bad = [name for name, tensor in c.base.weights.items() if not np.isfinite(tensor.numpy()).all()]
    assert not bad, f"weights {bad} hold NaN or infinity"
    assert np.isfinite(c.scores).all(), "scores hold NaN or infinity"


def same_seed_same_base(c: FusionCase) -> None:
    """Fusing again gives equal weights, bit for bit."""
    again = c.fit(c.world)
    assert again.weights.keys() == c.base.weights.keys(), "the same seed gave other weights"
    other = [n for n, t in c.base.weights.items() if not np.array_equal(t.numpy(), again.weights[n].numpy())]
    assert not other, f"the same seed gave other weights {other}"
    assert np.array_equal(c.scores, launched(again, c.world)), "the same seed gave other scores"


def save_and_load_keep_scores(c: FusionCase) -> None:
    """A saved and loaded base says the same of itself and gives the same scores, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "base"
        c.base.save(path)
        loaded = Base.load(path)
        for name in ("fusion", "sources", "tasks", "sizes", "facts"):
            one, other = getattr(c.base, name), getattr(loaded, name)
            assert one == other, f"{name} is {other} after loading, was {one}"
        assert np.array_equal(c.scores, launched(loaded, c.world)), "the loaded base gives other scores"


def people_and_items_in_common_or_not(c: FusionCase) -> None:
    """No people in common, no items, neither: a base with finite scores, or a sentence (all have both in the rest)."""
    apart = sources_without(c.world, "overlapping_users")
    no_items = sources_without(c.world, "overlapping_items")
    neither = sources_without(apart, "overlapping_items")
    for what, world in (("people", apart), ("items", no_items), ("people or items", neither)):
        answered_or_refused(c, world, c.sources, f"without {what} in common")


def any_number_of_sources(c: FusionCase) -> None:
    """One source, two or three: a base with finite scores, or a sentence."""
    for sources in (("tea",), ("coffee", "tea"), ("tea", "coffee", "cake")):
        answered_or_refused(c, c.world, sources, f"of {len(sources)} sources")


def a_target_of_its_own_is_answered(c: FusionCase) -> None:
    """A target that shares neither people nor items with what was fused gets finite scores, not all of them equal."""
    world = sources_without(c.world, "overlapping_items")
    theirs = (pl.col("domain") == world.domain_code("cake")) == (pl.col("user") >= world.n_users // 2)
    scores = launched(c.fit(dataclasses.replace(world, interactions=world.interactions.filter(theirs))), world)
    assert np.isfinite(scores).all(), "scores of a domain that shares nothing hold NaN or infinity"
    assert np.ptp(scores) > 0, "a domain that shares nothing gets one score for everything"


def gaps_in_content_are_answered_or_refused(c: FusionCase) -> None:
    """Items with gaps, or that say nothing at all: a base with finite scores, or a sentence."""
    items = c.world.items.with_row_index("row")
    told = [name for name in ("title", "brand", "price") if name in items.columns]
    gaps = [pl.when((pl.col("row") + n) % 3 > 0).then(pl.col(name)).alias(name) for n, name in enumerate(told)]
    answered_or_refused(
        c, dataclasses.replace(c.world, items=items.with_columns(gaps).drop("row")), c.sources, "with gaps"
    )
    answered_or_refused(c, sources_without(c.world, "item_content"), c.sources, "without content")


def needs_are_refused(c: FusionCase) -> None:
    """The tiny World meets all needs; one without a need is refused in one sentence that names it."""
    for need in c.method.needs:
        alone = need == "several_sources"
        world, sources = (c.world, c.sources[:1]) if alone else (sources_without(c.world, need), c.sources)
        lack_is_refused(need, partial(c.fit, world, sources))


def world_is_left_alone(c: FusionCase) -> None:
    """Fusing changes nothing in the World."""
    world = shown(c.world, c.sources)
    frames = (world.interactions, world.items, world.users)
    before = [f.clone() for f in frames]
    c.method.fit(world, c.sources, c.options, 0)
    assert all(a.equals(b) for a, b in zip(frames, before, strict=True)), "the fusion changed a table"


def answered_or_refused(c: FusionCase, world: World, sources: tuple[str, ...], what: str) -> None:
    """A base of `sources` with finite scores, or a refusal in one sentence."""
    try:
        base = c.fit(world, sources)
    except MethodError as error:
        message = str(error)
        assert "\n" not in message, f"refused {what} in more than a sentence: {message}"
        return
    assert base.sources == sources, f"{what}, the base names sources {base.sources}, it was fused from {sources}"
    assert np.isfinite(launched(base, world)).all(), f"{what}, scores hold NaN or infinity"


CHECKS: dict[str, Callable[[FusionCase], None]] = {
    f.__name__: f
    for f in (
        base_says_what_it_is,
        weights_and_scores_are_finite,
        same_seed_same_base,
        save_and_load_keep_scores,
        people_and_items_in_common_or_not,
        any_number_of_sources,
        a_target_of_its_own_is_answered,
        gaps_in_content_are_answered_or_refused,
        needs_are_refused,
        options_are_spelled_once,
        world_is_left_alone,
    )
}
"""Every promise of the contract by name; each takes a `FusionCase` and raises AssertionError."""
