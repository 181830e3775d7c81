"""What the tests of the service share: a running app with its client."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of starlette, about the client that its test client uses
    from starlette.testclient import TestClient

from crossaisle.serve import Settings
from crossaisle.serve.keyring import add_key
from crossaisle.serve.start import started
from crossaisle.stores.kinds import Role
from crossaisle.stores.open import open_store

Open = Callable[..., "House"]
ROLES: tuple[Role, ...] = ("read", "write", "admin")


@dataclass
class House:
    """A service, asked as the holder of a key where there are keys."""

    folder: Path
    client: TestClient
    secrets: dict[str, str] = field(default_factory=dict)
    open: bool = True

    @property
    def service(self) -> Any:
        return self.client.app.state.service  # type: ignore[attr-defined]

    def ask(self, method: str, path: str, body: Any = None, role: str | None = None) -> Any:
        headers = {"authorization": f"Bearer {self.secrets[role]}"} if role else {}
        return self.client.request(method, path, json=body, headers=headers)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def put(self, *items: dict[str, Any]) -> Any:
        answer = self.ask("PUT", "/v1/items", {"items": list(items)})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def listed(self, user: str, **body: Any) -> list[str]:
        return [i["item_id"] for i in self.post("/v1/recommend", user=user, **body)["items"]]

    def close(self) -> None:
        if self.open:
            self.open = False
            self.client.__exit__(None, None, None)


def house_in(data: Path, artifact: Path, settings: Settings, *, keys: bool = False) -> House:
    """A service of `artifact` over the folder `data`."""
    store = open_store(data)
    secrets = {role: add_key(store, role, role) for role in ROLES} if keys else {}
    return house_of(data, started(artifact, store, data / "artifacts", settings), secrets)


def house_of(data: Path, app: Any, secrets: dict[str, str] | None = None) -> House:
    """The service `app` over the folder `data`, running."""
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    client.__enter__()
    return House(data, client, secrets or {})
