"""Logs: one JSON line a request, without ids of people, titles, addresses or bodies."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope


def log(event: str, facts: Mapping[str, Any] | None = None) -> None:
    """Write one line to stderr."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **(facts or {})}
    with suppress(OSError, ValueError):  # whoever reads the log is gone, or its disk is full: answers go on
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stderr.flush()


class Lines(logging.Handler):
    """What parts of the library say, as lines of this log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; of an error that nobody expected its kind alone, as its text may name people."""
        kind = record.exc_info[0] if record.exc_info else None
        log(record.name, {"message": record.getMessage(), **({"error": kind.__name__} if kind else {})})


def note(scope: Scope, error: BaseException) -> None:
    """Have the line of this request tell of `error`: its kind and place, not its message, which may name people."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else None
    scope.setdefault("state", {})["error"] = {"kind": type(error).__name__, "where": where}


def route_of(scope: Scope) -> str:
    """The address as the API spells it, with ``{user_id}`` in place of an id."""
    return str(getattr(scope.get("route"), "path", "unknown"))
