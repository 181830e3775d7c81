"""Which sources to learn from, as a choice with its reasons: plain frozen rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .result import Verdict

SCHEMA_VERSION = 1
Sources = tuple[str, ...]


@dataclass(frozen=True)
class Added:
    """What one source adds to the chosen set, to the people who judge: with it minus without it.

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
    """One set of sources beside all of them, on the people who judge.

    Attributes:
        name: ``none``, ``forward`` (what the forward selection found) or ``all``.
        sources: the set.
        quality: mean held-out nDCG@10.
        difference: from all sources, with its 95 % interval over people from `low` to `high`.
        verdict: by whether the interval excludes 0.
    """

    name: Literal["none", "forward", "all"]
    sources: Sources
    quality: float
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class ForwardStep:
    """One step of the forward selection: the mean gain of each source tried, to the people who choose."""

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
        people: how many judge; as many choose.
        fits: sets of sources that were fitted.
        adds: what each source adds, the best first; empty where nothing could be judged.
        compared: none, the forward selection's set and all.
        steps: how the forward selection went.
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
