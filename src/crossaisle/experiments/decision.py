"""What an experiment says now: go on, or stop and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .assignment import Experiment, MetricName
from .sequences import Bounds

Word = Literal["go on", "win", "harm", "futile", "over", "mismatch"]
MISMATCH = 0.001
"""p below which the numbers of users contradict the shares (Fabijan et al. 2019, Diagnosing sample ratio mismatch)."""


@dataclass(frozen=True)
class Decision:
    """The answer of the rule.

    Attributes:
        word: ``win`` (a variant is better in the deciding metric, and no guard is shown to suffer), ``harm`` (every
            variant is worse in a metric), ``futile`` (no variant has a gain worth having left), ``over`` (all the users
            that were meant, no winner), ``mismatch`` (the numbers of users contradict the shares, so that nothing can
            be said) or ``go on``.
        variant: the winner; else the control wherever the experiment ends, and None while it goes on.
        stopped: variant → ``harm`` or ``futile``: may be taken out at once.
        sentence: in plain words.
    """

    word: Word
    variant: str | None
    stopped: Mapping[str, Word]
    sentence: str


def mismatch(users: Sequence[int], shares: Sequence[float]) -> float:
    """Chance (p) of the chi-square test that `users` (variants,) follow `shares`; 1 without users."""
    from scipy.stats import chisquare  # a service without an experiment does without it

    total = sum(users)
    return float(chisquare(users, [total * share for share in shares]).pvalue) if total else 1.0


def decide(
    experiment: Experiment,
    differences: Mapping[str, Mapping[MetricName, Bounds]],
    control_rate: float,
    users: int,
    p_mismatch: float,
) -> Decision:
    """Apply the rule.

    Args:
        experiment: with its rule.
        differences: variant → metric → difference from the control.
        control_rate: of the deciding metric.
        users: of all variants.
        p_mismatch: of `mismatch`.
    """
    control = experiment.control
    if p_mismatch < MISMATCH:
        return Decision("mismatch", control, {}, _mismatched(p_mismatch))
    said = {v: _stopped(experiment, d, control_rate) for v, d in differences.items()}
    stopped = {v: word for v, word in said.items() if word is not None}
    left = {v: d[experiment.metric] for v, d in differences.items() if v not in stopped}
    winners = [v for v, d in left.items() if d.low > 0]
    if winners:
        best = max(winners, key=lambda v: float(left[v].value))
        return Decision(
            "win", best, stopped, f"{best!r} is better than {control!r} in {experiment.metric}: promote it."
        )
    if not left:
        futile = "futile" in stopped.values()
        what = "has a gain worth having" if futile else "is free of harm"
        sentence = f"no variant {what}: stop, and keep {control!r}."
        return Decision("futile" if futile else "harm", control, stopped, sentence)
    if users >= experiment.rule.max_users:
        return Decision("over", control, stopped, f"all {users:,} users are in and none has won: keep {control!r}.")
    return Decision("go on", None, stopped, "nothing is settled yet: go on.")


def _stopped(experiment: Experiment, found: Mapping[MetricName, Bounds], control_rate: float) -> Word | None:
    if any(bounds.high < 0 for bounds in found.values()):
        return "harm"
    least = experiment.rule.least * control_rate
    return "futile" if least > 0 and np.isfinite(least) and found[experiment.metric].high < least else None


def _mismatched(p: float) -> str:
    return (
        f"the numbers of users contradict the shares (p = {p:.1g}), so no difference can be trusted: look for what "
        "loses users in one variant (redirects, crashes, bots, caching), mend it and start anew."
    )
