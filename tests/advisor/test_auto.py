"""Auto: trials and advice weighed by hand-worked numbers, the control where it wins, and what it tells."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_up_cases import made_up

from crossaisle.advisor.advice import Advice, advise
from crossaisle.advisor.auto import SURE, Tried, candidates, decided, led, posterior, tried_on, untried
from crossaisle.advisor.outlook import FLOOR
from crossaisle.api import Base, fuse, transfer
from crossaisle.errors import MethodError
from crossaisle.evaluate.bases import Bases
from crossaisle.evaluate.validation import validation_of
from crossaisle.testing_world import tiny_problem, tiny_world


def expecting(recipe: str, gain: float, spread: float, control: bool = False) -> Advice:
    """Advice whose logarithm is N(log(1 + gain), spread²)."""
    mean, half = np.log1p(gain), spread * SURE / 2
    ends = [float(np.expm1(mean - half)), float(np.expm1(mean + half))]
    word = "control" if control else "may help"
    return Advice(recipe, recipe, None, {}, (), control, gain, *ends, 1.0, 1.0, word, (), ())


def people(mean: float, n: int = 400, seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(mean, 0.05, n), 0.0, 1.0)


def test_a_trial_and_an_expectation_are_weighed_by_their_precision() -> None:
    control = Tried(expecting("ease", 0.0, 0.1, control=True), np.array([0.1, 0.3, 0.2, 0.2]))
    tried = Tried(expecting("user_kernel", 0.0, 0.1), np.array([0.2, 0.5, 0.3, 0.2]))
    found = np.log((0.3 + FLOOR) / (0.2 + FLOOR))
    error = np.std(tried.quality / (0.3 + FLOOR) - control.quality / (0.2 + FLOOR), ddof=1) / 2
    worth = 1 / 0.1**2, 1 / error**2
    assert posterior(tried, control) == pytest.approx(found * worth[1] / sum(worth), rel=1e-6)


def test_a_trial_counts_where_the_control_has_next_to_nothing() -> None:
    control = Tried(expecting("ease", 0.0, 0.3, control=True), np.zeros(100))
    tried = Tried(expecting("zero_shot", 0.0, 0.3), people(0.1, n=100))
    assert posterior(tried, control) > 0.9 * np.log((0.1 + FLOOR) / FLOOR)


def test_without_a_control_that_ran_the_first_recipe_keeps_what_advice_expects_of_it() -> None:
    same = people(0.2)
    failed = Tried(expecting("ease", 0.0, 0.1, control=True), np.zeros(0), "it broke.")
    first, second = Tried(expecting("a", 0.5, 0.1), same), Tried(expecting("b", 0.3, 0.1), same)
    assert posterior(first, first) == pytest.approx(np.log(1.5))
    assert decided([failed, first, second])[0].recipe == "a"


def test_without_a_trial_that_says_much_the_advice_decides() -> None:
    control = Tried(expecting("ease", 0.0, 0.01, control=True), people(0.2, n=5))
    good, bad = (Tried(expecting(n, g, 0.01), people(0.2, n=5, seed=s)) for n, g, s in (("a", 0.3, 1), ("b", -0.3, 2)))
    assert decided([control, bad, good])[0].recipe == "a"


def test_the_control_ships_where_it_wins_beyond_noise() -> None:
    control = Tried(expecting("ease", 0.0, 0.1, control=True), people(0.30))
    promised = Tried(expecting("user_kernel", 1.0, 0.001), people(0.25, seed=1))
    chosen, why = decided([control, promised])
    assert chosen.recipe == "ease"
    assert "lost to it on held-out rows" in why


def test_what_could_not_run_is_no_choice() -> None:
    failed = Tried(expecting("zero_shot", 1.0, 0.1), np.zeros(0), "there is no base.")
    ran = Tried(expecting("ease", -0.5, 0.1, control=True), people(0.2))
    assert decided([failed, ran])[0].recipe == "ease"
    with pytest.raises(MethodError, match="there is no base"):
        decided([failed])


def test_the_first_transfers_and_the_first_control_are_tried() -> None:
    rows = advise(tiny_problem(), made_up()).rows
    found = candidates(rows, 2)
    assert [r.control for r in found].count(True) == 1
    assert [r for r in found if not r.control] == [r for r in rows if not r.control][:2]


def test_the_blend_leads_unless_the_advice_is_clear() -> None:
    blend = expecting("blend", 0.2, 0.1)
    unclear, clear = expecting("item_prior", 0.25, 0.1), expecting("zero_shot", 1.0, 0.1)
    assert unclear.low < blend.gain < clear.low
    assert led([unclear, blend]) == [blend, unclear]
    assert led([clear, unclear, blend]) == [clear, unclear, blend]
    assert led([unclear]) == [unclear]
    control = expecting("ease", 0.25, 0.1, control=True)
    assert led([control, blend]) == [control, blend]


def test_a_blend_that_is_expected_to_be_best_is_fitted_without_trials() -> None:
    blend, other, control = expecting("blend", 0.2, 0.1), expecting("als_mix", 0.1, 0.1), expecting("ease", 0.0, 0.1)
    assert "weighs its parts" in untried([blend, other, control], enough=True)
    assert untried([other, blend, control], enough=True) == ""
    assert "too few people" in untried([other, blend, control], enough=False)
    assert untried([control], enough=True) == "nothing else can run"


def test_the_base_that_is_given_serves_the_recipes_of_its_own_fusion() -> None:
    world = tiny_world()
    quick = {"steps": 2, "dim": 4, "hidden": 8, "collaborative": 4, "content": {"text": ""}}
    given = fuse(world, ["tea", "coffee"], method="mmoe", **quick)
    asked = validation_of(tiny_problem(weeks=8.0))

    class Fused(Exception):
        pass

    class Refusing(Bases):
        def get(self, *_: object) -> tuple[Base, float]:  # type: ignore[override]
            raise Fused

    own, other = (dataclasses.replace(expecting("zero_shot", 0.1, 0.1), fusion=f) for f in ("mmoe", "shared_bottom"))
    assert len(tried_on(own, asked, given, Refusing()).quality)
    with pytest.raises(Fused):
        tried_on(other, asked, given, Refusing())


def test_auto_fits_one_of_what_it_tried_and_says_why() -> None:
    shop = transfer(tiny_world(), "cake", method="auto", cut="2024-03-25", explainable=True, tries=2)
    told = shop.facts["auto"]
    assert told["chosen"] in {t["recipe"] for t in told["tried"]}
    assert len(told["tried"]) == 3
    assert all(t["held_out"] is not None or t["failed"] for t in told["tried"])
    assert shop.recommend(["u12"], k=3).items.shape == (1, 3)


def test_without_people_to_hold_out_the_advice_is_followed() -> None:
    shop = transfer(tiny_world(), "cake", method="auto", cut="2024-03-25", weeks=0, explainable=True)
    assert "too few people" in shop.facts["auto"]["why"]
