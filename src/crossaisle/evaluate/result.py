"""Report: what a study found, as plain frozen rows. `report/` renders it; docs/report.md documents its JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import ArtifactError
from ..files import check_schema, read_json

SCHEMA_VERSION = 1
Verdict = Literal["helps", "no difference", "hurts"]
Against = Literal["best_control", "target_only", "shared_bottom"]


@dataclass(frozen=True)
class Row:
    """One number: `value` with its interval over users (`low`, `high`, 95 %), averaged over `seeds` seeds.

    `week` or `shots` says how much of the target was seen; both None where the split has one step only.
    """

    domain: str
    week: float | None
    shots: int | None
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
    """Paired difference method − control over users; verdict by whether the 95 % interval excludes 0.

    `against` is the role of `control`. ``best_control`` is the control that is best on these very test rows, so
    the comparison is hard on the method. `seeds_agree` of `seeds` seeds taken alone give the same verdict.
    """

    domain: str
    week: float | None
    shots: int | None
    slice: str
    method: str
    against: Against
    control: str
    metric: str
    k: int
    difference: float
    low: float
    high: float
    verdict: Verdict
    users: int
    seeds: int
    seeds_agree: int


@dataclass(frozen=True)
class ShipRow:
    """What goes to people at one step: the method named before, unless the guard says that it hurts.

    `verdict` is that of `method` against `control`, the best control, on the headline slice; None where one of
    the two did not run.
    """

    domain: str
    week: float | None
    shots: int | None
    method: str
    control: str | None
    verdict: Verdict | None
    ships: str


@dataclass(frozen=True)
class TimeSavedRow:
    """Week at which the best control reaches what `method` has at `week`, divided by `week`.

    The best control is the best of all controls at each week by itself. `reached` is None when it never gets there
    within the study; then `factor` is a lower bound (`at_least` is True). `low` and `high` bound the factor over
    resampled users; `high` is None when there is no upper bound within the study.
    """

    domain: str
    method: str
    week: float
    quality: float
    reached: float | None
    factor: float
    at_least: bool
    low: float
    high: float | None


@dataclass(frozen=True)
class CostRow:
    """What a method cost at one step: means over seeds; `peak_mb` is the greatest.

    `fuse_seconds` is paid once for all steps and counted apart from `fit_seconds`. Peak memory is that of the
    whole process, World included.
    """

    domain: str
    week: float | None
    shots: int | None
    method: str
    fit_seconds: float
    fuse_seconds: float
    peak_mb: float
    parameters: int
    artifact_mb: float
    ms_per_request: float


@dataclass(frozen=True)
class Report:
    """Everything a study found.

    Attributes:
        name: of the study.
        protocol: target, sources, split, cut, steps with their numbers of rows and users, seeds, methods with options.
        kinds: method label → ``"control"`` or ``"transfer"``, in the order they were asked.
        rows: the numbers.
        guard: every transfer against the controls.
        ships: what goes to people at each step.
        time_saved: by every transfer, at weeks above 0.
        costs: of every method at every step.
        best: domain → ``{"transfer": label named before, "control": {step: label of the best control there}}``.
        environment: versions, platform, seconds, peak memory.
        warnings: sentences a reader must know (future leak, few users, methods left out …).
    """

    name: str
    protocol: Mapping[str, Any]
    kinds: Mapping[str, str]
    rows: tuple[Row, ...]
    guard: tuple[GuardRow, ...] = ()
    ships: tuple[ShipRow, ...] = ()
    time_saved: tuple[TimeSavedRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    best: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Indented JSON with ``schema_version`` first; equal studies give equal text apart from times and memory."""
        body = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read `report.json` back.

        Raises:
            ArtifactError: missing, not a report, or of a newer schema.
        """
        return cls.from_document(read_json(path, "report.json", "run `crossaisle evaluate`"), str(path))

    @classmethod
    def from_document(cls, body: Any, where: str) -> Report:
        """The Report of a parsed ``report.json``; `where` it stood is named in errors.

        Raises:
            ArtifactError: not a report, or of a newer schema.
        """
        check_schema(body, where, SCHEMA_VERSION)
        try:
            tables: dict[str, Any] = {name: tuple(row(**r) for r in body[name]) for name, row in TABLES.items()}
            rest = {n: body[n] for n in ("name", "protocol", "kinds", "best", "environment")}
            return cls(**rest, **tables, warnings=tuple(body["warnings"]))
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{where} is not a whole report.json ({error}); run the study again.") from None


TABLES: Mapping[str, Any] = {
    "rows": Row,
    "guard": GuardRow,
    "ships": ShipRow,
    "time_saved": TimeSavedRow,
    "costs": CostRow,
}
"""Name of each table of the report → the class of its rows."""
