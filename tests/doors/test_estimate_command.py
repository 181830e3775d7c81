"""`crossaisle estimate`: from files to a table, a document or a refusal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import Cli

PROPENSITY = {"a": 0.5, "b": 0.3, "c": 0.2}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    items = rng.choice(list(PROPENSITY), 2000, p=list(PROPENSITY.values()))
    clicked = (rng.random(2000) < np.where(items == "c", 0.5, 0.1)).astype(int)
    frame = pl.DataFrame({"item_id": items, "propensity": [PROPENSITY[i] for i in items], "click": clicked})
    frame.write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


def policy(folder: Path, **probability: float) -> Path:
    path = folder / "candidate.csv"
    pl.DataFrame({"item_id": list(probability), "probability": list(probability.values())}).write_csv(path)
    return path


def test_a_table_of_probabilities(cli: Cli, log: Path) -> None:
    said = cli("estimate", log, "--policy", policy(log.parent, a=0.2, c=0.8), "--rename.click", "reward")
    assert said.code == 0
    assert "doubly robust  <- read this" in said.out
    assert "depends on the item and its place alone" in said.out
    found = cli("estimate", log, "--policy", log.parent / "candidate.csv", "--rename.click", "reward", "--json").json
    assert found["refused"] is None
    assert found["values"]["dr"]["low"] < 0.42 < found["values"]["dr"]["high"]


def test_a_refusal_is_said_and_shows_the_log_alone(cli: Cli, log: Path) -> None:
    path = policy(log.parent, a=0.2, new=0.8)
    said = cli("estimate", log, "--policy", path, "--rename.click", "reward")
    assert said.code == 0
    assert "Too little to say: 80% of what the candidate shows" in said.out
    assert "SNIPS" not in said.out
    found = cli("estimate", log, "--policy", path, "--rename.click", "reward", "--json").json
    assert list(found["values"]) == ["logged"]


def test_a_recommender(cli: Cli, finished: Path, shop: Path, tmp_path: Path) -> None:
    cake = pl.read_csv(shop / "items.csv").filter(pl.col("domain") == "cake")["item_id"].to_list()
    users = pl.read_csv(shop / "interactions.csv")["user_id"].unique().sort().to_list()
    rng = np.random.default_rng(1)
    rows = pl.DataFrame({"user_id": rng.choice(users, 5000), "item_id": rng.choice(cake, 5000)})
    rows = rows.with_columns(propensity=pl.lit(1 / len(cake)), reward=pl.Series(rng.integers(0, 2, 5000)))
    rows.write_parquet(tmp_path / "shown.parquet")
    found = cli("estimate", tmp_path / "shown.parquet", "--candidate", finished, "--json").json
    assert found["unit"] == "user"
    assert found["support"]["mean_weight"]["low"] < 1 < found["support"]["mean_weight"]["high"]


def test_mistakes(cli: Cli, log: Path, tmp_path: Path) -> None:
    both = cli("estimate", log, "--policy", log, "--candidate", tmp_path)
    assert (both.code, "give one of them" in both.err) == (2, True)
    none = cli("estimate", log, "--rename.click", "reward")
    assert (none.code, "there is no candidate" in none.err) == (2, True)
    missing = cli("estimate", log)
    assert (missing.code, "reward: this column is missing" in missing.err) == (2, True)
    nowhere = cli("estimate", tmp_path / "no.csv")
    assert (nowhere.code, "no such file" in nowhere.err) == (2, True)


def test_the_store_of_a_service(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="no stores: pip install crossaisle[serve]")
    from crossaisle.stores import Event, Exposure, open_store

    rng, noon = np.random.default_rng(0), datetime(2024, 5, 1, 12)
    items = rng.choice(list(PROPENSITY), 3000, p=list(PROPENSITY.values()))
    shown = [Exposure(f"r{n}", f"u{n}", i, 1, PROPENSITY[i], "v1", noon) for n, i in enumerate(items)]
    clicks = [e for e in shown if rng.random() < (0.5 if e.item_id == "c" else 0.1)]
    store = open_store(tmp_path / "shop")
    assert cli("estimate", tmp_path / "shop", "--policy", policy(tmp_path, c=1.0)).code == 2
    store.add_exposures(shown)
    store.add_events([Event(f"e{n}", e.user_id, e.item_id, "cake", "click", noon) for n, e in enumerate(clicks)])
    store.close()
    found = cli("estimate", tmp_path / "shop", "--policy", policy(tmp_path, a=0.2, c=0.8), "--json").json
    assert found["refused"] is None
    assert found["values"]["dr"]["low"] < 0.42 < found["values"]["dr"]["high"]
    bought = cli("estimate", tmp_path / "shop", "--policy", tmp_path / "candidate.csv", "--event", "purchase", "--json")
    assert bought.json["values"]["logged"]["value"] == 0
