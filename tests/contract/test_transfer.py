"""Every registered transfer method keeps the contract; methods added later join by being registered."""

from __future__ import annotations

import os
from functools import cache

import pytest

import crossaisle.transfer  # noqa: F401  registers the methods
from crossaisle.errors import MethodError
from crossaisle.testing import CHECKS, Case, case, check_transfer
from crossaisle.transfer.method import METHODS

os.environ.setdefault("OMP_NUM_THREADS", "1")


@cache
def made(name: str) -> Case:
    return case(name)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", METHODS.names())
def test_contract(name: str, check: str) -> None:
    CHECKS[check](made(name))


def test_unknown_methods_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(MethodError, match="popularity"):
        check_transfer("popularty")
