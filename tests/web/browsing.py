"""What the tests of the dashboard share: a service in a process of its own, and a page that is watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

Start = Callable[..., "Service"]
Look = Callable[..., "Looked"]
_CODE = "import sys; from crossaisle.cli import main; sys.exit(main(sys.argv[1:]))"
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Service:
    """`crossaisle serve ARTIFACT` on a free port."""

    def __init__(self, folder: Path, artifact: Path, *words: object) -> None:
        self.folder, self.log = folder, folder / "log"
        command = [sys.executable, "-c", _CODE, "serve", str(artifact), "--store", str(folder / "data"), "--port", "0"]
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                [*command, *map(str, words)],
                stderr=file,
                stdout=file,
                cwd=folder,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        self.address = f"http://127.0.0.1:{self._port()}"
        self.client = httpx.Client(base_url=self.address, timeout=30)

    def _port(self) -> int:
        for _ in range(600):
            for line in self.lines():
                if line["event"] == "listening":
                    return int(line["port"])
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError("the service did not start within 30 s")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(t) for t in self.log.read_text().splitlines() if t.startswith("{") and t.endswith("}")]

    def url(self, path: str) -> str:
        return f"{self.address}/dashboard{path}"

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def listed(self, user: str) -> list[str]:
        return [i["item_id"] for i in self.post("/v1/recommend", user=user)["items"]]

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)


@dataclass
class Looked:
    """A page of a browser, and what it asked for and complained of."""

    page: Any
    service: Service
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        self.page.goto(self.service.url(path))
        self.page.locator("h1").wait_for()
        return self.page

    @property
    def foreign(self) -> list[str]:
        own = (self.service.address, self.service.address.replace("http", "ws", 1), "data:")
        return [url for url in self.asked if not url.startswith(own)]

    @property
    def sideways(self) -> int:
        """Pixels that the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def sign_in(look: Look, service: Service, secret: str) -> Any:
    page = look(service).go("/sign-in")
    page.get_by_label("API key").fill(secret)
    page.keyboard.press("Enter")
    return page
