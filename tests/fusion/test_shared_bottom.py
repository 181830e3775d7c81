"""Fusion through its public door: what it reads, what it refuses, and that it can be interrupted, saved and trusted."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from crossaisle.api import fuse, transfer
from crossaisle.data.world import World
from crossaisle.errors import ArtifactError, ConfigError, MethodError, TrainingError
from crossaisle.models.base import Base
from crossaisle.progress import showing
from crossaisle.testing_world import tiny_problem, tiny_world
from crossaisle.train.checkpoint import keeping
from crossaisle.transfer import zero_shot
from crossaisle.transfer.method import NoOptions

SMALL: dict[str, Any] = {
    "batch": 16, "negatives": 16, "dim": 4, "hidden": 8, "collaborative": 4, "content": {"text": ""},
}  # fmt: skip
SOURCES = ("tea", "coffee")


@pytest.fixture(scope="module")
def world() -> World:
    return tiny_world()


@pytest.fixture(scope="module")
def base(world: World) -> Base:
    return fuse(world, SOURCES, steps=30, **SMALL)


def shop(rows: list[tuple[str, str, str, str]], items: dict[str, list[Any]] | None = None) -> World:
    """A World of (user, item, domain, event) rows, an hour apart."""
    start = datetime(2024, 1, 1)
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "event"], orient="row")
    times = [start + timedelta(hours=n) for n in range(len(rows))]
    return World.from_frames(
        frame.with_columns(timestamp=pl.Series(times)), None if items is None else pl.DataFrame(items)
    )


def same(one: Base, other: Base) -> bool:
    return one.weights.keys() == other.weights.keys() and all(
        torch.equal(t, other.weights[n]) for n, t in one.weights.items()
    )


class Interrupt(Exception):
    pass


def test_interrupted_and_run_again_gives_the_same_base(world: World, tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        if task.startswith("fuse: ") and done == 250:
            raise Interrupt

    whole = fuse(world, SOURCES, steps=300, **SMALL)
    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        fuse(world, SOURCES, steps=300, **SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["fuse.safetensors"]
    steps = []
    with keeping(tmp_path), showing(lambda task, done, total: steps.append(done)):
        resumed = fuse(world, SOURCES, steps=300, **SMALL)
    assert steps == list(range(201, 301))
    assert same(resumed, whole)
    assert resumed.facts["losses"] == whole.facts["losses"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("harm", ["truncated", "another network"])
def test_a_checkpoint_that_does_not_fit_is_no_checkpoint(world: World, base: Base, tmp_path: Path, harm: str) -> None:
    path = tmp_path / "fuse.safetensors"

    def stop(task: str, done: int, total: int) -> None:
        if done == 201:
            raise Interrupt

    with pytest.raises(Interrupt), keeping(tmp_path), showing(stop):
        fuse(world, SOURCES, steps=300, **SMALL | {"dim": 6})
    if harm == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    with keeping(tmp_path):
        assert same(fuse(world, SOURCES, steps=30, **SMALL), base)


def test_same_seed_same_base_and_other_seed_another(world: World, base: Base) -> None:
    assert same(fuse(world, SOURCES, steps=30, **SMALL), base)
    assert not same(fuse(world, SOURCES, steps=30, seed=1, **SMALL), base)


def test_rows_of_other_domains_and_after_the_cut_are_not_read(world: World, base: Base) -> None:
    rows = world.interactions
    of_cake = pl.col("domain") == world.domain_code("cake")
    other = dataclasses.replace(world, interactions=rows.filter(~of_cake))
    assert same(fuse(other, SOURCES, steps=30, **SMALL), base)
    cut = datetime(2024, 3, 1)
    early = dataclasses.replace(world, interactions=rows.filter(pl.col("timestamp") < cut))
    assert same(fuse(world, SOURCES, cut=cut, steps=30, **SMALL), fuse(early, SOURCES, steps=30, **SMALL))


def test_a_loss_that_is_no_number_is_named_with_its_step(world: World) -> None:
    with pytest.raises(TrainingError, match=r"fuse: loss term 'rank' became (nan|inf) at step \d+; lower"):
        fuse(world, SOURCES, steps=100, rate=1e30, **SMALL)


def test_saved_and_loaded_it_scores_the_same(base: Base, tmp_path: Path) -> None:
    base.save(tmp_path / "base")
    loaded = Base.load(tmp_path / "base")
    problem = tiny_problem()
    scores = [zero_shot.fit(b, problem, NoOptions()).scorer.score(problem.history) for b in (base, loaded)]
    assert np.array_equal(*scores)
    assert (loaded.tasks, loaded.sources, loaded.sizes) == (base.tasks, base.sources, base.sizes)
    assert loaded.facts == base.facts


@pytest.fixture
def saved(base: Base, tmp_path: Path) -> Path:
    base.save(tmp_path / "base")
    return tmp_path / "base"


def test_damaged_and_foreign_folders_are_refused(saved: Path, world: World, tmp_path: Path) -> None:
    tensors = saved / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="damaged"):
        Base.load(saved)
    transfer(world, "cake", method="popularity").save(tmp_path / "recommender")
    with pytest.raises(ArtifactError, match="holds a recommender, not a base"):
        Base.load(tmp_path / "recommender")
    with pytest.raises(ArtifactError, match="no artifact"):
        Base.load(tmp_path / "nothing")


def test_a_base_of_other_items_is_refused_in_a_sentence(base: Base) -> None:
    items = {"item_id": ["a", "b"], "domain": ["cake", "tea"], "price": [1.0, 2.0]}
    world = shop([("u", "a", "cake", "purchase"), ("u", "b", "tea", "purchase")], items)
    with pytest.raises(MethodError, match="fused on other items") as caught:
        transfer(world, "cake", method="zero_shot", base=base, weeks=1)
    assert "\n" not in str(caught.value)


EVENTS = [
    (f"u{u}", f"{d}{(u * k) % 6}", d, e)
    for u in range(12)
    for k, (d, e) in enumerate([("tea", "view"), ("tea", "click"), ("tea", "purchase"), ("pots", "view")], 1)
]
TITLED = {
    "item_id": [f"{d}{n}" for d in ("tea", "pots") for n in range(6)],
    "domain": ["tea"] * 6 + ["pots"] * 6,
    "category": ["green", "black", "green"] * 4,
}


def test_one_head_for_each_domain_and_event_and_none_for_returns() -> None:
    returned = [*EVENTS, ("u1", "tea1", "tea", "return"), ("u2", "pots2", "pots", "return")]
    base = fuse(shop(returned, TITLED), steps=5, **SMALL)
    assert sorted(base.tasks[1:]) == ["pots/view", "tea/click", "tea/purchase", "tea/view"]
    assert base.tasks[0] == "shared"
    # The vocabulary of events differs, the training must not.
    assert same(base, fuse(shop(EVENTS, TITLED), steps=5, **SMALL))


def test_a_domain_of_one_row_and_no_user_attributes() -> None:
    base = fuse(shop([*EVENTS, ("u1", "cup", "cups", "purchase")], TITLED), steps=20, **SMALL)
    assert "cups/purchase" in base.tasks
    assert base.people is None


@pytest.mark.parametrize(
    ("column", "values", "widths"),
    [
        ("price", [float(n) for n in range(12)], "numeric"),
        ("category", ["green", "black", "green"] * 4, "levels"),
    ],
)
def test_one_kind_of_content_is_enough(column: str, values: list[Any], widths: str) -> None:
    items = {n: TITLED[n] for n in ("item_id", "domain")} | {column: values}
    base = fuse(shop(EVENTS, items), steps=5, **SMALL)
    assert bool(base.sizes.numeric) == (widths == "numeric")
    assert bool(base.sizes.levels) == (widths == "levels")
    assert base.sizes.text == 0
    assert np.isfinite(base.facts["losses"]["rank"])


def test_items_that_say_nothing_are_known_by_their_ids_where_somebody_had_them() -> None:
    titled = {"item_id": ["tea0", "tea1", "never"], "domain": ["tea"] * 3, "category": ["green", "green", None]}
    base = fuse(shop(EVENTS, titled), steps=5, **SMALL)
    rows = pl.DataFrame({"item_id": ["tea0", "tea2", "never", "pots4", "unheard"]})
    assert base.reader.known(rows).tolist() == [False, True, False, True, False]
    assert base.sizes.levels == (2, 1 + 4 + 3)  # green; four teas and three pots
    assert not fuse(shop(EVENTS, titled), steps=5, **SMALL | {"content": {"text": "", "ids": "never"}}).reader.ids.size


def test_ids_carry_knowledge_to_a_domain_that_sells_the_same_items() -> None:
    made, _ = World.synthetic(n_domains=2, users=200, items=40, user_overlap=0.0, item_overlap=1.0, skew=0.5)
    rows = made.interactions.with_columns(
        pl.Series("user_id", made.user_ids.decode(made.interactions["user"].to_numpy())),
        pl.Series("item_id", made.item_ids.decode(made.interactions["item"].to_numpy())),
        pl.Series("domain_name", made.domains.decode(made.interactions["domain"].to_numpy())),
    )
    bare = World.from_frames(
        rows.select("user_id", "item_id", "timestamp", domain="domain_name", event=pl.lit("purchase"))
    )
    base = fuse(bare, ("d0",), steps=300, batch=64, dim=8, hidden=16, collaborative=8, content={"text": ""}, rate=5e-3)
    found = transfer(bare, "d1", method="zero_shot", base=base, weeks=0, sources=("d0",))
    popular = np.bincount(bare.interactions["item"].to_numpy(), minlength=bare.n_items)[found.catalogue]
    told = found.scorer.score(found.history.take(np.array([-1])))[0]
    assert np.corrcoef(told, np.log(popular))[0, 1] > 0.8


def test_what_cannot_be_fused_is_refused_in_a_sentence(world: World) -> None:
    with pytest.raises(MethodError, match="items have no title, price or attribute") as caught:
        fuse(shop(EVENTS), steps=5, **SMALL | {"content": {"text": "", "ids": "never"}})
    assert "\n" not in str(caught.value)
    with pytest.raises(MethodError, match="tea has no visible interactions"):
        fuse(world, ("tea",), cut=datetime(2020, 1, 1), **SMALL)
    for wrong in ({"steps": 0}, {"launch": 1.5}, {"rate": 0.0}):
        with pytest.raises(ConfigError):
            fuse(world, SOURCES, **SMALL | wrong)
