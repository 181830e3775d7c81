"""The contract suite catches what it says it catches: one broken method per promise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from crossaisle.errors import MethodError
from crossaisle.models.base import Base
from crossaisle.recommender import Recommender
from crossaisle.testing import CHECKS, Case, tiny_problem
from crossaisle.transfer.method import NoOptions, TransferMethod
from crossaisle.transfer.problem import Problem
from crossaisle.transfer.result import recommender_for
from crossaisle.types import Asked, Contributions, Floats, History, Tensors


@dataclass
class Flawed:
    """A scorer that adds up item weights of the history, with one flaw."""

    kind: ClassVar[str] = "flawed"
    weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    flaw: str = ""

    def score(self, history: History) -> Floats:
        events = np.asarray(history.counts.sum(axis=1)).reshape(-1, 1)
        scores = (events * self.weights).astype(np.float32)
        if self.flaw == "nan":
            scores[:] = np.nan
        if self.flaw == "crowd":
            scores = scores + np.float32(len(history))
        if self.flaw == "frozen":
            scores = np.where(history.users[:, None] >= 0, scores, 0).astype(np.float32)
        if self.flaw == "stranger":
            scores = scores + np.arange(len(history), dtype=np.float32)[:, None] * (history.users < 0)[:, None]
        if self.flaw == "mutates":
            history.counts.data += 1
        return scores

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        return {"weights": self.weights + (1 if self.flaw == "forgets" else 0)}, {}

    @classmethod
    def restore(cls, tensors: Tensors, meta: dict[str, Any]) -> Self:
        return cls(tensors["weights"])


@dataclass
class Boastful(Flawed):
    """Says that every event adds one to every score, which is not so."""

    kind: ClassVar[str] = "boastful"

    def contributions(self, history: History, asked: Asked) -> Contributions:
        return Contributions(np.zeros(len(asked)), np.ones((len(asked), history.counts.nnz)))


@dataclass(frozen=True)
class Undocumented:
    size: int = 1


def broken(flaw: str) -> Case:
    def fit(base: Base | None, problem: Problem, options: Any) -> Recommender:
        weights = np.linspace(0, 1, len(problem.catalogue), dtype=np.float32)
        if flaw == "random":
            weights = np.random.default_rng().random(len(weights), dtype=np.float32)
        if flaw == "wants two sources" and len(problem.sources) < 2:
            raise MethodError("one source is not enough; name another.")
        if flaw == "counts to two" and len(problem.sources) > 2:
            weights[:] = np.nan
        if flaw in ("peeks", "peeks at the world"):
            rows = problem.split.test if flaw == "peeks" else problem.world.interactions
            weights += np.float32(rows["item"].to_numpy()[:5].sum())
        made = Boastful if flaw == "boasts" else Flawed
        return recommender_for(problem, "broken", made(weights, flaw))

    needs: Any = ("no_such",) if flaw == "needs" else ()
    options = Undocumented if flaw == "options" else NoOptions
    return Case(TransferMethod("broken", fit, options, "", needs), options(), tiny_problem())


@pytest.mark.parametrize(
    ("flaw", "check"),
    [
        ("nan", "scores_are_finite"),
        ("random", "same_seed_same_scores"),
        ("forgets", "state_restores_bit_for_bit"),
        ("crowd", "users_are_scored_alone"),
        ("stranger", "unknown_users_get_an_answer"),
        ("frozen", "new_events_count_at_once"),
        ("options", "options_are_spelled_once"),
        ("peeks", "asked_rows_are_not_read"),
        ("peeks at the world", "asked_rows_are_not_read"),
        ("wants two sources", "poor_problems_are_answered_or_refused"),
        ("counts to two", "more_sources_are_read"),
        ("mutates", "problem_is_left_alone"),
        ("boasts", "explanations_sum_to_scores"),
    ],
)
def test_a_flaw_is_caught(flaw: str, check: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](broken(flaw))


@pytest.mark.parametrize("check", [c for c in CHECKS if c != "save_and_load_keep_scores"])
def test_a_sound_method_passes(check: str) -> None:
    CHECKS[check](broken(""))
