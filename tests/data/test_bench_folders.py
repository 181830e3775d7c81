"""Every set of the public benchmark folder reads as it lies there (counts as in its README)."""

import os
from pathlib import Path

import polars as pl
import pytest

from crossaisle.data.split import given
from crossaisle.data.world import World

BENCH = os.environ.get("CROSSAISLE_BENCH", "")
pytestmark = pytest.mark.skipif(not BENCH, reason="CROSSAISLE_BENCH does not name the folder of the public benchmarks")

SETS = {
    "online-retail": (406_829, 4_372, 38),
    "amazon-text-time": (43_043, 6_516, 2),
    "amazon-overlap": (662_436, 72_682, 3),
    "xmrec-t1": (559_922 + 2_697, 63_879, 5),
    "cdrib-game-video": (311_127 + 2_816 + 2_762, 42_303, 2),
    "disencdr-sport-phone": (93_004 + 7_697, 4_998, 2),
}


@pytest.mark.parametrize("name", SETS)
def test_the_set_reads_as_it_is(name):
    world = World.from_folder(Path(BENCH) / name, cache=False)
    assert (world.interactions.height, world.n_users, len(world.domains)) == SETS[name]
    assert world.facts["quarantined"] == 0
    assert world.name == name


def test_returns_load_with_their_negative_value():
    world = World.from_folder(Path(BENCH) / "online-retail", cache=False)
    assert world.events.ids.to_list() == ["purchase", "return"]
    returned = world.interactions.filter(pl.col("event") == world.events.code("return"))
    assert returned.height > 0
    assert (returned["value"] < 0).all()


@pytest.mark.parametrize(("name", "target", "asked"), [("xmrec-t1", "t1", 2_697), ("cdrib-game-video", "game", None)])
def test_the_given_split_is_that_of_the_files(name, target, asked):
    world = World.from_folder(Path(BENCH) / name, cache=False)
    split = given(world, target)
    test = pl.read_parquet(Path(BENCH) / name / "test.parquet").filter(pl.col("domain") == target)
    assert split.test.height == test.height == (asked or test.height)
    assert world.user_ids.decode(split.test["user"].to_numpy()) == test["user_id"].to_list()
    assert split.train.height == pl.scan_parquet(Path(BENCH) / name / "train.parquet").select(pl.len()).collect().item()
