"""Problems: every error as ``application/problem+json`` (RFC 9457), in one sentence and without a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..errors import CrossaisleError, StorageError
from .logs import note

MEDIA = "application/problem+json"


class Refused(CrossaisleError):
    """What is asked for does not go with what there is now: 409."""


class Missing(CrossaisleError):
    """What is asked for is not there: 404."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The answer to a request that went wrong."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(json.dumps(document, ensure_ascii=False), status, headers, MEDIA)


def install(app: FastAPI) -> None:
    """Make `app` answer errors as problems."""
    app.add_exception_handler(CrossaisleError, _of_user)
    app.add_exception_handler(RequestValidationError, _of_schema)
    app.add_exception_handler(HTTPException, _of_http)


def sentence_of(error: Exception) -> str:
    """What people are told of an error that is theirs, or the disk's."""
    if isinstance(error, StorageError):
        return "the disk or the database refused; nothing was kept: send it again later."
    return str(error.detail if isinstance(error, HTTPException) else error).replace("\n", " ")


async def _of_user(request: Request, error: Exception) -> Response:
    if isinstance(error, StorageError):
        note(request.scope, error)
        return problem(503, sentence_of(error))
    status = 409 if isinstance(error, Refused) else 404 if isinstance(error, Missing) else 422
    return problem(status, sentence_of(error))


async def _of_schema(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
    first = found[0]
    return problem(422, f"{first['where']}: {first['what']}; see /openapi.json for what is allowed.", errors=found[:20])


async def _of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {
        404: "there is no such address; see /openapi.json.",
        405: "this address does not take that method; see /openapi.json.",
    }
    plain = error.detail == HTTPStatus(error.status_code).phrase
    return problem(
        error.status_code, said.get(error.status_code, error.detail) if plain else error.detail, error.headers
    )
