"""The contract suite of fusions catches what it says it catches: one broken fusion per promise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.config import build
from crossaisle.data.world import World
from crossaisle.errors import MethodError
from crossaisle.fusion import shared_bottom
from crossaisle.fusion.method import FusionMethod
from crossaisle.fusion.shared_bottom import SharedBottomOptions
from crossaisle.models.base import Base
from crossaisle.testing_fusion import CHECKS, FusionCase
from crossaisle.testing_world import tiny_shown

QUICK: Any = build(
    SharedBottomOptions,
    {"steps": 2, "batch": 8, "negatives": 8, "dim": 4, "hidden": 8, "collaborative": 4, "content": {"text": ""}},
)
CHANCE = np.random.default_rng(0)


@dataclass(frozen=True)
class Undocumented(SharedBottomOptions):
    size: int = 1


def broken(flaw: str) -> FusionCase:
    def fit(world: World, sources: tuple[str, ...], options: Any, seed: int) -> Base:
        if flaw == "talks" and len(sources) == 1:
            raise MethodError("no.\nOne source is too few.")
        if flaw == "mutates":
            world.interactions[0, "user"] = 1
        base = dataclasses.replace(shared_bottom.fit(world, sources, QUICK, seed), fusion="broken")
        weights = {name: tensor.clone() for name, tensor in base.weights.items()}
        if flaw == "nan" or (flaw == "nan apart" and not shared(world)):
            weights["item.vector.bias"][:] = torch.nan
        if flaw == "random":
            weights["item.vector.bias"] += float(CHANCE.random())
        if flaw == "same":
            for name in ("item.vector.weight", "item.vector.bias", "item.bias.2.weight"):
                weights[name][:] = 0
        made = dataclasses.replace(base, weights=weights)
        if flaw == "forgets":
            made = dataclasses.replace(made, facts={**made.facts, "sizes": (1, 2)})
        return dataclasses.replace(made, fusion="other") if flaw == "name" else made

    needs: Any = ("timestamps",) if flaw == "needs" else ()
    options: type = Undocumented if flaw == "options" else SharedBottomOptions
    return FusionCase(FusionMethod("broken", fit, options, "", needs=needs), options(), tiny_shown())


def shared(world: World) -> bool:
    """Whether anybody buys in two domains."""
    return bool((world.interactions.group_by("user").agg(n=pl.col("domain").n_unique())["n"] > 1).any())


@pytest.mark.parametrize(
    ("flaw", "check"),
    [
        ("name", "base_says_what_it_is"),
        ("forgets", "base_says_what_it_is"),
        ("forgets", "save_and_load_keep_scores"),
        ("nan", "weights_and_scores_are_finite"),
        ("random", "same_seed_same_base"),
        ("nan apart", "people_and_items_in_common_or_not"),
        ("talks", "any_number_of_sources"),
        ("same", "a_target_of_its_own_is_answered"),
        ("nan", "gaps_in_content_are_answered_or_refused"),
        ("needs", "needs_are_refused"),
        ("options", "options_are_spelled_once"),
        ("mutates", "world_is_left_alone"),
    ],
)
def test_a_flaw_is_caught(flaw: str, check: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](broken(flaw))


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_fusion_passes(check: str) -> None:
    CHECKS[check](broken(""))
