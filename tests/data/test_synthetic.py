import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossaisle.data.synthetic import SyntheticOptions, synthetic
from crossaisle.data.world import World
from crossaisle.errors import ConfigError

SMALL = {"n_domains": 2, "users": 60, "items": 40, "dim": 4}
EXAMPLES = settings(max_examples=12, deadline=None)


def agreement(truth, users) -> float:
    """Mean cosine of the users' tastes as the two domains see them."""
    one, two = truth.users["d0"][users], truth.users["d1"][users]
    return float(((one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)).mean())


@EXAMPLES
@given(seed=st.integers(0, 2**31), overlap=st.floats(0, 1), shared=st.floats(0, 1))
def test_the_same_seed_gives_the_same_world(seed, overlap, shared):
    options = {**SMALL, "seed": seed, "user_overlap": overlap, "shared": shared}
    (one, truth), (two, again) = World.synthetic(**options), World.synthetic(**options)
    assert one.fingerprint == two.fingerprint
    assert np.array_equal(truth.scores("d1"), again.scores("d1"))
    assert World.synthetic(**{**options, "seed": seed + 1})[0].fingerprint != one.fingerprint


@EXAMPLES
@given(overlap=st.floats(0, 1), users=st.integers(2, 80), n_domains=st.integers(2, 4))
def test_domains_have_the_asked_share_of_users_in_common(overlap, users, n_domains):
    options = {**SMALL, "users": users, "n_domains": n_domains, "user_overlap": overlap, "item_overlap": overlap}
    world, truth = World.synthetic(**options)
    seen = [set(world.interactions.filter(pl.col("domain") == d)["user"]) for d in range(n_domains)]
    assert all(len(s) == users for s in seen)
    assert len(set.intersection(*seen)) == round(users * overlap)
    assert set(truth.members["d1"]) == seen[1]
    listed = [set(world.catalogue(f"d{d}")) for d in range(n_domains)]
    assert len(set.intersection(*listed)) == round(40 * overlap)
    assert set(truth.catalogues["d0"]) == listed[0]


@EXAMPLES
@given(seed=st.integers(0, 99), shared=st.floats(0, 1))
def test_without_distance_and_conflict_shared_factors_are_the_same(seed, shared):
    _, truth = synthetic(**SMALL, seed=seed, shared=shared)
    same = np.isclose(truth.users["d0"], truth.users["d1"]).all(axis=0)
    assert same.sum() == round(4 * shared)


@EXAMPLES
@given(seed=st.integers(0, 99))
def test_distance_and_conflict_lower_the_agreement(seed):
    def agree(**changes):
        _, truth = synthetic(**SMALL, seed=seed, **changes)
        return agreement(truth, truth.members["d0"])

    assert agree() == pytest.approx(1)
    for name in ("distance", "conflict"):
        values = [agree(**{name: v}) for v in (0.0, 0.25, 0.5, 1.0)]
        assert values == sorted(values, reverse=True)
        assert values[-1] < 0.1
    assert agree(conflict=1.0) == pytest.approx(-1)
    assert agree(distance=1.0) == pytest.approx(0, abs=1e-5)


def test_what_is_bought_follows_the_truth():
    world, truth = synthetic(**{**SMALL, "users": 400}, interactions=40.0, seed=3)
    rows = world.interactions.filter(pl.col("domain") == 0)
    place = {item: i for i, item in enumerate(truth.catalogues["d0"])}
    bought = np.zeros((world.n_users, 40))
    np.add.at(bought, (rows["user"].to_numpy(), [place[i] for i in rows["item"]]), 1)
    users = truth.members["d0"]
    odds = np.exp(truth.scores("d0", users) - truth.scores("d0", users).max(1, keepdims=True))
    expected = (odds / odds.sum(1, keepdims=True)).sum(0)
    found = (bought[users] / bought[users].sum(1, keepdims=True)).sum(0)
    assert np.abs(found - expected).sum() / 2 < 0.03 * 400


def test_skew_makes_few_items_popular():
    def top(skew):
        world, _ = synthetic(**SMALL, skew=skew, strength=0.0, interactions=40.0)
        counts = world.interactions.filter(pl.col("domain") == 0)["item"].value_counts(sort=True)["count"]
        return counts[:4].sum() / counts.sum()

    assert top(0.0) < 0.2 < 0.4 < top(1.5)


def test_the_world_is_like_a_real_one():
    world, _ = World.synthetic(SyntheticOptions(seed=1), weeks=4.0)
    assert world.timed
    times = world.interactions["timestamp"]
    assert times.is_sorted()
    assert (times.max() - times.min()).days in (27, 28)
    assert {"title", "brand", "category", "price"} <= set(world.items.columns)
    assert world.items["title"].null_count() == 0
    assert world.users["group"].unique().sort().to_list() == ["high", "low", "middle"]


def test_content_tells_of_the_taste():
    world, truth = synthetic(**{**SMALL, "items": 400}, content_noise=0.0)
    kind = world.content["category"]
    vectors = truth.items - truth.items.mean(0)
    within = [vectors[(kind == k).to_numpy()].var(0).sum() for k in kind.unique()]
    assert np.mean(within) < 0.6 * vectors.var(0).sum()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"user_overlap": 1.5}, "synthetic options: user_overlap is 1.5; a share from 0 to 1 is needed"),
        ({"users": 0}, "synthetic options: users is 0; a whole number ≥ 1 is needed"),
        ({"weeks": 0.0}, "interactions must be ≥ 1 and weeks > 0"),
        ({"overlap": 0.5}, "unknown key 'overlap': did you mean"),
    ],
)
def test_options_out_of_range_are_said(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        synthetic(**options)
