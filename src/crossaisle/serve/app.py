"""The app: routes, errors and guard around one service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from .. import __version__
from ..stores.store import Store
from ..stream.live import Live
from . import changes, events, experiments, health, items, problems, recommend, users, versions
from .following import Follower
from .guard import Guard
from .logs import log
from .metrics import Metrics
from .schemas_run import Problem
from .service import Service
from .settings import Settings

_ROUTERS = (recommend, events, items, users, versions, experiments, health)
_ABOUT = "Recommendations for people, known or new, from knowledge that was carried over from other domains."


def create_app(live: Live, store: Store, artifacts: Path, settings: Settings | None = None) -> FastAPI:
    """The HTTP API, version 1.

    Args:
        live: what is served.
        store: what is kept; closed with the app.
        artifacts: folder of the versions' artifacts; in it people are forgotten.
        settings: limits.
    """
    metrics, limits = Metrics(), settings or Settings()
    now = live.now
    metrics.served(now.version, now.shop.method, now.shop.domain)
    service = Service(live, store, limits, artifacts, metrics)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        service.trials.resume()
        following = Follower(service)
        looking = [
            asyncio.create_task(_every(limits.look_seconds, changes.follow_rule, service)),
            asyncio.create_task(_every(limits.follow_seconds, following.look)),
        ]
        if service.learner is not None:
            service.learner.start()
        yield
        service.ready = False
        for task in looking:
            task.cancel()
        if service.learner is not None:
            await asyncio.to_thread(service.learner.stop, limits.stop_seconds)
        service.close()

    app = FastAPI(
        title="crossaisle",
        version=__version__,
        description=_ABOUT,
        lifespan=life,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        responses=_refused(400, 408, 413, 422, 503),
    )
    app.state.service = service
    for module in _ROUTERS:
        app.include_router(module.router, responses=_refused(401, 403, 404, 409, 429))
    app.add_middleware(Guard, settings=limits, metrics=metrics)
    problems.install(app)
    return app


async def _every(seconds: float, work: Callable[..., object], *of: object) -> None:
    """Call `work` every so often; an error is logged by its kind, and the next call comes."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(work, *of)
        except Exception as error:  # a task that ends unseen would leave the service with what it knew that day
            log("left for the next time", {"work": work.__name__, "error": type(error).__name__})


def _refused(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What the document says of answers that are problems."""
    schema = Problem.model_json_schema()
    return {c: {"description": HTTPStatus(c).phrase, "content": {problems.MEDIA: {"schema": schema}}} for c in codes}
