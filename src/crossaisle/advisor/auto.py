"""Auto: the advised recipes are tried on held-out rows, and what is best by advice and trial together is fitted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MethodError, TrainingError
from ..evaluate.bases import Bases
from ..evaluate.cells import kept_array, write_arrays
from ..evaluate.search import Search
from ..evaluate.validation import Validation, validation_of
from ..metrics import Doubles
from ..models.base import Base
from ..progress import tick
from ..recommender import Recommender
from ..train.checkpoint import keeping, kept_in
from ..transfer.method import transfer
from ..transfer.problem import Problem
from ..transfer.weights import beats
from .advice import Advice, Limits, advise
from .cases import Recipe, read_reports, shipped
from .outlook import FLOOR
from .words import percent

SHIPS = "blend"
"""What is fitted unless past cases or trials speak clearly for something else."""
SURE = 2 * 1.2816
"""An 80 % interval is so many standard deviations wide."""


@dataclass(frozen=True)
class AutoOptions:
    """Options of `auto`."""

    tries: int = 3
    """Advised transfers that are fitted and compared on held-out rows, beside the advised control."""
    minutes: float = 10.0
    """No further trial begins after this time."""
    explainable: bool = False
    """Only methods whose scores are sums over what a person had."""
    reports: tuple[str, ...] = ()
    """Folders with reports of your own, from which the advice learns beside the cases that come along."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.tries < 1 or self.minutes <= 0:
            raise ValueError("tries ≥ 1 and minutes > 0 are needed.")


@dataclass(frozen=True)
class Tried:
    """One recipe with what held-out rows said of it.

    Attributes:
        advice: what was expected.
        quality: (people,) nDCG@10 on held-out rows; empty where it could not run.
        failed: why it could not.
    """

    advice: Advice
    quality: Doubles
    failed: str = ""


@transfer(
    "auto",
    options=AutoOptions,
    paper="kriging (Rasmussen & Williams 2006, ch. 2) of past outcomes, weighed with held-out trials by precision",
    when="you do not want to choose: it follows the advice, and keeps the control where what it tries loses",
    cost="high",
    random=True,
)
def fit(base: Base | None, problem: Problem, options: AutoOptions) -> Recommender:
    """Follow the advice: the blend, or try the first recipes on held-out rows and fit the best, or the control.

    Which of both: see `led` and `untried`. Within `keeping` bases and trials stay in its folder, and the same call
    goes on from there.
    """
    folder = kept_in()
    with keeping(None):  # that one is for a single training
        return _followed(base, problem, options, folder)


def _followed(base: Base | None, problem: Problem, options: AutoOptions, folder: Path | None) -> Recommender:
    limits = Limits(explainable=options.explainable)
    rows = advise(problem, [*shipped(), *read_reports(options.reports)], limits).rows
    chosen = candidates(led(rows), options.tries)
    asked = validation_of(problem)
    bases = Bases(None if folder is None else folder / "bases")
    ask = partial(tried_on, asked=asked, base=base, bases=bases, folder=folder)
    why = untried(chosen, asked.enough)
    tried = [] if why else trials(chosen, ask, options.minutes)
    best, why = decided(tried) if tried else (chosen[0], why)
    recipe = Recipe(best.method, best.fusion, best.options)
    made = recipe.entry.method.fit(_base(recipe, problem, base, bases), problem, recipe.entry.options)
    told = {
        "chosen": best.recipe,
        "why": why,
        "tried": [_told(t) for t in tried],
    }
    return replace(made, facts={**made.facts, "auto": told})


def led(rows: Sequence[Advice]) -> list[Advice]:
    """`rows` with the blend first, unless even the low end for the first is more than is expected of the blend.

    Past cases tell good recipes from bad ones, but hardly the best from the next best. Where a control is first, the
    advice is not to transfer, and stays.
    """
    ships = [r for r in rows if r.recipe == SHIPS and not rows[0].control and rows[0].low <= r.gain]
    return [*ships, *(r for r in rows if r not in ships)]


def candidates(rows: Sequence[Advice], tries: int) -> list[Advice]:
    """The first `tries` transfers and the first control, as they are ranked."""
    transfers = [r for r in rows if not r.control][:tries]
    controls = [r for r in rows if r.control][:1]
    return [r for r in rows if r in transfers or r in controls]


