"""Every registered fusion keeps the contract; fusions added later join by being registered."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import crossaisle.api  # noqa: F401  registers the methods
from crossaisle.config import build
from crossaisle.errors import MethodError
from crossaisle.fusion.method import FUSIONS
from crossaisle.testing_fusion import CHECKS, FusionCase, case, check_fusion

QUICK: dict[str, Any] = {
    "steps": 5, "batch": 16, "negatives": 16, "dim": 4, "hidden": 8, "collaborative": 4, "content": {"text": ""},
}  # fmt: skip
MORE: dict[str, dict[str, Any]] = {"distil": {"teacher_options": {n: v for n, v in QUICK.items() if n != "content"}}}


@cache
def made(name: str) -> FusionCase:
    return case(name, build(FUSIONS.get(name).options, QUICK | MORE.get(name, {})))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", FUSIONS.names())
def test_contract(name: str, check: str) -> None:
    CHECKS[check](made(name))


def test_unknown_fusions_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(MethodError, match="shared_bottom"):
        check_fusion("shared_botom")
