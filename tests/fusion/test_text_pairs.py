"""Pairs of texts: of one person, none a negative that the person has, chance told from what goes together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from crossaisle.api import World
from crossaisle.encoders.text import TextEncoder
from crossaisle.errors import MethodError
from crossaisle.fusion.text_pairs import LEAST_PEOPLE, TextPairs
from crossaisle.testing_world import tiny_world

SOURCES = ("tea", "coffee")


def pairs_of(world: World, sources: tuple[str, ...] = SOURCES, **changes: float) -> TextPairs:
    asked = {"smoothing": 0.5, "across": 0.5} | changes
    return TextPairs.of(world, sources, TextEncoder(fields=("title",)), asked["smoothing"], asked["across"], 3)


def shop(rows: list[tuple[str, str]], **columns: list[str]) -> World:
    items = sorted({item for _, item in rows})
    told = {"item_id": items, "domain": ["a"] * len(items), "title": items} | columns
    bought = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row").with_columns(domain=pl.lit("a"))
    return World.from_frames(bought.with_columns(event=pl.lit("purchase")), pl.DataFrame(told))


def test_both_texts_are_of_one_person_and_differ() -> None:
    pairs, world = pairs_of(tiny_world()), tiny_world()
    rows = world.interactions.filter(pl.col("domain").is_in([world.domain_code(d) for d in SOURCES]))
    owned = rows.join(world.content.select("item", "title"), on="item").group_by("user").agg(pl.col("title"))
    bags = [set(bag) for bag in owned["title"]]
    drawn = pairs.draw(1, 64)
    assert len(drawn) == 64
    for a, b in zip(drawn.one, drawn.other, strict=True):
        assert a != b
        assert any({pairs.texts[a], pairs.texts[b]} <= bag for bag in bags)


def test_what_a_person_has_is_no_negative() -> None:
    pairs = pairs_of(tiny_world())
    drawn, owned = pairs.judges(), pairs.owned.toarray()[-pairs.held :] > 0
    assert drawn.known.diagonal().all()
    assert (drawn.known == (owned[:, drawn.other] | owned[:, drawn.one].T)).all()
    assert not drawn.known.all()


def test_a_step_is_drawn_alike_each_time_and_another_is_not() -> None:
    one, again, other = (pairs_of(tiny_world()).draw(step, 32) for step in (1, 1, 2))
    assert (one.one == again.one).all()
    assert (one.other == again.other).all()
    assert (one.one != other.one).any()


def test_people_held_out_do_not_train() -> None:
    pairs = pairs_of(tiny_world())
    assert len(pairs.judges()) == pairs.held == 8
    assert pairs.trained.shape[0] == pairs.owned.shape[0] - pairs.held
    assert pairs.trained.nnz + len(pairs.owned[-pairs.held :].indices) == pairs.owned.nnz


@pytest.mark.parametrize(("across", "share"), [(1.0, 1.0), (0.0, 0.5)])
def test_pairs_are_of_two_domains_where_that_is_asked(across: float, share: float) -> None:
    world = tiny_world()
    pairs = pairs_of(world, across=across)
    both = (pairs.trained.toarray()[:, [i for i, t in enumerate(pairs.texts) if " tea" in t]] > 0).any(axis=1).all()
    assert both
    drawn = pairs.draw(1, 400)
    told = [[" tea" in pairs.texts[n] for n in side] for side in (drawn.one, drawn.other)]
    found = np.mean(np.array(told[0]) != np.array(told[1]))
    assert found > 0.95 if share == 1 else 0.3 < found < 0.7


def test_popular_texts_come_less_often() -> None:
    def share(smoothing: float) -> float:
        pairs = pairs_of(tiny_world(), smoothing=smoothing)
        popular = np.argsort(-np.bincount(pairs.trained.indices))[:5]
        return float(np.isin(pairs.draw(1, 2000).other, popular).mean())

    assert share(0.0) < share(1.0) - 0.05


def test_same_words_are_one_text() -> None:
    rows = [(f"u{u}", f"i{i}") for u in range(30) for i in range(3)]
    pairs = pairs_of(shop(rows, title=["tea", "tea", "cup"]), ("a",))
    assert pairs.texts == ("cup", "tea")


def test_without_text_nothing_can_be_tuned() -> None:
    world = shop([("u1", "i1"), ("u1", "i2")])
    with pytest.raises(MethodError, match=r"no item has text in colour; add such a column to items"):
        TextPairs.of(world, ("a",), TextEncoder(fields=("colour",)), 0.5, 0.5, 0)


def test_too_few_people() -> None:
    rows = [(f"u{u}", f"i{i}") for u in range(LEAST_PEOPLE - 1) for i in range(2)] + [("single", "i0")]
    with pytest.raises(MethodError, match=r"19 people have two different texts .* 20 are needed; name more sources"):
        pairs_of(shop(rows), ("a",))
    assert pairs_of(shop([*rows, ("single", "i1")]), ("a",)).held == 2
