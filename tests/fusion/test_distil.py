"""Distillation: what a small network keeps of a large one, and what items without interactions get from teachers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.api import fuse
from crossaisle.data.synthetic import synthetic
from crossaisle.data.world import World
from crossaisle.encoders.content import ContentOptions
from crossaisle.errors import ConfigError, MethodError
from crossaisle.fusion.common import event_weights, liked_rows
from crossaisle.fusion.distil import DistilOptions, Lessons, Pupil, losses
from crossaisle.fusion.ground import Ground
from crossaisle.fusion.teachers import FactorOptions, FactorTeacher, NetworkTeacher
from crossaisle.models.base import Base, item_rows, tensors_of, user_levels
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_problem, tiny_world, without
from crossaisle.train.checkpoint import keeping
from crossaisle.types import Codes

COMMON: dict[str, Any] = {"batch": 32, "negatives": 16, "collaborative": 8, "rate": 5e-3}
TEACHER: dict[str, Any] = COMMON | {"dim": 16, "hidden": 32, "steps": 20}
SMALL: dict[str, Any] = COMMON | {"dim": 8, "hidden": 8, "content": {"text": ""}, "teacher_options": TEACHER}
ALS: dict[str, Any] = {"teacher": "als", "teacher_options": {"factors": 4}}
SOURCES = ("tea", "coffee")
MATCH: tuple[Literal["map", "relations"], ...] = ("map", "relations")


def made(**options: Any) -> Base:
    return fuse(tiny_world(), SOURCES, method="distil", **SMALL | {"steps": 20} | options)


def same(one: Base, other: Base) -> bool:
    return all(torch.equal(t, other.weights[n]) for n, t in one.weights.items())


class Interrupt(Exception):
    pass


@pytest.mark.parametrize("phase", ["fuse", "distil"])
def test_interrupted_in_any_phase_and_run_again_gives_the_same_base(tmp_path: Path, phase: str) -> None:
    seen: list[str] = []

    def stop(task: str, done: int, total: int) -> None:
        name = task.split(": ")[0]
        seen.append(name)
        # While the second teacher learns, or the student.
        if name == phase and done == 205 and (phase == "distil" or seen.count("fuse") > 210):
            raise Interrupt

    long: dict[str, Any] = {"steps": 210, "teachers": "domains", "teacher_options": TEACHER | {"steps": 210}}
    whole = made(**long)
    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        made(**long)
    steps: list[tuple[str, int]] = []
    with keeping(tmp_path), showing(lambda task, done, total: steps.append((task.split(": ")[0], done))):
        resumed = made(**long)
    assert [d for t, d in steps if t == "fuse"] == (list(range(201, 211)) if phase == "fuse" else [])
    assert len([d for t, d in steps if t == "distil"]) == (210 if phase == "fuse" else 10)
    assert same(resumed, whole)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "terms", "teachers"),
    [
        ({}, {"rank", "response", "features"}, 1),
        ({"match": "relations", "response": 0.0}, {"rank", "features"}, 1),
        ({"teachers": "domains", "rank": 0.0}, {"response", "features"}, 2),
        (ALS, {"rank", "response", "features"}, 1),
        (ALS | {"teachers": "domains"}, {"rank", "response", "features"}, 2),
        ({"teacher": "contrastive"}, {"rank", "response", "features"}, 1),
    ],
)  # fmt: skip
def test_every_teacher_teaches(options: dict[str, Any], terms: set[str], teachers: int) -> None:
    base = made(**options)
    assert set(base.facts["losses"]) == terms
    assert np.isfinite(list(base.facts["losses"].values())).all()
    assert base.facts["teachers"] == teachers
    assert base.facts["parameters"] == sum(t.numel() for t in base.network().parameters())
    assert (base.facts["teacher_parameters"] > 0) == (options.get("teacher") != "als")
    assert same(made(**options), base)


def ground() -> Ground:
    options = DistilOptions(**COMMON | {"dim": 8, "hidden": 8}, content=ContentOptions(text=""))
    return Ground.open(tiny_world(), SOURCES, options, 0)


def drawn(g: Ground) -> tuple[int, Codes, Codes, bool]:
    place, rows, items, launch = g.sampler().draw(3)
    return g.sampler().tasks[place].task, rows, items, launch


def test_a_student_that_is_its_teacher_has_nothing_to_learn() -> None:
    """Candidates and items are in one order on both sides: with the same weights every difference is 0."""
    g = ground()
    bases = [fuse(tiny_world(), SOURCES, content={"text": ""}, seed=seed, **TEACHER) for seed in (0, 1)]
    teacher = NetworkTeacher.of(bases[0], g, SOURCES)
    lessons = Lessons(g.sampler(), (teacher,), dict.fromkeys(g.own, 0))
    for step in range(1, 6):
        told = [losses(like(base, teacher), g, DistilOptions(match=m), lessons(step)) for base in bases for m in MATCH]
        assert all(abs(t[n].item()) < 1e-5 for t in told[:2] for n in ("response", "features"))
        assert all(t[n].item() > 1e-3 for t in told[2:] for n in ("response", "features"))


def like(base: Base, teacher: NetworkTeacher) -> Pupil:
    """A pupil with the weights of `base`, whose map changes nothing."""
    pupil = Pupil(base.network(), (teacher,))
    with torch.no_grad():
        pupil.maps[0].weight.copy_(torch.eye(teacher.width))
        pupil.maps[0].bias.zero_()
    return pupil.eval()


def test_a_network_teacher_answers_as_its_base_scores() -> None:
    g = ground()
    base = fuse(tiny_world(), SOURCES, content={"text": ""}, **TEACHER)
    task, rows, items, _ = drawn(g)
    answer = NetworkTeacher.of(base, g, SOURCES)(task, rows, items, True)
    batch = g.sampler().batch(next(t for t in g.data if t.task == task), rows, items, True)
    assert answer.scores.shape == (len(rows), 1 + len(items))
    # The same profiles, so the same batch: what was met, found among what was drawn, has one score.
    met = batch.positive[:, None] == batch.negatives[None, :]
    row, column = torch.nonzero(met, as_tuple=True)
    assert len(row)
    assert torch.allclose(answer.scores[row, 0], answer.scores[row, column + 1], atol=1e-5)
    assert torch.equal(answer.known, torch.ones(len(batch.items), dtype=torch.bool))


def test_a_teacher_of_one_domain_sees_the_history_there_whatever_the_student_sees() -> None:
    g = ground()
    base = fuse(tiny_world(), ("tea",), content={"text": ""}, **TEACHER)
    teacher = NetworkTeacher.of(base, g, ("tea",))
    task = g.tasks.index("tea/purchase")
    data = next(t for t in g.data if t.task == task)
    rows, items = np.arange(10), data.catalogue[:8]
    answers = [teacher(task, rows, items, launch).scores for launch in (True, False)]
    assert torch.equal(*answers)
    assert answers[0].std(dim=0).max() > 0  # people differ


def test_a_teacher_of_one_domain_knows_its_own_items_by_their_ids() -> None:
    bare = without(tiny_problem(), "item_content").world
    options = SMALL | {"steps": 5, "teachers": "domains"}
    base = fuse(bare, SOURCES, method="distil", **options)
    assert base.facts["teachers"] == 2
    assert np.isfinite(list(base.facts["losses"].values())).all()


def test_factors_know_only_what_somebody_has() -> None:
    g = ground()
    teacher = FactorTeacher.of(g, g.sampler(), ("tea",), FactorOptions(factors=4))
    sold = np.intersect1d(g.events.indices, g.world.catalogue("tea"))
    assert np.array_equal(np.flatnonzero(teacher.known), sold)
    assert not teacher.items[~teacher.known].any()
    assert teacher.items[teacher.known].any(dim=1).all()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"rank": 0.0, "response": 0.0}, ConfigError),
        ({"temperature": 0.0}, ConfigError),
        ({"features": -1.0}, ConfigError),
        ({"teachers": "some"}, ConfigError),
        ({"teacher": "shared_botom"}, MethodError),
        ({"teacher_options": {"width": 3}}, ConfigError),
        ({"teacher": "als", "teacher_options": {"factors": 0}}, ConfigError),
    ],
)
def test_what_cannot_be_taught_is_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        made(**wrong)
    assert "\n" not in str(caught.value)


WORLD: dict[str, Any] = {"users": 300, "items": 80, "interactions": 15.0, "user_overlap": 1.0, "skew": 0.5}
TRAINED: dict[str, Any] = {"batch": 128, "collaborative": 32, "content": {"text": ""}}
LITTLE: dict[str, Any] = TRAINED | {"dim": 32, "hidden": 32, "steps": 250, "rate": 5e-3}


def held_out(seed: int, cold: float) -> tuple[World, World, Codes, Codes]:
    """A World without what a quarter of the people have in d0, nor anybody of the cold items there.

    Returns:
        The World that is fused, the whole World, the people and the cold items.
    """
    world, draw = synthetic(n_domains=3, seed=seed, **WORLD)[0], np.random.default_rng(seed)
    people = np.flatnonzero(draw.random(world.n_users) < 0.25)
    shelf = world.catalogue("d0")
    items = shelf[draw.random(len(shelf)) < cold]
    theirs = pl.col("user").is_in(people.tolist()) & (pl.col("domain") == world.domain_code("d0"))
    rows = world.interactions.filter(~theirs & ~pl.col("item").is_in(items.tolist()))
    return dataclasses.replace(world, interactions=rows), world, people, items


def heads_rank(base: Base, seen: World, whole: World, people: Codes, items: Codes) -> float:
    """nDCG@10 of the head of d0 among `items` for people whose history there is held out."""
    known, asked = (
        event_weights(liked_rows(w, d), w.n_users, w.n_items)[people]
        for w, d in ((seen, base.sources), (whole, ("d0",)))
    )
    elsewhere = base.profiles.sums(known)
    profile = base.profiles.pair(elsewhere, np.zeros_like(elsewhere))
    network, task = base.network(), base.tasks.index("d0/purchase")
    with torch.no_grad():
        levels = torch.from_numpy(user_levels(seen, base.people)[people])
        users, weight = network.users(torch.from_numpy(profile), levels, task)
        vectors, biases = network.items(*tensors_of(base.reader.read(item_rows(seen)), items), task)
        scores = (users @ vectors.T + weight * biases).numpy()
    order, wanted = np.argsort(-scores, axis=1)[:, :10], asked[:, items].toarray() > 0
    worth = 1 / np.log2(np.arange(2, 12))
    best = np.array([worth[: int(n)].sum() for n in wanted.sum(axis=1)])
    found = (np.take_along_axis(wanted, order, axis=1) * worth).sum(axis=1)
    return float((found[best > 0] / best[best > 0]).mean())


@pytest.mark.slow
def test_what_people_say_of_items_reaches_items_that_nobody_has() -> None:
    """Against the same student without a teacher, trained as long: mean of three Worlds, and of cold items alone."""
    gains = []
    for seed in range(3):
        seen, whole, people, cold = held_out(seed, cold=0.3)
        sources = ("d0", "d2")
        alone = fuse(seen, sources, seed=seed, **LITTLE)
        taught = fuse(
            seen, sources, method="distil", seed=seed, teacher="als", teacher_options={"factors": 16}, **LITTLE
        )
        gains.append(
            [
                heads_rank(taught, seen, whole, people, shelf) - heads_rank(alone, seen, whole, people, shelf)
                for shelf in (whole.catalogue("d0"), cold)
            ]
        )
    every, fresh = np.mean(gains, axis=0)
    assert every > 0.02
    assert fresh > 0.0


@pytest.mark.slow
def test_a_student_of_a_quarter_keeps_what_its_teacher_can() -> None:
    """Mean of three Worlds; the teacher is the default size of a network."""
    kept = []
    for seed in range(3):
        seen, whole, people, _ = held_out(seed, cold=0.0)
        sources, large = ("d0", "d2"), {"batch": 128, "collaborative": 32, "steps": 400, "rate": 3e-3}
        teacher = fuse(seen, sources, seed=seed, content={"text": ""}, **large)
        student = fuse(seen, sources, method="distil", seed=seed, teacher_options=large, **LITTLE | {"steps": 400})
        assert student.facts["parameters"] <= 0.25 * student.facts["teacher_parameters"]
        assert student.facts["teacher_parameters"] == sum(t.numel() for t in teacher.network().parameters())
        kept.append([heads_rank(b, seen, whole, people, whole.catalogue("d0")) for b in (student, teacher)])
    student_mean, teacher_mean = np.mean(kept, axis=0)
    assert student_mean >= 0.95 * teacher_mean
