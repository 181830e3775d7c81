"""Search: options of a method chosen on held-out purchases, trial by trial, until a budget of seconds is spent."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__, config
from ..errors import CrossaisleError, StorageError
from ..metrics import Doubles
from ..models.base import Base
from ..progress import tick
from ..rng import generator
from ..transfer.method import TransferMethod, check_needs
from ..transfer.space import Range, Space, space_of
from ..transfer.weights import beats
from .budget import Budget
from .cells import digest_of, source_of, world_mark
from .validation import LEAST, Validation

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

MOST = 200
"""Trials of one search, at most: few ranges need more."""
ABOUT = "about"
FAILED = (CrossaisleError, ValueError, ArithmeticError, MemoryError)
"""What options that do not work end in; any other error is a fault and stops the search."""


@dataclass(frozen=True, eq=False)
class Search:
    """One method whose options are searched for one question.

    Attributes:
        method: what is fitted.
        start: options of trial 0.
        asked: on what trials are judged.
        base: for methods that read one.
        kept: options that somebody chose, and that no trial changes.
        label: in progress lines.
    """

    method: TransferMethod
    start: Any
    asked: Validation
    base: Base | None = None
    kept: frozenset[str] = frozenset()
    label: str = ""

    @cached_property
    def space(self) -> Space:
        """Options that are searched."""
        return space_of(self.start, self.kept)

    def judge(self, options: Any) -> Doubles:
        """(people,) quality under `options`, rounded as it is kept.

        Raises:
            MethodError: a need is not met on what is left.
            TrainingError: the fit, or its scores, went wrong.
        """
        check_needs(self.method, self.base, self.asked.problem)
        made = self.method.fit(self.base, self.asked.problem, options)
        return self.asked.quality(made.scorer.score).round(6)

    @cached_property
    def key(self) -> str:
        """Name of the file of trials: equal names, equal trials."""
        base = hashlib.blake2b(digest_size=12)
        for tensor in () if self.base is None else self.base.weights.values():
            base.update(tensor.numpy().tobytes())
        problem = self.asked.problem
        question = [world_mark(problem.world), problem.target, problem.sources, problem.seed, self.asked.mark]
        ranges = {name: repr(values) for name, values in self.space.items()}
        answer = [config.as_dict(self.start), ranges, base.hexdigest(), source_of(self.method.fit), __version__]
        return f"{self.method.name}-{digest_of([question, answer])}"


@dataclass(frozen=True)
class Trial:
    """One finished trial.

    Attributes:
        changed: options that were searched, with their values.
        seconds: fit and scoring.
        value: mean nDCG@10 of the people asked; NaN where the fit failed.
        better: whether it beats trial 0 beyond noise.
        quality: (people,) of trial 0, by which the others are judged; empty for them.
        failed: why there is no value.
    """

    changed: dict[str, Any]
    seconds: float
    value: float
    better: bool = False
    quality: Sequence[float] = ()
    failed: str = ""


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        options: to fit with: those of the best trial that beats the start beyond noise, else the start.
        facts: number of trials, seconds, what was changed and why (JSON-able).
    """

    options: Any
    facts: dict[str, Any] = field(default_factory=dict)


def tuned(search: Search, budget: Budget) -> Tuned:
    """Try options until the budget is spent, and choose.

    Trial 0 are the options to start from; the others are drawn by the tree-structured Parzen estimator (Bergstra et al.
    2011) of Optuna. Trial k depends on the trials before it and the seed alone, so a search that was interrupted goes
    on as if it had not been. A trial begins only if the mean of those before it still fits into the budget.

    Args:
        search: method, options and validation.
        budget: seconds, and the folder that keeps the trials.

    Raises:
        StorageError: the trials cannot be written.
    """
    if not search.space or not search.asked.enough:
        why = "no option is left to search" if not search.space else f"fewer than {LEAST} people can be held out"
        return Tuned(search.start, {"trials": 0, "seconds": 0.0, "why": why})
    try:
        study = _open(search, budget.folder)
        trials, total = _finished(study), round(budget.seconds)
        while not ended(search.space, trials) and fits(trials, budget):
            spent = min(round(sum(t.seconds for t in trials)), total - 1)
            tick(f"tune {search.label or search.method.name}: trial {len(trials)}", max(spent, 0), total)
            _next(study, search, trials)
            trials = _finished(study)
        tick(f"tune {search.label or search.method.name}", total, total)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot keep trials in {budget.folder}: {reason}; free some space.") from error
    return chosen(search, trials, budget)


def ended(space: Space, trials: Sequence[Trial]) -> bool:
    """Whether there is nothing more to try: the start failed, all values were tried, or `MOST` trials were."""
    sizes = [float("inf") if isinstance(values, Range) else len(values) for values in space.values()]
    return len(trials) >= MOST or bool(trials and trials[0].failed) or distinct(trials) >= math.prod(sizes)


def distinct(trials: Sequence[Trial]) -> int:
    """How many of `trials` were fitted: options drawn again are not."""
    return len({tuple(t.changed.values()) for t in trials})


