"""Routes of versions: list, add, promote, roll back. A request is answered by one version, old or new."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from ..stores.kinds import Version
from . import changes
from .auth import needs
from .fields import VersionName
from .schemas_run import VersionIn, VersionList, VersionOut
from .service import service_of

router = APIRouter(prefix="/v1/versions", tags=["versions"])
_LOOK, _CHANGE = [Depends(needs("read"))], [Depends(needs("admin"))]


@router.get("", response_model=VersionList, dependencies=_LOOK)
async def versions(request: Request) -> VersionList:
    """All versions, newest first."""
    found = await asyncio.to_thread(service_of(request).store.versions)
    return VersionList(versions=[_out(v) for v in found])


@router.post("", response_model=VersionOut, status_code=201, dependencies=_CHANGE)
async def add(request: Request, sent: VersionIn) -> VersionOut:
    """Make an artifact of the service's own folder a candidate, after reading it whole."""
    service = service_of(request)
    return _out(await service.change(changes.add_version, service, sent.name, sent.artifact, sent.last_event))


@router.post("/rollback", response_model=VersionOut, dependencies=_CHANGE)
async def roll_back(request: Request) -> VersionOut:
    """Serve the previous version again; 409 where there is none, or an experiment is running."""
    service = service_of(request)
    return _out(await service.change(changes.roll_back, service))


@router.post("/{name}/promote", response_model=VersionOut, dependencies=_CHANGE)
async def promote(request: Request, name: Annotated[VersionName, Path(examples=["2026-11-27"])]) -> VersionOut:
    """Serve this version from now on; the one that is served becomes the previous. 409 while an experiment runs."""
    service = service_of(request)
    return _out(await service.change(changes.promote, service, name))


def _out(version: Version) -> VersionOut:
    return VersionOut(name=version.name, state=version.state, made=version.made, facts=version.facts)
