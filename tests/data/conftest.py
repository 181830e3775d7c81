"""One small shop that all tests of the readers read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from crossaisle.data.world import World


@dataclass(frozen=True)
class Shop:
    """Three tables as a user would bring them."""

    interactions: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame

    def write(self, folder: Path, ending: str) -> Path:
        """The tables as files in `folder`."""
        for name, frame in vars(self).items():
            path = folder / f"{name}.{ending}"
            if ending == "parquet":
                frame.write_parquet(path)
            elif ending == "csv":
                frame.write_csv(path)
            else:
                frame.write_ndjson(path)
        return folder

    def world(self, **options: object) -> World:
        """Read as data frames."""
        return World.from_frames(self.interactions, self.items, self.users, **options)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return Shop(
        interactions=pl.DataFrame(
            {
                "user_id": ["ann", "bob", "ann", "cid", "王"],
                "item_id": ["007", "007", "cup", "pot, big", "cup"],
                "domain": ["tea", "tea", "ware", "ware", "ware"],
                "event": ["view", "purchase", "purchase", "return", "purchase"],
                "timestamp": [datetime(2024, 1, d, 9, 30, d) for d in range(1, 6)],
                "value": [1.0, 2.0, None, -1.0, 0.5],
                "price": [None, 2.25, 3.5, 10.0, 3.5],
                "currency": ["EUR", "EUR", None, "USD", "EUR"],
                "basket": [11, 12, 13, 14, 15],
            }
        ),
        items=pl.DataFrame(
            {
                "item_id": ["007", "cup", "cup", "pot, big"],
                "domain": ["tea", "tea", "ware", "ware"],
                "title": ['Tea "gold"', "Cup", "Cup", None],
                "price": [2.25, None, 3.5, 10.0],
                "weight": [0.25, 0.5, 0.5, 1.75],
            }
        ),
        users=pl.DataFrame({"user_id": ["ann", "bob"], "town": [None, "00501"], "age": [31, 40]}),
    )
