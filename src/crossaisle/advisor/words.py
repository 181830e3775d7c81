"""Advice in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ..gap.launch import LaunchFacts
from ..gap.sides import LEAST
from .cases import Recipe

if TYPE_CHECKING:
    from .advice import Advice, Limits, Past

Word = Literal["likely helps", "may help", "unlikely to help", "control"]


def word_of(control: bool, gain: float, low: float, high: float) -> Word:
    """The interval in plain words."""
    if control:
        return "control"
    return "likely helps" if low > 0 else "may help" if gain > 0 and high > 0 else "unlikely to help"


def percent(row: Advice) -> str:
    """``+12 % expected (−5 % to +31 %)``."""
    return f"{100 * row.gain:+.0f} % expected ({100 * row.low:+.0f} to {100 * row.high:+.0f} %)"


def reasons_of(recipe: Recipe, facts: LaunchFacts, past: Sequence[Past]) -> list[str]:
    """Why it stands where it stands: what the method is for, what the launch has of it, what it did before."""
    method = recipe.entry.method
    made = [f"meant for this: {method.when}."] if method.when else []
    if not facts.rows:
        made.append("nothing of the target was sold yet: what its items say, or share with others, is all there is.")
    elif recipe.entry.kind != "control":
        made.append(
            f"{100 * facts.known:.0f} % of its people are known elsewhere, and those who are near there buy alike here "
            f"{facts.agreement:.1f} times as often as strangers."
        )
    if past:
        said = (f"{p.target} ({p.world}, {p.step}) {100 * p.gain:+.0f} %" for p in past)
        made.append(f"it was tried at {', '.join(said)} against the best control there.")
    return made


def warnings_of(facts: LaunchFacts, limits: Limits) -> list[str]:
    """What a reader must know of the launch."""
    made = []
    if not facts.sources:
        made.append("There is no other domain to learn from: nothing can be transferred.")
    if not facts.rows:
        made.append("The target has no visible interactions: this advice rests on its items and on the sources alone.")
    elif facts.people < LEAST:
        made.append(
            f"Only {facts.people:.0f} people of the target are in sight: too little to say how they are like those of "
            "the sources; what is asked about people is answered by those of the sources."
        )
    if not facts.told:
        made.append("Its items have no titles, prices or attributes: methods that read content are left out.")
    if limits.private:
        made.append("Give people other ids in each domain before you fit: this advice counts on nobody being known.")
    return made