def fits(trials: Sequence[Trial], budget: Budget) -> bool:
    """Whether one more trial, as long as the mean of `trials`, fits into what is left; the first one always does."""
    spent = sum(t.seconds for t in trials)
    return not trials or spent + spent / len(trials) <= budget.seconds


def chosen(search: Search, trials: Sequence[Trial], budget: Budget) -> Tuned:
    """The best trial that beats trial 0 beyond noise (paired t test over people), else the options of trial 0."""
    start = trials[0]
    facts: dict[str, Any] = {
        "trials": distinct(trials),
        "seconds": round(sum(t.seconds for t in trials), 1),
        "searched": list(search.space),
        "validation": search.asked.origin,
        "people": len(search.asked.people),
    }
    if start.failed:
        return Tuned(search.start, facts | {"why": f"the start could not be fitted on what is left: {start.failed}"})
    facts["ndcg_start"] = round(start.value, 4)
    best = max((t for t in trials if t.better), key=lambda t: t.value, default=None)
    if best is not None:
        changed = {n: v for n, v in best.changed.items() if v != getattr(search.start, n)}
        return Tuned(replace(search.start, **best.changed), facts | {"ndcg": round(best.value, 4), "changed": changed})
    why = "no trial was better than the start beyond noise"
    if len(trials) == 1:
        why = (
            f"a budget of {budget.seconds:g} s leaves no time for a trial beside the start, which took "
            f"{start.seconds:.1f} s; give more"
        )
    return Tuned(search.start, facts | {"why": why})


def told(tuning: Mapping[str, Any]) -> str:
    """What a search of options found, in words (see `Tuned.facts`)."""
    spent = f"{tuning['trials']} trials, {tuning['seconds']:.0f} s"
    if "changed" not in tuning:
        return f"as they were, because {tuning['why']} ({spent})"
    values = (f"{n} = {v:.3g}" if isinstance(v, float) else f"{n} = {v}" for n, v in tuning["changed"].items())
    gain = f"held-out nDCG@10 {tuning['ndcg_start']:.4f} → {tuning['ndcg']:.4f}"
    return f"{', '.join(values)} ({gain}; {spent})"


def _next(study: Any, search: Search, trials: Sequence[Trial]) -> None:
    """Draw options, judge them and keep the result."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    begun = time.perf_counter()
    if not trials:
        study.enqueue_trial({name: getattr(search.start, name) for name in search.space})
    # A sampler for each trial: its draws must not depend on whether the search was interrupted.
    draw = generator(search.asked.problem.seed, "search", search.method.name, str(len(trials)))
    study.sampler = TPESampler(seed=int(draw.integers(2**31)))
    trial = study.ask({name: _distribution(values) for name, values in search.space.items()})
    known = next((t for t in trials if t.changed == trial.params), None)
    found = _repeated(known) if known is not None else _tried(search, trial.params, trials)
    about = {"better": found.better, "quality": found.quality, "failed": found.failed}
    trial.set_user_attr(ABOUT, about | {"seconds": time.perf_counter() - begun})
    if found.failed:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, found.value)


def _repeated(trial: Trial) -> Trial:
    """Options that were tried already are not fitted again."""
    return replace(trial, quality=(), seconds=0.0)


def _tried(search: Search, changed: dict[str, Any], trials: Sequence[Trial]) -> Trial:
    try:
        quality = search.judge(replace(search.start, **changed))
    except FAILED as error:
        return Trial(changed, 0.0, float("nan"), failed=str(error) or type(error).__name__)
    if not trials:
        return Trial(changed, 0.0, float(quality.mean()), quality=quality.tolist())
    start = np.asarray(trials[0].quality)
    return Trial(changed, 0.0, float(quality.mean()), beats(quality, start))


def _finished(study: Any) -> list[Trial]:
    """Finished trials in order; one that was interrupted is none."""
    ended = (t for t in study.get_trials(deepcopy=False) if t.state.is_finished())
    return [_trial(t) for t in ended if ABOUT in t.user_attrs]


def _trial(kept: FrozenTrial) -> Trial:
    value = float("nan") if kept.value is None else kept.value
    return Trial(dict(kept.params), value=value, **kept.user_attrs[ABOUT])


def _open(search: Search, folder: Path | None) -> Any:
    """The Optuna study of `search`, with the trials that `folder` has of it."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if folder is None:
        return optuna.create_study(direction="maximize")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{search.key}.journal"
    _cut(path)
    for _ in range(2):
        try:
            storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
            return optuna.create_study(
                storage=storage, study_name=search.key, direction="maximize", load_if_exists=True
            )
        except (ValueError, KeyError):  # damaged: begin again
            path.unlink(missing_ok=True)
    raise StorageError(f"{path} cannot be read; remove it.")


def _cut(path: Path) -> None:
    """Take away a last line that was not written to its end."""
    text = path.read_bytes() if path.exists() else b""
    if not text.endswith(b"\n") and text:
        path.write_bytes(text[: text.rfind(b"\n") + 1])


def _distribution(values: Range | tuple[Any, ...]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(values, Range):
        return CategoricalDistribution(values)
    if isinstance(values.low, int) and isinstance(values.high, int):
        return IntDistribution(values.low, values.high, log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)
