"""Recorded events to a service that runs, as its own shop would send them."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl

from ..data.world import World
from ..errors import ConfigError, StorageError
from ..stream.growth import ids_of

BATCH = 1_000
KEY = "CROSSAISLE_KEY"
"""Environment variable with the API key, of role ``write``."""
TRIES = 10


class Sender:
    """Sends rows in batches; an id is made of data, day and place, so that sending them again changes nothing.

    Args:
        url: of the service, such as ``http://127.0.0.1:8000``.

    Raises:
        ConfigError: `url` is none.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"url is {url!r}; an address such as http://127.0.0.1:8000 is needed.")
        self._url = url.rstrip("/") + "/v1/events/batch"
        self._headers = {"content-type": "application/json"}
        if key := os.environ.get(KEY):
            self._headers["authorization"] = f"Bearer {key}"

    def send(self, world: World, rows: pl.DataFrame, day: datetime) -> None:
        """Send the coded `rows` of one day.

        Raises:
            StorageError: the service cannot be reached, or refuses.
        """
        for batch in _batches(events_of(world, rows, day)):
            self._post(json.dumps({"events": batch}).encode())

    def _post(self, body: bytes) -> None:
        for _ in range(TRIES):
            asked = urllib.request.Request(self._url, body, self._headers)
            try:
                with urllib.request.urlopen(asked, timeout=60):
                    return
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    said = error.read().decode(errors="replace")[:300]
                    hint = f" (the key is read from {KEY})" if error.code in (401, 403) else ""
                    raise StorageError(f"{self._url} answered {error.code}: {said}{hint}") from error
                time.sleep(float(error.headers.get("Retry-After", "1")))
            except OSError as error:
                raise StorageError(f"{self._url} cannot be reached ({error}); start the service first.") from error
        raise StorageError(f"{self._url} is too busy; the same command goes on, as what it has is passed over.")


def events_of(world: World, rows: pl.DataFrame, day: datetime) -> list[dict[str, Any]]:
    """The events of one day as the service takes them; what is not known is left out."""
    mark = f"{world.fingerprint[:8]}-{day:%Y%m%d%H%M}"
    named = ids_of(world, rows).with_columns(timestamp=pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
    renamed = named.rename({"user_id": "user", "item_id": "item"}).iter_rows(named=True)
    return [
        {"event_id": f"{mark}-{place}", **{n: v for n, v in row.items() if v is not None}}
        for place, row in enumerate(renamed)
    ]


def _batches(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(events), BATCH):
        yield events[start : start + BATCH]