def untried(chosen: Sequence[Advice], enough: bool) -> str:
    """Why the first of `chosen` is followed without trials; empty where there are to be some.

    A trial of a blend would be one of trials: it takes as long as the fit, which holds people out as well.
    """
    first = chosen[0]
    if len(chosen) == 1:
        return "nothing else can run"
    if not enough:
        return "too few people can be held out to try anything"
    if hasattr(Recipe(first.method, first.fusion, first.options).entry.options, "parts"):
        return f"{percent(first)}, and it weighs its parts on held-out people itself"
    return ""


def trials(chosen: Sequence[Advice], ask: Callable[[Advice], Tried], minutes: float) -> list[Tried]:
    """Each of `chosen` on held-out rows, controls first, until the time is over."""
    begun, made = time.perf_counter(), list[Tried]()
    order = sorted(chosen, key=lambda r: not r.control)
    for number, advice in enumerate(order):
        if made and time.perf_counter() - begun > 60 * minutes:
            break
        tick(f"auto: try {advice.recipe}", number, len(order))
        made.append(ask(advice))
    tick("auto: tried", len(order), len(order))
    return made


def tried_on(advice: Advice, asked: Validation, base: Base | None, bases: Bases, folder: Path | None = None) -> Tried:
    """What held-out rows say of one recipe; kept in `folder`, and read from there."""
    recipe = Recipe(advice.method, advice.fusion, advice.options)
    try:
        own = _base(recipe, asked.problem, base, bases)
        search = Search(recipe.entry.method, recipe.entry.options, asked, own)
        quality = kept_array(folder, search.key, "quality") if folder is not None else None
        if quality is None:
            quality = search.judge(search.start)
            if folder is not None:
                write_arrays(folder, search.key, {"quality": quality}, {})
        return Tried(advice, quality)
    except (MethodError, TrainingError) as error:
        return Tried(advice, np.zeros(0), str(error))


def decided(tried: Sequence[Tried]) -> tuple[Advice, str]:
    """The recipe that is best by advice and trial together, and why; the control where it beats that on held-out rows.

    Advice says N(m, s²) of a recipe's gain in the logarithm, the trial v with error e of the same; together
    (m / s² + v / e²) / (1 / s² + 1 / e²). A trial compares with the control tried (or else the first recipe that ran);
    what advice expects of that is added, as gains are counted from the best control.

    Raises:
        MethodError: nothing could be fitted.
    """
    ran = [t for t in tried if len(t.quality)]
    if not ran:
        raise MethodError(f"auto could fit none of the advised recipes: {tried[0].failed}")
    reference = next((t for t in ran if t.advice.control), ran[0])
    values = [posterior(t, reference) for t in ran]
    best = ran[int(np.argmax(values))]
    if reference.advice.control and best is not reference and beats(reference.quality, best.quality):
        return reference.advice, f"{best.advice.recipe} was expected to be best but lost to it on held-out rows"
    said = "by advice and held-out rows together"
    return best.advice, f"best of {len(ran)} {said}: {percent(best.advice)}, held-out nDCG@10 {best.quality.mean():.4f}"


def posterior(tried: Tried, reference: Tried) -> float:
    """Expected logarithm of the gain of `tried` after its trial."""
    advice = tried.advice
    mean = float(np.log1p(advice.gain))
    spread = float(np.log1p(advice.high) - np.log1p(advice.low)) / SURE
    mine, other = (float(t.quality.mean()) + FLOOR for t in (tried, reference))
    found = float(np.log1p(reference.advice.gain)) + np.log(mine / other)
    # The delta method: by so much does one person move the logarithm of the ratio.
    moved = tried.quality / mine - reference.quality / other
    error = max(float(moved.std(ddof=1)) / np.sqrt(len(moved)), 1e-3)
    worth = 1.0 / max(spread, 1e-3) ** 2, 1.0 / error**2
    return float((mean * worth[0] + found * worth[1]) / sum(worth))


def _base(recipe: Recipe, problem: Problem, base: Base | None, bases: Bases) -> Base | None:
    """The base that `recipe` asks for: the one that is there, or fused now."""
    if recipe.fusion is None:
        return None
    if base is not None and recipe.fusion == base.fusion:
        return base
    return bases.get(recipe.entry, problem, problem.seed)[0]


def _told(tried: Tried) -> dict[str, Any]:
    expected = {n: round(getattr(tried.advice, n), 4) for n in ("gain", "low", "high")}
    held_out = round(float(tried.quality.mean()), 4) if len(tried.quality) else None
    return {"recipe": tried.advice.recipe, **expected, "held_out": held_out, "failed": tried.failed}
