"""Batches: one number, one batch; nobody sees the item that is to be found; launch hides the domain."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from crossaisle.encoders.content import Content
from crossaisle.models.profile import Profiles, only
from crossaisle.train.batches import Batch, Sampler, task_data

USERS, ITEMS = 40, 30
SHELVES = {1: np.arange(0, 12), 2: np.arange(10, 30)}  # two items are in both domains
DRAW = np.random.default_rng(0)


def one_event(items: np.ndarray) -> sp.csr_matrix:
    mask = np.zeros((USERS, ITEMS), dtype=bool)
    mask[:, items] = DRAW.random((USERS, len(items))) < 0.4
    return sp.csr_matrix(mask * (1 + DRAW.random((USERS, ITEMS))), dtype=np.float32)


OWN = {task: one_event(items) for task, items in SHELVES.items()}
EVENTS = (OWN[1] + OWN[2]).tocsr()
NOTHING = np.zeros((ITEMS, 0), dtype=np.int64)
PROFILES = Profiles.fit(EVENTS, Content(np.eye(ITEMS, dtype=np.float32), NOTHING.astype(np.float32), NOTHING), 4, 0)
LEVELS = np.arange(USERS).reshape(-1, 1)
SAMPLER = Sampler(task_data(OWN, SHELVES, EVENTS, PROFILES), PROFILES, LEVELS, seed=3, size=16, negatives=8)


def users_of(batch: Batch) -> np.ndarray:
    return batch.levels[:, 0].numpy()  # the level of a user is the user


def same(one: Batch, other: Batch) -> bool:
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(Batch)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else np.array_equal(a, b) for a, b in pairs)


def test_a_step_is_a_batch() -> None:
    assert same(SAMPLER(7), SAMPLER(7))
    assert not same(SAMPLER(7), SAMPLER(8))
    assert not same(SAMPLER(7), dataclasses.replace(SAMPLER, seed=4)(7))
    assert {SAMPLER(s).task for s in range(20)} == {1, 2}
    assert len(SAMPLER(7)) == 16


@pytest.mark.parametrize("launch", [0.0, 1.0])
def test_profiles_are_what_is_known_without_the_item(launch: float) -> None:
    sampler = dataclasses.replace(SAMPLER, launch=launch)
    for step in range(6):
        batch = sampler(step)
        shelf = np.isin(np.arange(ITEMS), SHELVES[batch.task])
        for row, user in enumerate(users_of(batch)):
            positive = batch.items[batch.positive[row]]
            assert OWN[batch.task][user, positive] > 0
            left = EVENTS[[user]].tolil()
            left[0, positive] = 0
            history = left.tocsr()
            history.eliminate_zeros()
            inside = PROFILES.sums(only(history, shelf)) * (1 - launch)
            wanted = PROFILES.pair(PROFILES.sums(only(history, ~shelf)), inside.astype(np.float32))
            assert batch.profile[row].numpy() == pytest.approx(wanted[0], abs=2e-3)


def test_another_event_of_the_same_item_does_not_give_it_away() -> None:
    """Views and purchases of one domain: who is to be found by purchases is not known by the view of the item."""
    view = one_event(SHELVES[1])
    bought = view.multiply(DRAW.random((USERS, ITEMS)) < 0.5).tocsr()
    bought.eliminate_zeros()
    events = (view + bought).tocsr()
    data = task_data({1: view, 2: bought}, {1: SHELVES[1], 2: SHELVES[1]}, events, PROFILES)
    batch = Sampler(data, PROFILES, LEVELS, seed=0, launch=1.0)(1)
    assert not batch.profile.any()  # there is no other domain, and this one is hidden


def test_excluded_marks_what_the_user_has_and_drawn_items_are_of_the_domain() -> None:
    for step in range(6):
        batch = SAMPLER(step)
        drawn = batch.items[batch.negatives]
        assert np.isin(drawn, SHELVES[batch.task]).all()
        assert len(np.unique(drawn)) == 8
        has = OWN[batch.task][users_of(batch)][:, drawn].toarray() > 0
        assert np.array_equal(batch.excluded.numpy(), has)


def test_a_small_catalogue_is_taken_whole() -> None:
    batch = dataclasses.replace(SAMPLER, negatives=100)(1)
    assert np.array_equal(np.sort(batch.items[batch.negatives]), SHELVES[batch.task])


def test_taking_pairs_away_hides_them_as_examples_only() -> None:
    data = SAMPLER.tasks[0]
    kept = np.flatnonzero(data.users < 5)
    part = dataclasses.replace(SAMPLER, tasks=(data.take(kept),))
    seen = np.concatenate([users_of(part(s)) for s in range(10)])
    assert set(seen) <= set(data.active[:5])
    assert part(3).excluded.any()


def test_tasks_without_pairs_are_left_out() -> None:
    none = sp.csr_matrix((USERS, ITEMS), dtype=np.float32)
    assert [t.task for t in task_data({1: OWN[1], 2: none}, SHELVES, EVENTS, PROFILES)] == [1]


def test_a_step_of_several_tasks_shares_the_examples() -> None:
    step = SAMPLER.several(7, 2)
    assert [b.task for b in step.parts] == [1, 2]
    assert [len(b) for b in step.parts] == [8, 8]
    assert len(step) == 16
    assert [len(b.negatives) for b in step.parts] == [8, 8]
    assert all(map(same, step.parts, SAMPLER.several(7, 9).parts))  # there are no more
    assert not any(map(same, step.parts, SAMPLER.several(8, 2).parts))
    ones = [SAMPLER.several(s, 1).parts for s in range(20)]
    assert {len(parts) for parts in ones} == {1}
    assert {b.task for parts in ones for b in parts} == {1, 2}
    assert [len(b) for b in dataclasses.replace(SAMPLER, size=1).several(0, 2).parts] == [1, 1]
