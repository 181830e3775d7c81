"""From a fitted scorer to the Recommender that answers people."""

from __future__ import annotations

from typing import Any

from ..recommender import Recommender
from ..types import Scorer
from .problem import Problem


def recommender_for(problem: Problem, method: str, scorer: Scorer, **facts: Any) -> Recommender:
    """The Recommender of `scorer` on `problem`: with its ids, the histories as of the end of training and the shelf."""
    world = problem.world
    return Recommender(
        method=method,
        domain=problem.target,
        scorer=scorer,
        catalogue=problem.catalogue,
        user_ids=world.user_ids,
        item_ids=world.item_ids,
        history=problem.history,
        facts=facts,
    )
