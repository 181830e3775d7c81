"""A fitted recommender over the tiny World."""

from __future__ import annotations

import pytest

from crossaisle.api import transfer
from crossaisle.recommender import Recommender
from crossaisle.testing_world import tiny_world


@pytest.fixture(scope="session")
def shop_recommender() -> Recommender:
    return transfer(tiny_world(), "cake", method="popularity")
