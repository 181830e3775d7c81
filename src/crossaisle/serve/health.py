"""Routes for those who watch: alive, ready, numbers."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from .auth import needs
from .schemas_run import AlarmList, AlarmOut, Health
from .service import service_of

router = APIRouter(tags=["watching"])


@router.get("/health", response_model=Health)
async def health(request: Request) -> Health:
    """Whether the process lives; needs no key."""
    return _health(request)


@router.get("/ready", response_model=Health)
async def ready(request: Request) -> Health:
    """Whether requests are taken; needs no key. 503 once the service was told to stop."""
    if not service_of(request).ready:
        raise HTTPException(503, "the service is stopping; ask another one.")
    return _health(request)


@router.get("/metrics", response_class=Response, dependencies=[Depends(needs("read"))], responses={
    200: {"content": {"text/plain": {"example": "crossaisle_events_total 12.0\n"}}}
})  # fmt: skip
async def metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    return Response(service_of(request).metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/v1/alarms", response_model=AlarmList, dependencies=[Depends(needs("read"))])
async def alarms(request: Request) -> AlarmList:
    """Alarms of drift since the service started, newest first."""
    service = service_of(request)
    found = [AlarmOut(**alarm._asdict()) for alarm in reversed(service.alarms)]
    return AlarmList(watching=service.watching, alarms=found)


def _health(request: Request) -> Health:
    now = service_of(request).live.now
    return Health(status="ok", version=now.version, domain=now.shop.domain)
