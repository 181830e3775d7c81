"""Twins found by our rule are those listed with the public splits."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.evaluate.slices import slices_of
from crossaisle.transfer.problem import Problem

BENCH = os.environ.get("CROSSAISLE_BENCH")


@pytest.mark.skipif(not BENCH, reason="CROSSAISLE_BENCH names no folder with the public splits")
@pytest.mark.parametrize(
    ("name", "target", "source"),
    [
        ("disencdr-sport-phone", "sport", "phone"),
        ("disencdr-sport-phone", "phone", "sport"),
        ("cdrib-game-video", "game", "video"),
        ("cdrib-game-video", "video", "game"),
    ],
)
def test_twin_free_drops_the_listed_lines(name: str, target: str, source: str) -> None:
    folder = Path(str(BENCH)) / name
    paths = {p: folder / f"{p}.parquet" for p in ("train", "valid", "test")}
    files = {p: pl.read_parquet(path) for p, path in paths.items() if path.exists()}
    listed = pl.read_parquet(folder / "twin.parquet").filter(pl.col("domain") == target)
    world = World.from_frames(pl.concat(list(files.values()), how="vertical"))
    ends = dict(zip(files, pl.Series([f.height for f in files.values()]).cum_sum(), strict=True))
    parts = {p: world.interactions[ends[p] - files[p].height : ends[p]] for p in files}
    domain = pl.col("domain") == world.domain_code(target)
    nothing = world.interactions.clear()
    split = Split(parts["train"], nothing, parts["test"].filter(domain), nothing, "given")
    made = slices_of(Problem(world, target, (source,), split, world.catalogue(target)))
    dropped = (made.relevant["new"].astype(int) - made.relevant["twin_free"].astype(int)).tocoo()
    items = world.item_ids.decode(world.catalogue(target)[dropped.col])
    found = set(zip(world.user_ids.decode(made.users[dropped.row]), items, strict=True))
    assert found == set(listed.select("user_id", "item_id").rows())
