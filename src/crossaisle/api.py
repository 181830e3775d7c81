"""The Python door: everything a program needs, from one place.

>>> from crossaisle.api import World, transfer
>>> from crossaisle.testing_world import tiny_world
>>> cake = transfer(tiny_world(), "cake", method="ease")
>>> ranking = cake.recommend(["u12", "a stranger"], k=3)
>>> ranking.items.shape, ranking.basis
((2, 3), ['history', 'popularity'])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from . import fusion as _fusion_methods  # noqa: F401 - importing registers the methods
from . import transfer as _transfer_methods  # noqa: F401
from .advisor import auto as _auto  # noqa: F401
from .advisor import cases as _cases
from .advisor.advice import Advised, Limits
from .advisor.advice import advise as _advise
from .config import build
from .data.load import open_world
from .data.overview import fact_of
from .data.splits.base import Moment, moment
from .data.world import World
from .errors import ConfigError, DataError, MethodError
from .evaluate import sources as _sources
from .evaluate.budget import Budget, seconds_of
from .evaluate.result import Report
from .evaluate.search import Search, tuned
from .evaluate.source_choice import SourceChoice
from .evaluate.spec import DEFAULT_METHODS, MethodSpec, Study, entry_of
from .evaluate.study import evaluate
from .evaluate.validation import validation_of
from .explain import Explanation, TransferExplanation, explain, explain_transfer
from .fusion import rates as _rates
from .fusion.method import FUSIONS
from .fusion.tune_text import TextTuning, tune_text
from .gap.measure import Asked, measured
from .gap.report import GapReport
from .gap.sides import GapOptions
from .models.base import Base
from .recommender import Recommender
from .transfer.method import METHODS, TransferMethod, check_needs
from .transfer.problem import default_sources
from .transfer.visible import problem_of, sources_alone, visible

__all__ = [
    "DEFAULT_METHODS",
    "Advised",
    "Base",
    "Budget",
    "GapReport",
    "Limits",
    "Explanation",
    "MethodSpec",
    "Recommender",
    "Report",
    "SourceChoice",
    "Study",
    "TextTuning",
    "TransferExplanation",
    "World",
    "advise",
    "evaluate",
    "explain",
    "explain_transfer",
    "fuse",
    "gap",
    "open_world",
    "probabilities",
    "select_sources",
    "transfer",
    "tune_text",
]


def fuse(
    world: World,
    sources: Sequence[str] = (),
    *,
    method: str = "shared_bottom",
    cut: Moment | None = None,
    seed: int = 0,
    **options: Any,
) -> Base:
    """Learn one representation from the source domains, to be reused for any number of targets.

    Args:
        world: all domains.
        sources: domains to learn from; empty: all of them.
        method: a fusion method (`crossaisle methods` lists them).
        cut: nothing from this time on is seen; None sees everything.
        seed: of everything random.
        **options: of the method.

    Raises:
        MethodError: unknown method.
        ConfigError: unknown or wrong option.
        DataError: unknown domain.
    """
    chosen = FUSIONS.get(method)
    ready: Any = build(chosen.options, options, f"options of {method!r}")
    names = tuple(sources) or tuple(world.domains.ids.to_list())
    return chosen.fit(sources_alone(world, names, cut), names, ready, seed)


def probabilities(base: Base, world: World, domain: str, users: Sequence[str], items: Sequence[str]) -> pl.DataFrame:
    """How likely each user is to click and to buy the item of `domain` that is shown: one row per pair.

    Args:
        base: of the fusion ``esmm``.
        world: its rows may be seen; a user is known by those of the base's domains.
        domain: one with views or clicks beside purchases.
        users: n user ids; who is unknown is answered as a stranger.
        items: n item ids, the a-th for the a-th user.

    Returns:
        ``user_id``, ``item_id``, ``ctr`` (a click, if shown), ``cvr`` (a purchase, if clicked), ``ctcvr`` (both).

    Raises:
        MethodError: the base has no probabilities for `domain`.
        DataError: users and items are not equally many, or items are not of `domain`.
    """
    if len(users) != len(items):
        raise DataError(f"{len(users)} users and {len(items)} items were given: give one item for each user.")
    codes = (vocab.encode(list(ids)) for vocab, ids in ((world.user_ids, users), (world.item_ids, items)))
    found = _rates.probabilities(base, world, domain, *codes)
    return pl.DataFrame({"user_id": list(users), "item_id": list(items), **vars(found)})


def advise(
    world: World,
    target: str,
    *,
    sources: Sequence[str] = (),
    cut: Moment | None = None,
    weeks: float | None = None,
    limits: Limits | None = None,
    reports: Sequence[str | Path] = (),
) -> Advised:
    """Rank fusion and transfer methods for a launch, from past reports; nothing is trained.

    Args:
        world: all domains.
        target: the domain to be launched.
        sources: domains whose knowledge may be used; empty: all others.
        cut: nothing from this time on is seen; None sees everything.
        weeks: pretend that the target opened this many weeks before the cut (before the last event without one).
        limits: what a method may cost and do.
        reports: folders with reports of your own, from which the advice learns beside the cases that come along.

    Raises:
        ArtifactError: a folder of reports is not there, or one is damaged.
        ConfigError: weeks without times.
        DataError: unknown domain.
        MethodError: no method meets needs and limits.
    """
    cases = [*_cases.shipped(), *_cases.read_reports(reports)]
    return _advise(problem_of(world, target, sources, cut, weeks, 0), cases, limits)


def transfer(  # noqa: PLR0913 - one door; all but two are given by name
    world: World,
    target: str,
    *,
    method: str = "blend",
    base: Base | None = None,
    sources: Sequence[str] = (),
    cut: Moment | None = None,
    weeks: float | None = None,
    budget: Budget | str | None = None,
    seed: int = 0,
    **options: Any,
) -> Recommender:
    """Fit a recommender for `target` on everything that may be seen.

    Args:
        world: all domains.
        target: the domain to recommend in.
        method: a transfer method or control (`crossaisle methods` lists them).
        base: from `fuse`; a method that reads one and gets none fuses one first, from the sources before `cut`.
        sources: domains whose knowledge may be used; empty: all others.
        cut: nothing from this time on is seen; None sees everything.
        weeks: pretend that the target opened this many weeks before the cut (before the last event without one).
        budget: time to search options on held-out rows, such as ``"10m"``, or a `Budget` with a folder that keeps the
            trials; what is given in `options` stays. `Recommender.facts` say what was found.
        seed: of everything random.
        **options: of the method.

    Raises:
        MethodError: unknown method, or one whose needs the data do not meet.
        ConfigError: unknown or wrong option or budget, weeks without times.
        DataError: unknown domain.
    """
    chosen, within = METHODS.get(method), Budget.of(budget) if isinstance(budget, str) else budget
    ready: Any = build(chosen.options, options, f"options of {method!r}")
    problem = problem_of(world, target, sources, cut, weeks, seed)
    if base is None and chosen.reads_base:
        base = _base_for(chosen, world, problem.sources, cut, seed)
    check_needs(chosen, base, problem)
    facts = fact_of(world, target)
    if within is not None:
        found = tuned(Search(chosen, ready, validation_of(problem), base, frozenset(options)), within)
        ready, facts = found.options, {**facts, "tuning": found.facts}
    made = chosen.fit(base, problem, ready)
    return replace(made, facts={**made.facts, **facts})


def gap(
    world: World,
    target: str | None = None,
    sources: Sequence[str] = (),
    *,
    base: Base | None = None,
    cut: Moment | None = None,
    weeks: float | None = None,
    seed: int = 0,
    **options: Any,
) -> GapReport:
    """How far domains are apart, before anything is trained (docs/gap.md lists the measures).

    Args:
        world: all domains.
        target: the domain to be launched; None measures every ordered pair.
        sources: domains that knowledge may come from; empty: all others.
        base: its heads are scored as well, by how well they tell the target's purchases.
        cut: nothing from this time on is seen; None sees everything.
        weeks: pretend that the target opened this many weeks before the cut.
        seed: of everything random.
        **options: of `GapOptions`: ``items``, ``people``, ``permutations``, ``resamples``, ``neighbours``, ``text``.

    Raises:
        DataError: unknown domain, or only one.
        ConfigError: unknown or wrong option, weeks without target or without times.
        MethodError: the base was fused on other items.
    """
    if weeks is not None and target is None:
        raise ConfigError("weeks says how long the target has been open; name the target as well.")
    ready = build(GapOptions, options, "options of gap")
    every = tuple(sources) or tuple(world.domains.ids.to_list())
    names = every if target is None else default_sources(world, target, sources)
    rows = visible(world, target or every[0], cut, weeks).train
    made = measured(world, rows, Asked(names, every if target is None else (target,), base), ready, seed)
    asked = {"target": target, "sources": list(names), "cut": None if cut is None else str(moment(cut)), "weeks": weeks}
    return replace(made, protocol={**asked, "base": None if base is None else base.fusion, **made.protocol})


def select_sources(  # noqa: PLR0913 - one door; all but two are given by name
    world: World,
    target: str,
    *,
    method: str | MethodSpec = "user_kernel",
    sources: Sequence[str] = (),
    order: Mapping[str, float] | None = None,
    cut: Moment | None = None,
    weeks: float | None = None,
    budget: str | None = None,
    out: Path | None = None,
    seed: int = 0,
) -> SourceChoice:
    """Choose which domains to learn from for `target`, and say what each adds, by purchases that are held out.

    Args:
        world: all domains.
        target: the domain to recommend in.
        method: what is fitted on each set of sources: a transfer method, or a `MethodSpec` with options and fusion. A
            quick one such as ``user_kernel`` is meant: one that reads a base fuses anew for each set.
        sources: domains to choose among; empty: all others.
        order: source → how near it is; nearer ones (greater numbers) are tried first. By shared people and items, and
            by rows, when None.
        cut: nothing from this time on is seen; None sees everything.
        weeks: pretend that the target opened this many weeks before the cut (before the last event without one).
        budget: time for all fits together, such as ``"10m"``; None: until nothing is left to try.
        out: folder that keeps what was fitted, so that the same call goes on after an interruption.
        seed: of everything random.

    Raises:
        MethodError: unknown method.
        ConfigError: wrong option, order or budget, no source, weeks without times.
        DataError: unknown domain.
    """
    entry = entry_of(MethodSpec(method) if isinstance(method, str) else method, "select_sources")
    seconds = None if budget is None else seconds_of(budget)
    problem = problem_of(world, target, sources, cut, weeks, seed)
    return _sources.select_sources(problem, entry, order=order, seconds=seconds, folder=out)


def _base_for(method: TransferMethod, world: World, names: Sequence[str], cut: Moment | None, seed: int) -> Base | None:
    try:
        return fuse(world, names, cut=cut, seed=seed)
    except MethodError:
        if "base" in method.needs:
            raise
        return None
