"""Zero shot: the base as it is, on items it has never seen."""

from __future__ import annotations

from ..errors import MethodError
from ..models.base import Base
from ..recommender import Recommender
from .method import NoOptions, transfer
from .network import Shop, Target
from .problem import Problem
from .result import recommender_for


@transfer(
    "zero_shot",
    options=NoOptions,
    paper="item vectors from content as in Volkovs et al. 2017, DropoutNet",
    when="the launch day, and for items nobody has bought",
    cost="low",
    needs=("base", "item_content"),
    random=True,
)
def fit(base: Base | None, problem: Problem, options: NoOptions) -> Recommender:
    """The base as it is: new items from their content, users from their history elsewhere."""
    known = base_of(base)
    shop = Shop.open(known, problem)
    made = shop.scorer(Target(known.network(), len(problem.catalogue), 0), "content")
    return recommender_for(problem, "zero_shot", made, fusion=known.fusion)


def base_of(base: Base | None) -> Base:
    """`base`, which `check_needs` has made sure of.

    Raises:
        MethodError: there is none.
    """
    if base is None:
        raise MethodError("this method needs a base: fuse one first (`crossaisle fuse`, or fuse(...) in Python).")
    return base
