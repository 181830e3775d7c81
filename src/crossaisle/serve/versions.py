"""Routes of versions: list, add, promote, roll back. A request is answered by one version, old or new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi import Path as InPath

from ..errors import ConfigError
from ..stores.store import Version
from ..stream.diary import now_utc
from .artifacts import facts_of, inside, opened
from .auth import needs
from .fields import VersionName
from .schemas import VersionIn, VersionList, VersionOut
from .service import Service, service_of

router = APIRouter(prefix="/v1/versions", tags=["versions"], dependencies=[Depends(needs("admin"))])


@router.get("", response_model=VersionList)
async def versions(request: Request) -> VersionList:
    """All versions, newest first."""
    found = await asyncio.to_thread(service_of(request).store.versions)
    return VersionList(versions=[_out(v) for v in found])


@router.post("", response_model=VersionOut, status_code=201)
async def add(request: Request, sent: VersionIn) -> VersionOut:
    """Make an artifact of the service's own folder a candidate, after reading it whole."""
    service = service_of(request)
    async with service.changing:
        return _out(await asyncio.to_thread(_add, service, sent))


@router.post("/rollback", response_model=VersionOut)
async def roll_back(request: Request) -> VersionOut:
    """Serve the previous version again."""
    return _out(await rolled_back(service_of(request)))


@router.post("/{name}/promote", response_model=VersionOut)
async def promote(request: Request, name: Annotated[VersionName, InPath(examples=["2026-11-27"])]) -> VersionOut:
    """Serve this version from now on; the one that is served becomes the previous."""
    return _out(await promoted(service_of(request), name))


async def promoted(service: Service, name: str) -> Version:
    """Serve the version `name`, after reading it whole; where that fails nothing changes.

    Raises:
        HTTPException: there is no such version (404).
    """
    async with service.changing:
        return await asyncio.to_thread(_promote, service, name)


async def rolled_back(service: Service) -> Version:
    """Serve the previous version.

    Raises:
        HTTPException: there is none (409).
    """
    async with service.changing:
        return await asyncio.to_thread(_roll_back, service)


def _add(service: Service, sent: VersionIn) -> Version:
    if any(v.name == sent.name for v in service.store.versions()):
        raise ConfigError(f"there is a version {sent.name!r} already; choose another name.")
    path = inside(service.artifacts, sent.artifact)
    shop = opened(path, service.store)
    if shop.domain != service.live.now.shop.domain:
        raise ConfigError(f"the artifact is for {shop.domain!r}, this service for {service.live.now.shop.domain!r}.")
    where = str(path.relative_to(service.artifacts.resolve()))
    made = Version(name=sent.name, path=where, made=now_utc(), facts=facts_of(shop, sent.last_event))
    service.store.add_version(made)
    return made


def _promote(service: Service, name: str) -> Version:
    found = next((v for v in service.store.versions() if v.name == name), None)
    if found is None:
        raise HTTPException(404, "there is no such version; GET /v1/versions lists them.")
    _serve(service, found, lambda: service.store.promote(name))
    return _read(service, name)


def _roll_back(service: Service) -> Version:
    found = next((v for v in service.store.versions() if v.state == "previous"), None)
    if found is None:
        raise HTTPException(409, "there is no previous version; promote one by name.")
    _serve(service, found, service.store.roll_back)
    return _read(service, found.name)


def _serve(service: Service, version: Version, commit: Callable[[], object]) -> None:
    shop = opened(inside(service.artifacts, version.path), service.store)
    service.live.serve(version, shop, commit)
    service.metrics.served(version.name, shop.method, shop.domain)


def _read(service: Service, name: str) -> Version:
    return next(v for v in service.store.versions() if v.name == name)


def _out(version: Version) -> VersionOut:
    return VersionOut(name=version.name, state=version.state, made=version.made, facts=version.facts)
