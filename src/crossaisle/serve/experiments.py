"""Routes of experiments: begin, look, end. While one runs, each user is answered from the version assigned to them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request

from ..experiments import Experiment, Rule
from ..stores.kinds import Trial
from . import changes
from .auth import needs
from .fields import VersionName
from .schemas_run import ExperimentEnd, ExperimentIn, ExperimentList, ExperimentOut
from .service import Service, service_of
from .trials import BY_RULE

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])
_LOOK, _CHANGE = [Depends(needs("read"))], [Depends(needs("admin"))]
Name = Annotated[VersionName, Path(examples=["new-blend"])]


@router.get("", response_model=ExperimentList, dependencies=_LOOK)
async def experiments(request: Request) -> ExperimentList:
    """All experiments, newest first, without the numbers of the one that runs."""
    found = await asyncio.to_thread(service_of(request).store.trials)
    return ExperimentList(experiments=[_out(t) for t in found])


@router.post("", response_model=ExperimentOut, status_code=201, dependencies=_CHANGE)
async def begin(request: Request, sent: ExperimentIn) -> ExperimentOut:
    """Begin an experiment; the first variant is the control and must be what is served."""
    fields = sent.model_dump(exclude={"rule", "end_by_rule", "guards"})
    asked = Experiment(**fields, guards=tuple(sent.guards), rule=Rule(**sent.rule.model_dump()))
    service = service_of(request)
    return _out(await service.change(changes.begin_experiment, service, asked, sent.end_by_rule))


@router.get("/{name}", response_model=ExperimentOut, dependencies=_LOOK)
async def look(request: Request, name: Name) -> ExperimentOut:
    """One experiment with its numbers: of now while it runs, of its end afterwards."""
    return await asyncio.to_thread(_looked, service_of(request), name)


@router.post("/{name}/end", response_model=ExperimentOut, dependencies=_CHANGE)
async def end(request: Request, name: Name, sent: ExperimentEnd) -> ExperimentOut:
    """End an experiment; `winner` is promoted, and where there is none what was served stays."""
    service = service_of(request)
    return _out(await service.change(changes.end_experiment, service, name, sent.winner))


def _looked(service: Service, name: str) -> ExperimentOut:
    found = next((t for t in service.store.trials() if t.name == name), None)
    if found is None:
        raise HTTPException(404, "there is no such experiment; GET /v1/experiments lists them.")
    out = _out(found)
    return out.model_copy(update={"result": service.trials.state(found)})


def _out(trial: Trial) -> ExperimentOut:
    design = {k: v for k, v in trial.design.items() if k not in ("salt", BY_RULE)}
    return ExperimentOut(
        name=trial.name,
        **design,
        end_by_rule=trial.design[BY_RULE],
        begun=trial.begun,
        ended=trial.ended,
        result=trial.result,
    )
