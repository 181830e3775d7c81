"""The contract that every transfer method keeps, for authors of new ones.

Four lines give a third-party method the whole suite::

    import pytest
    from crossaisle.testing import CHECKS, case

    @pytest.mark.parametrize("check", CHECKS)
    def test_contract(check): CHECKS[check](case("my_method"))

or one: ``check_transfer("my_method")``.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from . import config
from .attribution import contributions_of, is_sampled
from .errors import ConfigError, MethodError
from .recommender import Recommender
from .testing_case import Case, MakeBase, case, tiny_base
from .testing_world import MORE, tiny_problem, tiny_world, without
from .transfer.method import check_needs
from .transfer.problem import Problem

if TYPE_CHECKING:
    from .testing_fusion import FusionCase

__all__ = ["CHECKS", "Case", "case", "check_transfer", "tiny_base", "tiny_problem"]
LACKS = (
    ("item_content",),
    ("target_interactions",),
    ("overlapping_users",),
    ("overlapping_items",),
    ("overlapping_users", "overlapping_items"),
    ("several_sources",),
)
"""What is taken away from the tiny problem, one after the other."""


def check_transfer(name: str, options: Any = None, base: MakeBase | None = None) -> None:
    """Run every check of the contract on method `name`.

    Raises:
        AssertionError: with the broken promise in words.
    """
    made = case(name, options, base)
    for check in CHECKS.values():
        check(made)


def scores_are_finite(c: Case) -> None:
    """Scores are float32 numbers of shape (users, catalogue), none NaN or infinite."""
    wanted = (len(c.history), len(c.problem.catalogue))
    assert c.scores.shape == wanted, f"scores have shape {c.scores.shape}, needed is {wanted}"
    assert c.scores.dtype == np.float32, f"scores are {c.scores.dtype}, needed is float32"
    assert np.isfinite(c.scores).all(), "scores hold NaN or infinity"


def same_seed_same_scores(c: Case) -> None:
    """Fitting again on an equal problem gives equal scores, bit for bit."""
    again = c.fit(dataclasses.replace(c.problem)).scorer.score(c.history)
    assert np.array_equal(c.scores, again), "the same seed gave other scores"


def state_restores_bit_for_bit(c: Case) -> None:
    """`state` holds arrays and JSON only, and `restore` gives a scorer with the same scores."""
    tensors, meta = c.recommender.scorer.state()
    for name, tensor in tensors.items():
        assert isinstance(tensor, np.ndarray), f"state[{name!r}] is no array"
        assert tensor.dtype.kind in "fiub", f"state[{name!r}] has dtype {tensor.dtype}, which is not plain numbers"
    copied = {n: np.array(t, order="C") for n, t in tensors.items()}
    restored = type(c.recommender.scorer).restore(copied, json.loads(json.dumps(meta)))
    assert np.array_equal(c.scores, restored.score(c.history)), "the restored scorer gives other scores"


def save_and_load_keep_scores(c: Case) -> None:
    """A saved and loaded recommender gives the same scores, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "artifact"
        c.recommender.save(path)
        loaded = Recommender.load(path)
        assert np.array_equal(c.scores, loaded.scorer.score(c.history)), "the loaded recommender gives other scores"


