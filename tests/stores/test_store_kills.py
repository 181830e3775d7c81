"""kill -9 at any moment, of the process that writes or of the server, loses nothing that was acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from postgres_servers import come_back, crash

from crossaisle.errors import StorageError
from crossaisle.stores import Event, Version, open_store

CHILDREN = Path(__file__).with_name("store_children.py")
NOON = datetime(2024, 5, 1, 12)
DRAW = random.Random(0)


def killed(what: str, place: str, seconds: float) -> list[str]:
    """Words that the child had printed when it was killed, `seconds` after the first."""
    with subprocess.Popen([sys.executable, CHILDREN, what, place], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.kill()
        lines = (first + child.stdout.read()).splitlines()
    assert child.returncode == -9
    return lines


def test_ten_kills_while_events_are_written(place: str) -> None:
    acknowledged: list[list[str]] = []
    for _ in range(10):
        acknowledged += [line.split() for line in killed("events", place, DRAW.uniform(0, 0.1))]
    store = open_store(place)
    kept = Counter(event.event_id for _, event in store.events(limit=10**6))
    store.close()
    lost = [i for batch in acknowledged for i in batch if kept[i] != 1]
    assert len(acknowledged) >= 10
    assert not lost
    # A batch is whole or not at all, the last one too, whose answer the kill may have swallowed.
    sizes = Counter(i.rsplit("-", 1)[0] for i in kept)
    assert all(size == 1 + int(batch.rsplit("-", 1)[1]) % 5 for batch, size in sizes.items())


def test_kills_while_versions_are_promoted(place: str) -> None:
    store = open_store(place)
    for name in ("v0", "v1", "v2"):
        store.add_version(Version(name, f"/artifacts/{name}", NOON))
        store.promote(name)
    for _ in range(5):
        last = int(killed("promotions", place, DRAW.uniform(0, 0.1))[-1][1])
        states = {v.state: int(v.name[1]) for v in store.versions()}
        assert set(states) == {"current", "previous", "retired"}
        assert states["current"] in (last, (last + 1) % 3)  # as acknowledged, or the next one whole
        # They follow one another; before v0, with which each child begins, may have been any.
        assert states["previous"] == states["current"] - 1 or states["current"] == 0
    store.close()


@pytest.mark.service
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_server_that_crashes_and_comes_back(place: str, server: Any) -> None:
    store = open_store(place)
    acknowledged: list[str] = []
    refused: list[str] = []

    def write() -> None:
        for i in range(10**6):
            try:
                store.add_events([Event(f"e{i}", "ann", "bread", "bakery", "view", NOON)])
            except StorageError as error:
                refused.append(str(error))
                return
            acknowledged.append(f"e{i}")

    writer = threading.Thread(target=write)
    writer.start()
    while len(acknowledged) < 20:
        time.sleep(0.01)
    crash(server)
    writer.join()
    with pytest.raises(StorageError, match="check the address, or wait until the server is back"):
        store.events()
    come_back(server)
    kept = {event.event_id for _, event in store.events(limit=10**6)}
    assert kept >= set(acknowledged)
    assert len(refused) == 1
    assert refused[0].startswith("PostgreSQL database postgres at the local socket refused: ")
    assert "\n" not in refused[0]
    assert store.add_events([Event("again", "ann", "bread", "bakery", "view", NOON)]) == 1
    store.close()
