"""Pairs of all tasks: what is drawn, what counts as a negative, and that a step's number says it all."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from crossaisle.encoders.content import ContentOptions
from crossaisle.fusion.ground import Ground, NetworkOptions
from crossaisle.testing_world import tiny_world
from crossaisle.train.pairs import PairSampler, thinned

SOURCES = ("tea", "coffee", "cake")


@pytest.fixture(scope="module")
def ground() -> Ground:
    options = NetworkOptions(batch=64, negatives=16, collaborative=4, content=ContentOptions(text=""))
    return Ground.open(tiny_world(), SOURCES, options, 0)


@pytest.fixture(scope="module")
def sampler(ground: Ground) -> PairSampler:
    return PairSampler(ground.sampler(), ground.events, 0.5)


def test_users_have_the_items_of_all_domains(ground: Ground, sampler: PairSampler) -> None:
    pairs, domains = sampler.pairs(1), set()
    for user, item in zip(pairs.users, pairs.items, strict=True):
        assert ground.events[user, item] > 0
        domains |= {name for name in SOURCES if item in ground.world.catalogue(name)}
    assert domains == set(SOURCES)
    assert len(pairs.items) == 64


def test_what_a_user_has_is_told_pair_by_pair(ground: Ground, sampler: PairSampler) -> None:
    pairs = sampler.pairs(2)
    dense = ground.events.toarray() > 0
    assert np.array_equal(pairs.has.numpy(), dense[pairs.users][:, pairs.items])
    assert np.array_equal(pairs.has_more.numpy(), dense[pairs.users][:, pairs.more])


def test_the_other_item_is_of_another_domain_where_there_is_one(ground: Ground, sampler: PairSampler) -> None:
    at_home = 0
    for step in range(1, 6):
        pairs = sampler.pairs(step)
        for user, item, more, paired in zip(pairs.users, pairs.items, pairs.more, pairs.paired, strict=True):
            assert ground.events[user, more] > 0
            assert paired == (item != more)
            homes = [set(ground.world.catalogue(n)) for n in SOURCES if item in ground.world.catalogue(n)]
            others = set(ground.events[user].indices) - {item}
            if not any(others - home for home in homes):
                at_home += 1
            else:
                assert any(more not in home for home in homes)
    assert at_home == 0  # everybody here buys in two shops at least


def test_somebody_with_one_item_is_paired_with_nothing(ground: Ground, sampler: PairSampler) -> None:
    few = ground.events.tolil()
    user = int(sampler.ranks.tasks[0].active[0])
    item = few.rows[user][0]
    few[user] = 0
    few[user, item] = 1.0
    lone = PairSampler(sampler.ranks, few.tocsr())
    draw = np.random.default_rng(0)
    assert lone._more(np.array([user]), np.array([item]), np.array([0]), draw).tolist() == [item]


def test_log_q_is_the_share_of_draws(sampler: PairSampler) -> None:
    chance = np.exp(sampler.log_q)
    assert chance.sum() == pytest.approx(1.0, abs=1e-5)
    drawn = np.concatenate([sampler.pairs(step).items for step in range(1, 101)])
    share = np.bincount(drawn, minlength=len(chance)) / len(drawn)
    assert np.abs(share - chance).max() < 4 * np.sqrt(chance.max() / len(drawn))
    assert np.corrcoef(share, chance)[0, 1] > 0.97


def test_a_step_depends_on_its_number_alone(ground: Ground, sampler: PairSampler) -> None:
    again = PairSampler(ground.sampler(), ground.events, 0.5)
    one, other = sampler.pairs(7), again.pairs(7)
    assert torch.equal(one.profile, other.profile)
    assert np.array_equal(one.more, other.more)
    assert one.views is not None
    assert other.views is not None
    assert torch.equal(one.views.one, other.views.one)
    assert not torch.equal(one.views.one, one.views.other)
    assert not np.array_equal(one.items, sampler.pairs(8).items)


def test_thinning_empties_no_row() -> None:
    events = sp.csr_matrix(np.array([[1.0, 2.0, 3.0], [0, 5.0, 0], [0, 0, 0]], dtype=np.float32))
    for seed in range(20):
        made = thinned(events, 0.01, np.random.default_rng(seed))
        assert (np.diff(made.indptr) > 0).tolist() == [True, True, False]
        assert np.isin(made.data, events.data).all()
    many = sp.csr_matrix(np.ones((50, 200), dtype=np.float32))
    assert thinned(many, 0.3, np.random.default_rng(0)).nnz == pytest.approx(3000, rel=0.1)
