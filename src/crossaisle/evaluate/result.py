"""Report: what a study found, as plain frozen rows. `report/` renders it, JSON keeps it (schema version below)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA_VERSION = 1
Verdict = Literal["helps", "no difference", "hurts"]


@dataclass(frozen=True)
class Row:
    """One number: `value` with its interval over users (`low`, `high`, 95 %), averaged over `seeds` seeds."""

    domain: str
    week: float | None
    slice: str
    """``new`` (first purchases), ``repeat``, ``all``, ``head``/``middle``/``tail``, ``cold_item``, ``cold_user``,
    ``warm_user``, ``twin_free``."""
    method: str
    metric: str
    k: int
    value: float
    low: float
    high: float
    seeds: int
    users: int


@dataclass(frozen=True)
class GuardRow:
    """Paired difference method − control over users; verdict by whether the 95 % interval excludes 0."""

    domain: str
    week: float | None
    slice: str
    method: str
    control: str
    metric: str
    k: int
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True)
class TimeSavedRow:
    """Week at which the best target-only control reaches what `method` has at `week`, divided by `week`.

    `reached` is None when the control never reaches it within the study; then `factor` is a lower bound
    (``at_least`` is True).
    """

    domain: str
    method: str
    week: float
    quality: float
    reached: float | None
    factor: float
    at_least: bool


@dataclass(frozen=True)
class CostRow:
    """What a method cost at one week: means over seeds."""

    domain: str
    week: float | None
    method: str
    fit_seconds: float
    peak_mb: float
    parameters: int
    artifact_mb: float
    ms_per_request: float


@dataclass(frozen=True)
class Report:
    """Everything a study found.

    Attributes:
        name: of the study.
        protocol: target, sources, split, cut, test window, catalogue size, users per slice, seeds, budgets, chosen options.
        kinds: method label → ``"control"`` or ``"transfer"``.
        best: method label chosen on validation (never on test) per domain, and what ``auto`` ships after the guard.
        environment: versions, platform, seconds, peak memory.
        warnings: sentences a reader must know (future leak, few users, wide intervals …).
    """

    name: str
    protocol: Mapping[str, Any]
    kinds: Mapping[str, str]
    rows: tuple[Row, ...]
    guard: tuple[GuardRow, ...] = ()
    time_saved: tuple[TimeSavedRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    best: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Indented JSON with ``schema_version`` first; equal studies give equal text apart from times."""
        body = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read `report.json` back."""
        body = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            name=body["name"],
            protocol=body["protocol"],
            kinds=body["kinds"],
            rows=tuple(Row(**r) for r in body["rows"]),
            guard=tuple(GuardRow(**r) for r in body["guard"]),
            time_saved=tuple(TimeSavedRow(**r) for r in body["time_saved"]),
            costs=tuple(CostRow(**r) for r in body["costs"]),
            best=body["best"],
            environment=body["environment"],
            warnings=tuple(body["warnings"]),
        )
