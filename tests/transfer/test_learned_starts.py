"""Learned starts where items have one, three or five purchases each, against starts that were not learned."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from kindred import base_of, kindred
from launch_worlds import fitted, quality

from crossaisle.models.base import Base
from crossaisle.transfer import meta
from crossaisle.transfer.problem import Problem

SEEDS, STEPS = (0, 1, 2), 150
pytestmark = pytest.mark.slow


@cache
def world(shots: float, seed: int, alike: bool) -> tuple[Problem, Base]:
    problem = kindred(shots, seed, alike=alike)
    return problem, base_of(problem)


def reached(problem: Problem, base: Base, method: str, **options: Any) -> float:
    return float(quality(problem, fitted(problem, method, base, **options)).mean())


@pytest.mark.parametrize(("shots", "times"), [(1.0, 1.2), (3.0, 1.1), (5.0, 1.07)])
def test_who_has_learned_to_launch_ranks_better_than_finetuning(shots: float, times: float) -> None:
    """Domains look at people's tastes in ways of their own, which is what sources can teach."""
    found = []
    for seed in SEEDS:
        learned = [reached(*world(shots, seed, False), method, steps=STEPS) for method in ("anil", "maml")]
        found.append([*learned, reached(*world(shots, seed, False), "finetune")])
    anil, maml, finetune = np.mean(found, axis=0)
    assert min(anil, maml) > times * finetune


def shuffled(base: Base) -> Base:
    """`base` where what turns content into item vectors and biases has its weights in random order."""
    draw, weights = torch.Generator().manual_seed(0), dict(base.weights)
    for name, value in base.weights.items():
        if name.startswith(("item.vector.", "item.bias.")):
            weights[name] = value.flatten()[torch.randperm(value.numel(), generator=draw)].reshape(value.shape)
    return dataclasses.replace(base, weights=weights)


def started(shots: float) -> tuple[float, float, float]:
    """Of the same inner steps on items' own vectors: from a learned start, from the base's, and from a random one."""
    found = []
    for seed in SEEDS:
        problem, base = world(shots, seed, True)
        learned = reached(problem, base, "meta_embedding", steps=STEPS)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(meta, "launches_of", lambda *_: None)
            plain = [reached(problem, b, "meta_embedding") for b in (base, shuffled(base))]
        found.append([learned, *plain])
    learned, of_base, random = np.mean(found, axis=0).tolist()
    return learned, of_base, random


@pytest.mark.parametrize(("shots", "times", "of_random"), [(1.0, 1.0, 1.4), (3.0, 0.98, 1.1), (5.0, 1.02, 1.08)])
def test_new_items_gain_by_learned_vectors(shots: float, times: float, of_random: float) -> None:
    """Tastes are alike everywhere, and each item has a fashion that its content does not tell.

    With one purchase each, people held out say that the base's vectors should stay as they are.
    """
    learned, of_base, random = started(shots)
    assert learned >= times * of_base
    assert learned > of_random * random
