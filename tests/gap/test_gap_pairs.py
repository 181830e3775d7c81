"""All ordered pairs at once say what one target after the other says; what they share is found once and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.api import GapReport, World, gap
from crossaisle.data.twins import twin_pairs
from crossaisle.distances import squares
from crossaisle.gap.behaviour import baskets, pauses
from crossaisle.gap.resampled import Draws, kernel_of, mmd_of, own_kernel
from crossaisle.gap.sides import GapOptions, Ground, Side, Tally, common
from crossaisle.progress import showing
from crossaisle.rng import generator
from crossaisle.testing_world import START

QUICK = {"text": "", "permutations": 20, "resamples": 20}


def shop(number: int, draw: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """120 items, a third of them the next shop's as well, bought by 90 of 120 people from the shop's first day on."""
    items, events = np.arange(120) + 80 * number, 1500
    bought = pl.DataFrame(
        {
            "user_id": draw.integers(10 * number, 90 + 10 * number, events).astype(str),
            "item_id": items[(draw.random(events) ** 2 * 100).astype(int)].astype(str),
            "timestamp": [START + timedelta(days=7 * number + int(day)) for day in draw.integers(0, 40, events)],
        }
    )
    # Two products of the shop's own, filed under one id in every shop's own range, with the same five buyers.
    twins = [
        (str(u), str(items[100 + t]), START + timedelta(days=30))
        for t in range(2)
        for u in range(40 + 5 * t, 45 + 5 * t)
    ]
    rows = pl.concat([bought, pl.DataFrame(twins, schema=bought.schema, orient="row")])
    words = draw.integers(0, 40, (120, 2)) + 5 * number
    shelf = pl.DataFrame(
        {
            "item_id": items.astype(str),
            "title": [f"w{a} w{b}" for a, b in words],
            "category": [f"kind {k}" for k in draw.integers(0, 4, 120)],
            "price": draw.lognormal(2 + number / 4, 0.5, 120),
        }
    )
    return rows.with_columns(event=pl.lit("purchase"), domain=pl.lit(f"d{number}")), shelf.with_columns(
        domain=pl.lit(f"d{number}")
    )


@pytest.fixture(scope="module")
def mall() -> World:
    draw = generator(0, "mall")
    shops = [shop(number, draw) for number in range(4)]
    return World.from_frames(pl.concat([rows for rows, _ in shops]), pl.concat([shelf for _, shelf in shops]))


@pytest.fixture(scope="module")
def every(mall: World) -> GapReport:
    return gap(mall, **QUICK)


@pytest.mark.parametrize("target", ["d0", "d2", "d3"])
def test_all_pairs_say_what_one_target_says(mall: World, every: GapReport, target: str) -> None:
    alone = [m for m in gap(mall, target, **QUICK).measures if m.target == target]
    assert len({m.source for m in alone}) == 4
    assert list(map(repr, alone)) == [repr(m) for m in every.measures if m.target == target]


def test_pairs_come_target_by_target(mall: World, every: GapReport) -> None:
    order = list(dict.fromkeys((m.target, m.source) for m in every.measures))
    names = mall.domains.ids.to_list()
    assert order == [(t, s) for t in names for s in (*(n for n in names if n != t), "*")]


def test_every_pair_is_seen_to_pass(mall: World) -> None:
    seen: list[tuple[int, int]] = []
    with showing(lambda task, done, total: seen.append((done, total)) if total else None):
        gap(mall, **QUICK)
    assert seen == [(done, 16) for done in range(17)]


@pytest.mark.parametrize(("source", "target"), [("d0", "d1"), ("d3", "d0"), ("d1", "d2")])
def test_twins_are_those_of_the_data(mall: World, every: GapReport, source: str, target: str) -> None:
    sold = np.unique(mall.interactions.filter(pl.col("domain") == mall.domain_code(target))["item"].to_numpy())
    found = np.diff(twin_pairs(mall, target, source, sold.astype(np.int64)).indptr) > 0
    assert 2 <= found.sum() < len(found)
    assert every.of(source, target)["item_twins"].value == pytest.approx(found.mean())


@pytest.mark.parametrize(
    ("one", "other"), [([], []), ([], [1]), ([3], [1, 2]), ([1, 2, 5, 9], [2, 3, 9, 11, 12]), ([7], [7])]
)
def test_common_codes(one: list[int], other: list[int]) -> None:
    a, b = (np.array(codes, dtype=np.int64) for codes in (one, other))
    assert common(a, b).tolist() == common(b, a).tolist() == np.intersect1d(a, b).tolist()


def test_a_tally_counts() -> None:
    tally = Tally.counted(np.array([4, 0, 4, 2, 4], dtype=np.uint32), 1)
    assert tally.codes.tolist() == [2, 4]
    assert tally.of(np.array([4, 2])).tolist() == [3, 1]


def test_what_two_sides_share_is_found_once_and_forgotten(mall: World) -> None:
    ground, calls = Ground(mall, mall.interactions, GapOptions(), 0), iter(range(9))
    a, b, c = (Side.of(name, mall, mall.interactions, (name,)) for name in ("d0", "d1", "d2"))
    pairs = [(a, b), (b, a), (b, c), (a, b)]
    assert [ground.between(*pair, "number", lambda: next(calls)) for pair in pairs] == [0, 0, 1, 2]
    assert list(ground.pair) == [("d0", "d1")]


def test_several_domains_are_not_kept(mall: World) -> None:
    ground, calls = Ground(mall, mall.interactions, GapOptions(), 0), iter(range(9))
    one, two = (Side.of(n, mall, mall.interactions, d) for n, d in (("d0", ("d0",)), ("*", ("d0", "d1"))))
    assert [ground.of_side("number", side, lambda: next(calls)) for side in (one, one, two, two)] == [0, 0, 1, 2]


def test_pauses_and_baskets_by_hand() -> None:
    days = [(0, 1), (0, 1), (0, 3), (0, 7), (2, 5), (3, 2), (3, 3)]
    rows = pl.DataFrame([(u, START + timedelta(days=d)) for u, d in days], schema=["user", "timestamp"], orient="row")
    assert pauses(rows).tolist() == [1.0, 2.0, 0.0]
    assert len(baskets(rows)) == 6


def _kernels(x: np.ndarray, y: np.ndarray) -> Iterator[torch.Tensor]:
    for one, other in ((x, x), (y, y), (x, y)):
        apart = squares(torch.from_numpy(one), torch.from_numpy(other))
        yield torch.stack([torch.exp(-apart / (w * 3.0)) for w in (0.25, 0.5, 1.0, 2.0, 4.0)]).mean(0)


def test_mmd_by_blocks_is_that_of_the_whole_kernel() -> None:
    draw = generator(0, "blocks")
    x, y = (draw.normal(size=(n, 3)).astype(np.float32) for n in (9, 7))
    xx, yy, xy = _kernels(x, y)
    whole = torch.cat([torch.cat([xx, xy], 1), torch.cat([xy.T, yy], 1)]).fill_diagonal_(0.0).double().numpy()
    blocks = mmd_of((own_kernel(x, 3.0), own_kernel(y, 3.0)), kernel_of(x, y, 3.0))
    draws = Draws.of(9, 7, draw, 5, 5)
    for a, b in (draws.plain, draws.mixed, draws.again):
        own = [np.einsum("ri,ij,rj->r", w, whole, w) / (1.0 - np.square(w).sum(axis=1)) for w in (a, b)]
        assert blocks(a, b) == pytest.approx(own[0] + own[1] - 2.0 * np.einsum("ri,ij,rj->r", a, whole, b), abs=1e-6)
