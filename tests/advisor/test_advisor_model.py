"""The model of past outcomes: closed forms against brute force, intervals that hold, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossaisle.advisor.model import Model, Points, Prior, covariance, left_out, stretch_of

PRIOR = Prior(shared=0.1, kin=0.1, same=0.3, constant=0.5, reach=0.6, noise=0.05)


def drawn(n: int, seed: int = 0) -> tuple[Points, np.ndarray, list[str]]:
    draw = np.random.default_rng(seed)
    recipes = [f"r{i}" for i in draw.integers(3, size=n)]
    groups = [f"g{i}" for i in draw.integers(5, size=n)]
    facts = draw.normal(size=(n, 4))
    outcomes = facts[:, 0] * np.array([r == "r0" for r in recipes]) + 0.1 * draw.normal(size=n)
    return Points(facts, recipes, ["even" if r == "r2" else "odd" for r in recipes]), outcomes, groups


def part(points: Points, rows: np.ndarray) -> Points:
    return Points(points.facts[rows], [points.recipes[i] for i in rows], [points.kinds[i] for i in rows])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_leaving_a_group_out_in_closed_form_is_fitting_without_it(seed: int) -> None:
    points, outcomes, groups = drawn(25, seed)
    kernel = covariance(PRIOR, points, points) + np.diag(np.full(25, PRIOR.noise))
    misses, deviations = left_out(np.linalg.inv(kernel), outcomes, groups)
    held = np.flatnonzero(np.array(groups) == groups[0])
    seen = np.setdiff1d(np.arange(25), held)
    if not len(seen):
        return
    across = covariance(PRIOR, part(points, held), part(points, seen))
    weights = across @ np.linalg.inv(kernel[np.ix_(seen, seen)])
    own = kernel[np.ix_(held, held)]
    centre = outcomes[seen].mean()
    foretold = centre + weights @ (outcomes[seen] - centre)
    np.testing.assert_allclose(misses[held], outcomes[held] - foretold, atol=1e-6)
    np.testing.assert_allclose(deviations[held] ** 2, np.diag(own - weights @ across.T), atol=1e-6)


def test_the_mean_is_the_weighted_sum_of_past_outcomes() -> None:
    points, outcomes, groups = drawn(40)
    model = Model.fit(PRIOR, points, outcomes, np.zeros(40), groups)
    asked = part(points, np.arange(5))
    found = model.expect(asked)
    np.testing.assert_allclose(found.mean, outcomes.mean() + found.weights @ (outcomes - outcomes.mean()))
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()


def test_the_interval_holds_the_error_of_what_will_be_measured() -> None:
    points, outcomes, groups = drawn(60)
    plain, rough = (Model.fit(PRIOR, points, outcomes, np.full(60, e), groups) for e in (0.0, 0.6))
    far = Points(np.full((1, 4), 50.0), ["new"], ["other"])
    own = [(m.expect(far).high - m.expect(far).mean) / m.stretch for m in (plain, rough)]
    assert own[1][0] ** 2 - own[0][0] ** 2 > 0.9 * 0.6**2


def test_far_from_every_case_the_answer_is_the_mean_with_a_wide_interval() -> None:
    points, outcomes, groups = drawn(60)
    model = Model.fit(PRIOR, points, outcomes, np.zeros(60), groups)
    far = model.expect(Points(np.full((1, 4), 50.0), ["new"], ["other"]))
    near = model.expect(part(points, np.array([0])))
    assert far.high[0] - far.low[0] > 1.5 * (near.high[0] - near.low[0])
    assert abs(far.mean[0] - outcomes.mean()) < 0.2


def test_the_stretch_holds_the_share_that_it_promises() -> None:
    misses = np.random.default_rng(0).normal(size=4_999)
    assert stretch_of(misses) == pytest.approx(1.2816, abs=0.05)
    assert (np.abs(misses) <= stretch_of(misses)).mean() == pytest.approx(0.8, abs=0.001)


def test_no_case_is_no_model() -> None:
    with pytest.raises(ValueError, match="at least one case"):
        Model.fit(PRIOR, Points(np.zeros((0, 4)), [], []), np.zeros(0), np.zeros(0), [])