def users_are_scored_alone(c: Case) -> None:
    """A user's scores do not depend on who else is asked for."""
    for user in (0, len(c.history) // 2):
        one = c.recommender.scorer.score(c.problem.history_for(np.array([user])))
        assert np.allclose(one[0], c.scores[user], rtol=1e-4, atol=1e-5), f"user {user} alone is scored differently"
    nobody = c.recommender.scorer.score(c.problem.history_for(np.zeros(0, dtype=np.int64)))
    assert nobody.shape == (0, len(c.problem.catalogue)), "no users must give no rows"


def unknown_users_get_an_answer(c: Case) -> None:
    """Users outside the vocabulary, with empty histories, get finite scores, all the same."""
    scores = c.recommender.scorer.score(c.problem.history_for(np.array([-1, -1])))
    assert np.isfinite(scores).all(), "an unknown user got NaN or infinity"
    assert np.array_equal(scores[0], scores[1]), "two unknown users got different scores"


def new_events_count_at_once(c: Case) -> None:
    """Where scores are personal, events given to an empty user change the scores without training."""
    if np.allclose(c.scores, c.scores[:1]):
        return
    busiest = int(np.argmax(np.diff(c.history.counts.indptr)))
    empty = c.problem.history_for(np.array([-1]))
    filled = dataclasses.replace(c.problem.history_for(np.array([busiest])), users=empty.users)
    before, after = (c.recommender.scorer.score(h) for h in (empty, filled))
    assert not np.allclose(before, after), "new events of a user changed nothing"


def needs_are_refused(c: Case) -> None:
    """The tiny problem meets all needs; one without a need is refused in one sentence that names it."""
    check_needs(c.method, c.base, c.problem)
    for need in c.method.needs:
        problem, base = (c.problem, None) if need == "base" else (without(c.problem, need), c.base)
        lack_is_refused(need, partial(check_needs, c.method, base, problem))


def lack_is_refused(need: str, ask: Callable[[], object]) -> None:
    """`ask`, where `need` is lacking, raises one sentence that names it."""
    try:
        ask()
    except MethodError as error:
        message = str(error)
        assert need in message, f"refusing {need} reads {message!r}"
        assert "\n" not in message, f"refusing {need} takes more than a sentence: {message!r}"
    else:
        raise AssertionError(f"{need} is stated as a need, but its lack is not refused")


def options_are_spelled_once(c: Case | FusionCase) -> None:
    """Options are a frozen dataclass with a docstring under each field, and survive TOML's plain values."""
    cls = c.method.options
    assert dataclasses.is_dataclass(cls), "options are no dataclass"
    assert cls.__dataclass_params__.frozen, "options are not frozen"  # type: ignore[attr-defined]
    plain = json.loads(json.dumps(config.as_dict(c.options)))
    assert config.build(cls, plain) == c.options, "options changed on the way through plain values"
    for name, _, _, text in config.describe(cls):
        assert text or name == "_", f"option {name} has no docstring under it"
    for name, values in getattr(cls, "search", {}).items():
        assert getattr(cls(), name, values) in values, f"option {name} is searched where its default is not"
    try:
        config.build(cls, {"no_such_option": 1})
    except ConfigError:
        return
    raise AssertionError("an unknown option was accepted")


def asked_rows_are_not_read(c: Case) -> None:
    """Garbage in the test and hidden rows, in the split and in the World, changes no score."""
    split, world = c.problem.split, c.problem.world
    fresh = np.random.default_rng(0)

    def garbage(rows: pl.DataFrame) -> pl.DataFrame:
        columns = [pl.Series(n, fresh.permutation(rows[n].to_numpy()), dtype=rows[n].dtype) for n in ("user", "item")]
        return rows.with_columns(columns).reverse()

    test, hidden = garbage(split.test), garbage(split.hidden)
    poisoned = dataclasses.replace(
        c.problem,
        split=dataclasses.replace(split, test=test, hidden=hidden),
        world=dataclasses.replace(world, interactions=pl.concat([split.train, split.valid, hidden, test])),
    )
    again = c.fit(poisoned).scorer.score(c.history)
    assert np.array_equal(c.scores, again), "scores changed with the test rows: the method reads what it is asked for"


def poor_problems_are_answered_or_refused(c: Case) -> None:
    """Without content, without rows of the target, with nothing in common: finite scores, or the need in a sentence.

    Overlapping people, overlapping items, neither, one source: a method answers all of them that its needs allow;
    options other than the defaults may need more than the method states.
    """
    for lack in LACKS:
        poor, refused, without_it = c.problem, "", f"without {' and '.join(lack)}"
        for need in lack:
            poor = without(poor, need)
        try:
            scores = c.fit(poor).scorer.score(poor.history)
            assert np.isfinite(scores).all(), f"{without_it} scores hold NaN or infinity"
        except MethodError as error:
            refused = str(error)
        assert "\n" not in refused, f"refused {without_it} in more than a sentence: {refused}"
        if refused and c.options == c.method.options():
            named = [need for need in c.method.needs if need in refused]
            assert named, f"{without_it} it refuses, and none of its needs says so: {refused}"


def more_sources_are_read(c: Case) -> None:
    """Four sources in place of two: finite scores."""
    problem = tiny_problem(tiny_world(more=MORE))
    base = (c.make_base or tiny_base)(problem) if c.base is not None else None
    scores = Case(c.method, c.options, problem, base).scores
    assert np.isfinite(scores).all(), "with four sources scores hold NaN or infinity"


def problem_is_left_alone(c: Case) -> None:
    """Fitting and scoring change nothing in the problem, the World or the histories."""
    problem = dataclasses.replace(c.problem)
    split, world = problem.split, problem.world
    frames = (split.train, split.valid, split.test, split.hidden, world.interactions, world.items, world.users)
    before = [f.clone() for f in frames], [a.copy() for a in _arrays(problem)]
    c.fit(problem).scorer.score(problem.history)
    assert all(a.equals(b) for a, b in zip(frames, before[0], strict=True)), "the method changed a table"
    same = (np.array_equal(a, b) for a, b in zip(_arrays(problem), before[1], strict=True))
    assert all(same), "the method changed an array"


def explanations_sum_to_scores(c: Case) -> None:
    """What anybody gets, and what each event of a history adds, sum to the score; so do the kinds of knowledge."""
    scorer, busiest = c.recommender.scorer, int(np.argmax(np.diff(c.history.counts.indptr)))
    assert not (c.method.additive and is_sampled(scorer)), f"{c.method.name} calls itself additive, but is sampled"
    asked = np.eye(2, len(c.problem.catalogue))
    for user in (busiest, -1):
        history = c.problem.history_for(np.array([user]))
        found = contributions_of(scorer, history, asked)
        added = found.parts.sum(axis=1)
        score = scorer.score(history)[0, :2]
        assert np.allclose(found.start + added, score, rtol=1e-4, atol=1e-4), f"{found.start + added} is not {score}"
        told = sum(found.by_modality.values())
        assert np.allclose(told, added, rtol=1e-4, atol=1e-4), f"modalities sum to {told}, contributions to {added}"


def _arrays(problem: Problem) -> tuple[Any, ...]:
    counts = problem.history.counts, problem.target_counts
    return problem.history.ages, problem.catalogue, *(part for m in counts for part in (m.data, m.indices, m.indptr))


CHECKS: dict[str, Callable[[Case], None]] = {
    f.__name__: f
    for f in (
        scores_are_finite,
        same_seed_same_scores,
        state_restores_bit_for_bit,
        save_and_load_keep_scores,
        users_are_scored_alone,
        unknown_users_get_an_answer,
        new_events_count_at_once,
        needs_are_refused,
        options_are_spelled_once,
        asked_rows_are_not_read,
        poor_problems_are_answered_or_refused,
        more_sources_are_read,
        problem_is_left_alone,
        explanations_sum_to_scores,
    )
}
"""Every promise of the contract by name; each takes a `Case` and raises AssertionError."""
