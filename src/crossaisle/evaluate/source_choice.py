"""Which sources to learn from, as a choice with its reasons: plain frozen rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .result import Verdict

SCHEMA_VERSION = 1
Sources = tuple[str, ...]
SetName = Literal["none", "forward", "all"]


@dataclass(frozen=True)
class Added:
    """What one source adds to the chosen set: with it minus without it.

    Where the set was found by the forward selection, each half of the people judges beside the set that the other half
    chose, so that nobody judges his own choice.

    Attributes:
        source: domain.
        chosen: whether it is in the set.
        difference: mean of held-out nDCG@10, with its 95 % interval over people from `low` to `high`.
        verdict: by whether the interval excludes 0.
    """

    source: str
    chosen: bool
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class Compared:
    """One set of sources beside all of them.

    Attributes:
        name: ``none``, ``forward`` (what the forward selection finds) or ``all``.
        sources: the set; of ``forward`` what all people chose, while each half is judged by what the other one chose.
        quality: mean held-out nDCG@10.
        difference: from all sources, with its 95 % interval over people from `low` to `high`.
        verdict: by whether the interval excludes 0.
    """

    name: SetName
    sources: Sources
    quality: float
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class ForwardStep:
    """One step of the forward selection on all people: the mean gain of each source tried, and which was added."""

    gains: Mapping[str, float]
    added: str | None


@dataclass(frozen=True)
class SourceChoice:
    """Which sources to use, and what each adds.

    Attributes:
        target: the domain that is launched.
        method: label of the method that was fitted.
        sources: the chosen ones, in the order of the World; empty: the target alone is better.
        why: in a sentence.
        people: how many were asked.
        fits: sets of sources that were fitted.
        adds: what each source adds, the best first; empty where nothing could be judged.
        compared: none, the forward selection's set and all.
        steps: of the forward selection.
        failed: set, its sources joined by ``+`` → why the method could not be fitted on it; it counts as 0.
    """

    target: str
    method: str
    sources: Sources
    why: str
    people: int = 0
    fits: int = 0
    adds: tuple[Added, ...] = ()
    compared: tuple[Compared, ...] = ()
    steps: tuple[ForwardStep, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with ``schema_version`` first."""
        return {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
