"""One small study with weeks, one with a single step."""

from __future__ import annotations

import pytest

from crossaisle.evaluate.result import Report
from crossaisle.evaluate.spec import MethodSpec, Study
from crossaisle.evaluate.study import evaluate
from crossaisle.testing_world import tiny_world

METHODS = (
    MethodSpec("popularity"),
    MethodSpec("ease"),
    MethodSpec("als"),
    MethodSpec("ease", "ease_all", {"scope": "all"}),
)


@pytest.fixture(scope="session")
def found() -> Report:
    return evaluate(tiny_world(), Study("cake", cut="2024-03-25", weeks=(0, 2, 8), ship="ease_all"), METHODS)


@pytest.fixture(scope="session")
def single() -> Report:
    return evaluate(tiny_world(), Study("cake", split="cold_users", share=0.4, ship="ease_all"), METHODS)
