"""User nearest neighbours against the formula, worked by hand, and who may vote."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from crossaisle.config import build
from crossaisle.data.split import Split
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, MethodError
from crossaisle.testing import CHECKS, case
from crossaisle.transfer.method import METHODS
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import kind_of
from crossaisle.transfer.user_knn import UserKnnOptions
from crossaisle.types import Floats, History

ROWS = {"u": "ax", "v": "abx", "w": "by", "z": "xyc"}
"""Who has what: a, b, c are in the target, x and y in the source."""


def asked(rows: dict[str, str] = ROWS) -> Problem:
    frame = pl.DataFrame(
        [(user, item, "here" if item in "abc" else "there") for user, items in rows.items() for item in items],
        schema=["user_id", "item_id", "domain"], orient="row",
    )  # fmt: skip
    world = World.from_frames(frame.with_columns(event=pl.lit("purchase")))
    known = world.interactions
    split = Split(known, known.clear(), known[:1], known.clear(), "by hand")
    return Problem(world, "here", ("there",), split, world.catalogue("here"))


def scores(problem: Problem, users: str = "u", **options: object) -> Floats:
    method = METHODS.get("user_knn")
    scorer = method.fit(None, problem, method.options(**options)).scorer
    codes = problem.world.user_ids.encode(pl.Series(list(users)))
    made: Floats = scorer.score(problem.history_for(codes))
    return made


def test_votes_by_hand() -> None:
    # a: u v; b: v w; c: z; x: u v z; y: w z. u has a and x in common with v, x with z.
    v = (2**-0.6 + 3**-0.6) / 3**0.5
    z = 3**-0.6 / 3**0.5
    assert scores(asked())[0] == pytest.approx([v, v, z], abs=2e-6)
    v, z = (2**-1.0 + 3**-1.0) / 3, 3**-1.0 / 3
    assert scores(asked(), item_exponent=1, user_exponent=1)[0] == pytest.approx([v, v, z], abs=2e-6)
    assert scores(asked(), item_exponent=1, user_exponent=1, neighbours=1)[0] == pytest.approx([v, v, 0], abs=2e-6)


def test_the_target_alone_knows_no_items_of_the_source() -> None:
    v = 2**-0.6 / 2**0.5  # only a is in common, and v has a and b here
    assert scores(asked(), scope="target")[0] == pytest.approx([v, v, 0], abs=2e-6)


def test_scope_sources_reads_only_what_is_outside_the_target() -> None:
    near = 3**-0.6  # x, of u, v and z; y is z's, too
    assert scores(asked(), scope="sources")[0] == pytest.approx([near, near, near / 2**0.5], abs=2e-6)
    # w has y in common with z; who has nothing outside the target votes for nobody
    assert scores(asked(ROWS | {"t": "ac"}), "w", scope="sources")[0] == pytest.approx(
        [0, 0, 2**-0.6 / 2**0.5], abs=2e-6
    )


def test_nobody_votes_for_themselves_but_a_stranger_with_the_same_items_hears_everybody() -> None:
    problem = asked()
    method = METHODS.get("user_knn")
    scorer = method.fit(None, problem, method.options()).scorer
    known = problem.history_for(problem.world.user_ids.encode(pl.Series(["z"])))
    stranger = dataclasses.replace(known, users=np.array([-1]))
    others = [(3**-0.6) / 2**0.5 + (3**-0.6) / 3**0.5, 3**-0.6 / 3**0.5 + 2**-0.6 / 2**0.5, 0]
    assert scorer.score(known)[0] == pytest.approx(others, abs=2e-6)
    own = (1 + 3**-0.6 + 2**-0.6) / 3**0.5
    assert scorer.score(stranger)[0] == pytest.approx([others[0], others[1], own], abs=2e-6)


def test_popularity_answers_people_without_neighbours() -> None:
    assert scores(asked(ROWS | {"t": "b"}))[0].argmax() in (0, 1)
    nobody = METHODS.get("user_knn").fit(None, asked(ROWS | {"t": "b"}), UserKnnOptions()).scorer
    empty: History = asked().history_for(np.array([-1]))
    assert nobody.score(empty)[0].argmax() == 1


def test_without_anybody_who_could_vote_it_refuses() -> None:
    with pytest.raises(MethodError, match="nobody has both an item of 'here' and one that scope 'sources' reads"):
        scores(asked({"u": "a", "v": "b", "w": "y"}), scope="sources")


@pytest.mark.parametrize("values", [{"item_exponent": -1}, {"neighbours": -1}, {"scope": "both"}])
def test_options_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build(UserKnnOptions, values)


def test_the_target_alone_is_a_control() -> None:
    method = METHODS.get("user_knn")
    assert kind_of(method, UserKnnOptions()) == "transfer"
    assert kind_of(method, UserKnnOptions(scope="target")) == "control"


@pytest.mark.parametrize("options", [{"scope": "target"}, {"scope": "sources"}, {"neighbours": 3}])
@pytest.mark.parametrize("check", CHECKS)
def test_every_scope_keeps_the_contract(options: dict[str, object], check: str) -> None:
    if check != "needs_are_refused":
        CHECKS[check](case("user_knn", UserKnnOptions(**options)))  # type: ignore[arg-type]
