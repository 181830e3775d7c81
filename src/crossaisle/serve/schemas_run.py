"""Schemas of what runs: versions, experiments, alarms, health, problems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..experiments.assignment import MetricName
from .fields import (
    Id,
    Share,
    VersionName,
    example,
)


class VersionIn(BaseModel):
    """An artifact to be made a version."""

    model_config = example(name="2026-11-27", artifact="2026-11-27")
    name: VersionName
    artifact: Id = Field(description="Folder inside the service's own folder of artifacts.")
    last_event: Annotated[int, Field(ge=0, le=2**62)] | None = Field(
        None, description="Number of the last event in the store that it learned from."
    )


class VersionOut(BaseModel):
    """An artifact that is, was or may be served."""

    model_config = example(name="2026-11-27", state="current", made="2026-11-27T12:00:00", facts={"method": "finetune"})
    name: str
    state: Literal["candidate", "current", "previous", "retired"]
    made: datetime
    facts: dict[str, Any]


class VersionList(BaseModel):
    """All versions, newest first."""

    model_config = example(
        versions=[{"name": "a1b2c3", "state": "current", "made": "2026-11-27T12:00:00", "facts": {}}]
    )
    versions: list[VersionOut]


class RuleIn(BaseModel):
    """When an experiment ends; the fields are those of `crossaisle.experiments.Rule`."""

    model_config = example(users=20_000, least=0.02)
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(0.05, description="Chance of any false win or harm.")
    users: Annotated[int, Field(ge=1, le=2**40)] = Field(10_000, description="Where intervals are to be narrowest.")
    least: Annotated[float, Field(ge=0, le=1_000)] = Field(
        0.0, description="Smallest gain worth having, as a share of the control's metric."
    )
    max_users: Annotated[int, Field(ge=1, le=2**40)] = Field(100_000, description="At which it ends without a winner.")


class ExperimentIn(BaseModel):
    """One question put to users."""

    model_config = example(name="new-blend", variants={"a1b2c3": 0.5, "2026-11-27": 0.5}, metric="cvr")
    name: VersionName
    variants: Annotated[dict[VersionName, Share], Field(min_length=2, max_length=10)] = Field(
        description="Version → share of the users; the first is the control and must be what is served."
    )
    metric: MetricName = Field("ctr", description="What decides.")
    guards: Annotated[list[MetricName], Field(max_length=3)] = Field(
        default_factory=list, description="Metrics that a variant must not harm."
    )
    rule: RuleIn = RuleIn.model_validate({})
    window_days: Annotated[float, Field(gt=0, le=365)] = Field(
        7.0, description="Days from a user's first list whose events count; numbers come when they are over."
    )
    end_by_rule: bool = Field(True, description="End it as the rule says and promote a winner, without being asked.")


class ExperimentOut(ExperimentIn):
    """An experiment that is or was."""

    model_config = example(
        name="new-blend",
        variants={"a1b2c3": 0.5, "2026-11-27": 0.5},
        metric="cvr",
        begun="2026-11-27T12:00:00",
        ended=None,
        result={"decision": {"word": "go on", "variant": None, "sentence": "nothing is settled yet: go on."}},
    )
    begun: datetime
    ended: datetime | None = Field(description="None while it runs.")
    result: dict[str, Any] = Field(description="Variants, intervals that hold at every look, and the decision.")


class ExperimentList(BaseModel):
    """All experiments, newest first."""

    model_config = example(experiments=[])
    experiments: list[ExperimentOut]


class ExperimentEnd(BaseModel):
    """How an experiment ends."""

    model_config = example(winner="2026-11-27")
    winner: VersionName | None = Field(None, description="Version to serve from now on; what is served where absent.")


class AlarmOut(BaseModel):
    """A signal of drift that has changed."""

    model_config = example(
        signal="unknown_items",
        at="2026-11-27T12:00:00",
        since="2026-11-26T18:00:00",
        before=0.03,
        after=0.27,
        sentence="share of a visit's items that nobody had met … went up from 0.03 to 0.27 since 2026-11-26 18:00: …",
    )
    signal: str
    at: datetime
    since: datetime
    before: float
    after: float
    sentence: str = Field(description="What, from what to what, since when, and what to do.")


class AlarmList(BaseModel):
    """Alarms of drift since the service started, newest first."""

    model_config = example(watching=True, alarms=[])
    watching: bool = Field(description="Whether anything is watched: `crossaisle serve --data`, with the extra stream.")
    alarms: list[AlarmOut]


class Health(BaseModel):
    """Whether the service lives, or can answer."""

    model_config = example(status="ok", version="a1b2c3", domain="NUTRITION")
    status: str
    version: str
    domain: str


class Problem(BaseModel):
    """What went wrong, in one sentence (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "a known API key is needed."}
            ]
        }
    )
    type: str
    title: str
    status: int
    detail: str
