"""GapReport: how far apart domains are, as plain frozen rows. docs/gap.md documents its JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ..errors import ArtifactError
from ..files import check_schema, read_json

SCHEMA_VERSION = 1
Family = Literal["content", "users", "items", "popularity", "price", "behaviour", "transferability"]
Word = Literal["close", "apart", "unrelated", "too little to say"]


@dataclass(frozen=True)
class DomainFacts:
    """What there is of one domain, among the rows that may be seen."""

    domain: str
    interactions: int
    users: int
    items: int
    """Of its catalogue, sold or not."""
    told: int
    """Of these, how many say anything by title, price or attribute."""


@dataclass(frozen=True)
class Measure:
    """One number of one ordered pair of domains, or of all sources together (`source` is then ``*``).

    Attributes:
        source: domain that knowledge comes from.
        target: domain that it goes to.
        family: what is compared.
        name: of the measure, such as ``mmd`` or ``user_jaccard``; docs/gap.md lists them with formula and unit.
        value: NaN where there is nothing to measure.
        low: lower end of its 95 % interval.
        high: upper end.
        null: what two samples of one domain would give, at most, in 95 of 100 draws; None where there is no such test.
        word: in plain words; None for numbers that are facts rather than distances.
    """

    source: str
    target: str
    family: Family
    name: str
    value: float
    low: float
    high: float
    null: float | None = None
    word: Word | None = None


@dataclass(frozen=True)
class Aligned:
    """`share` of the mass of a category of the target that optimal transport takes from a category of the source."""

    source: str
    target: str
    source_category: str
    target_category: str
    share: float


@dataclass(frozen=True)
class GapReport:
    """Everything that was measured.

    Attributes:
        name: of the World.
        protocol: fingerprint, cut, weeks, target (None: all pairs), base, sample sizes, permutations, seed.
        domains: facts of each domain.
        measures: ordered pairs × measures.
        aligned: which category of the target lies nearest which category of the source.
        environment: versions, seconds, peak memory: what may differ between equal reports.
        warnings: sentences a reader must know (few users, no content, not launched yet).
    """

    name: str
    protocol: Mapping[str, Any]
    domains: tuple[DomainFacts, ...]
    measures: tuple[Measure, ...]
    aligned: tuple[Aligned, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def of(self, source: str, target: str) -> dict[str, Measure]:
        """Name → measure of one ordered pair; empty where it was not measured."""
        return dict(self._pairs.get((source, target), {}))

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], dict[str, Measure]]:
        """Pair → name → measure: with many domains pages ask for all pairs, several times."""
        found: dict[tuple[str, str], dict[str, Measure]] = {}
        for m in self.measures:
            found.setdefault((m.source, m.target), {})[m.name] = m
        return found

    def to_document(self) -> dict[str, Any]:
        """What `to_json` writes, as plain values."""
        body = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        for row in body["measures"]:
            for name in ("value", "low", "high", "null"):
                row[name] = None if row[name] is None or not math.isfinite(row[name]) else row[name]
        return body

    def to_json(self) -> str:
        """Indented JSON with ``schema_version`` first; what is no finite number is written as null."""
        return json.dumps(self.to_document(), indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"

    @classmethod
    def read(cls, path: Path) -> GapReport:
        """Read ``gap.json`` back.

        Raises:
            ArtifactError: missing, not a gap report, or of a newer schema.
        """
        body = read_json(path, "gap.json", "run `crossaisle gap`")
        check_schema(body, str(path), SCHEMA_VERSION)
        try:
            tables: dict[str, Any] = {
                "domains": tuple(DomainFacts(**r) for r in body["domains"]),
                "measures": tuple(_measure(r) for r in body["measures"]),
                "aligned": tuple(Aligned(**r) for r in body["aligned"]),
            }
            rest = {n: body[n] for n in ("name", "protocol", "environment")}
            return cls(**rest, **tables, warnings=tuple(body["warnings"]))
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{path} is not a whole gap.json ({error}); measure again.") from None


def _measure(row: Mapping[str, Any]) -> Measure:
    numbers = {n: float("nan") if row[n] is None else row[n] for n in ("value", "low", "high")}
    return Measure(**{**row, **numbers})
