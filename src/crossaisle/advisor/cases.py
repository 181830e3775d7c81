"""Cases: what each recipe reached in past studies, beside the best control and what was known beforehand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import ArtifactError, ConfigError, MethodError
from ..evaluate.result import Report
from ..evaluate.spec import DEFAULT_FUSION, Entry, MethodSpec, entry_of
from ..evaluate.steps import Step
from ..gap.launch import LaunchFacts

SHIPPED = "cases.json"
SCHEMA_VERSION = 1
KEPT = ("scope", "parts")
"""Options that make another recipe; others tune one."""
_SIDES = 2 * 1.96
_FACTS = {f.name for f in dataclasses.fields(LaunchFacts)}


@dataclass(frozen=True)
class Recipe:
    """A transfer method, the fusion of its base, and the options that decide what it reads.

    Attributes:
        method: transfer method or control.
        fusion: that makes its base; None where it reads none.
        options: those of `KEPT` that differ from the default.
    """

    method: str
    fusion: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Recipe:
        """From what a Report's protocol says of a method.

        Raises:
            ConfigError, MethodError: of a method or option that is not there.
        """
        entry = entry_of(MethodSpec(described["method"]))
        given = {k: described["options"].get(k) for k in KEPT if hasattr(entry.options, k)}
        plain = {k: list(v) if isinstance(v, (list, tuple)) else v for k, v in given.items()}
        usual = {k: _listed(getattr(entry.options, k)) for k in given}
        return cls(
            described["method"], described.get("fusion"), {k: v for k, v in plain.items() if v not in (None, usual[k])}
        )

    @property
    def name(self) -> str:
        """For people: ``mmoe+zero_shot``, ``ease@all``."""
        scope = f"@{self.options['scope']}" if "scope" in self.options else ""
        parts = f" of {', '.join(self.options['parts'])}" if "parts" in self.options else ""
        fusion = f"{self.fusion}+" if self.fusion not in (None, DEFAULT_FUSION) else ""
        return f"{fusion}{self.method}{scope}{parts}"

    @property
    def entry(self) -> Entry:
        """Looked up.

        Raises:
            ConfigError, MethodError: of a method or option that is not there.
        """
        return entry_of(MethodSpec(self.method, self.name, self.options, self.fusion))


@dataclass(frozen=True)
class Launch:
    """One step of one study.

    Attributes:
        world: its name.
        target: the domain that was launched.
        step: weeks or shots in sight, in words.
        facts: what was known beforehand.
        control: nDCG@10 of the best control, chosen on the test rows.
    """

    world: str
    target: str
    step: str
    facts: LaunchFacts
    control: float

    @property
    def group(self) -> str:
        """World and target: what is left out at once when advice is judged."""
        return f"{self.world}: {self.target}"


@dataclass(frozen=True)
class Case:
    """What one recipe reached at one launch.

    Attributes:
        launch: where.
        recipe: what.
        control: whether it reads the target alone.
        value: nDCG@10 of purchases new to the user.
        error: standard error of it over users.
        seconds: of the fit, with the fusion of its base.
        peak_mb: most memory of the process, World included.
        held_out: nDCG@10 on held-out rows of the target, where it was measured.
    """

    launch: Launch
    recipe: Recipe
    control: bool
    value: float
    error: float
    seconds: float
    peak_mb: float
    held_out: float | None = None


def cases_of(report: Report) -> list[Case]:
    """All cases of a Report; none where it has no controls or does not say all that is asked about beforehand."""
    name, metric, k = (report.protocol["headline"][n] for n in ("slice", "metric", "k"))
    found = {(r.week, r.shots, r.method): r for r in report.rows if (r.slice, r.metric, r.k) == (name, metric, k)}
    costs = {(c.week, c.shots, c.method): c for c in report.costs}
    recipes = _recipes(report)
    made = []
    for step in report.protocol["steps"]:
        at = step["week"], step["shots"]
        rows = [r for key, r in found.items() if key[:2] == at and r.method in recipes]
        controls = [r.value for r in rows if report.kinds[r.method] == "control"]
        if not controls or not step.get("launch", {}).keys() >= _FACTS:
            continue
        launch = Launch(
            report.protocol["world"],
            report.protocol["target"],
            Step(*at).name,
            LaunchFacts.from_dict(step["launch"]),
            max(controls),
        )
        for row in rows:
            cost = costs[*at, row.method]
            spent = cost.fit_seconds + cost.fuse_seconds
            kind = report.kinds[row.method] == "control"
            error = (row.high - row.low) / _SIDES
            made.append(Case(launch, recipes[row.method], kind, row.value, error, spent, cost.peak_mb))
    return made


def _recipes(report: Report) -> dict[str, Recipe]:
    """Label → recipe, of the methods that are there."""
    found = {}
    for label, described in report.protocol["methods"].items():
        try:
            found[label] = Recipe.of(described)
        except (MethodError, ConfigError):  # of a plug-in that is not installed here
            continue
    return found


def to_json(cases: Sequence[Case]) -> str:
    """As `from_json` reads it; launches and recipes are written once."""
    launches = list(dict.fromkeys(c.launch for c in cases))
    recipes = list({c.recipe.name: c.recipe for c in cases}.values())
    place = {r.name: number for number, r in enumerate(recipes)}
    body = {
        "schema_version": SCHEMA_VERSION,
        "recipes": [dataclasses.asdict(r) for r in recipes],
        "launches": [
            vars(launch)
            | {"facts": launch.facts.as_dict()}
            | {"cases": [_row(c, place[c.recipe.name]) for c in cases if c.launch == launch]}
            for launch in launches
        ],
    }
    return json.dumps(body, indent=None, separators=(",", ":"), ensure_ascii=False).replace('{"world"', '\n{"world"')


def _row(case: Case, recipe: int) -> list[float | None]:
    numbers = (case.value, case.error, case.seconds, case.peak_mb)
    return [recipe, case.control, *(float(f"{n:.5g}") for n in numbers), case.held_out]


def from_json(text: str) -> list[Case]:
    """The inverse of `to_json`.

    Raises:
        ValueError, KeyError, TypeError: it is not such a text.
    """
    body = json.loads(text)
    recipes = [Recipe(**r) for r in body["recipes"]]
    made = []
    for row in body["launches"]:
        rest = {n: row[n] for n in ("world", "target", "step", "control")}
        launch = Launch(facts=LaunchFacts.from_dict(row["facts"]), **rest)
        made += [Case(launch, recipes[number], *values) for number, *values in row["cases"]]
    return made


@cache
def shipped() -> tuple[Case, ...]:
    """Cases that come along: of our own benches (``benchmarks/cases.py`` makes them anew)."""
    return tuple(from_json(files("crossaisle.advisor").joinpath(SHIPPED).read_text(encoding="utf-8")))


def read_reports(folders: Iterable[str | Path]) -> list[Case]:
    """Cases of every ``report.json`` at or below `folders`.

    Raises:
        ArtifactError: a folder is not there, or a report is damaged or of a newer schema.
    """
    made = []
    for folder in map(Path, folders):
        if not folder.exists():
            raise ArtifactError(f"there is no {folder}; name a folder with reports of crossaisle, or leave it out.")
        for path in sorted(folder.rglob("report.json")) if folder.is_dir() else [folder]:
            made += cases_of(Report.read(path))
    return made


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
