"""Past cases whose gains are known: mapping people pays where they are known, content where nothing was sold yet."""

from __future__ import annotations

import numpy as np

from crossaisle.advisor.cases import Case, Launch, Recipe
from crossaisle.gap.launch import LaunchFacts

CONTROL = 0.05
RECIPES = (Recipe("popularity"), Recipe("user_kernel"), Recipe("zero_shot", "shared_bottom"), Recipe("emcdr"))


def facts(known: float, rows: float = 500.0, agreement: float = 1.5, own: float = 2.0) -> LaunchFacts:
    return LaunchFacts(rows, rows / 3, 100.0, 0.5, 0.0, 1.0, 0.8, 3.0, 10_000.0, known, 20.0, agreement, own, 0.4)


def gain(recipe: Recipe, launch: LaunchFacts) -> float:
    """Logarithm of the true gain."""
    if recipe.method in ("user_kernel", "emcdr"):
        return 0.8 * launch.known - 0.4
    return -0.3 if recipe.method == "popularity" else 0.1


def made_up(targets: int = 12, noise: float = 0.03, seed: int = 0) -> list[Case]:
    draw = np.random.default_rng(seed)
    cases = []
    for number in range(targets):
        known = number / (targets - 1)
        launch = Launch("shop", f"t{number}", "week 2", facts(known), CONTROL)
        for recipe in RECIPES:
            value = (CONTROL + 0.001) * float(np.exp(gain(recipe, launch.facts) + noise * draw.normal())) - 0.001
            seconds = 60.0 if recipe.method == "zero_shot" else 2.0
            cases.append(Case(launch, recipe, recipe.method == "popularity", value, 0.001, seconds, 900.0))
    return cases
