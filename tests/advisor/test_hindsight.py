"""Hindsight without luck, by hand: what is chosen on one half of the people is judged on the other."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks/hindsight.py"


@pytest.fixture(scope="module")
def hindsight() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hindsight", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hindsight"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def test_a_lead_that_is_luck_is_lost_on_the_other_half(hindsight: ModuleType) -> None:
    lucky = np.array([[1.0, 0.0], [0.0, 1.0]])  # each recipe serves one of two people
    found = hindsight.halved(lucky, 0, splits=50)
    assert (found.hindsight == 0.0).all()
    assert (found.most == 1.0).all()
    assert set(found.chosen.tolist()) == {0.0, 1.0}


def test_a_lead_that_is_real_stays(hindsight: ModuleType) -> None:
    worse = np.random.default_rng(0).random(101)
    found = hindsight.halved(np.stack([worse, worse + 0.1]), 0)
    assert (found.hindsight == found.most).all()
    assert found.hindsight - found.chosen == pytest.approx(0.1)
    assert found.chosen.mean() == pytest.approx(worse.mean(), rel=0.01)


def test_a_target_counts_by_the_sum_over_its_launches(hindsight: ModuleType) -> None:
    def launch(chosen: float, best: float) -> object:
        return hindsight.Halved(*(np.full(2, v) for v in (chosen, best, 2 * best)))

    rows = [launch(0.5, 1.0), launch(10.0, 10.0), launch(0.9, 1.0)]
    found = hindsight.fair(rows, ["a", "a", "b"], 0.95)
    assert found["mean of chosen over hindsight"] == pytest.approx((0.5 + 1.0 + 0.9) / 3)
    assert found["launches within 3 %"] == pytest.approx(1 / 3)
    assert found["targets within 3 % (sum over steps)"] == 0.5
    assert found["hindsight over the best on the half itself"] == 0.5
    assert found["targets where hindsight is within 3 % of the best on the half itself"] == 0.0
