"""Requests made from the OpenAPI document: no fault of the service, and nobody with the wrong role gets in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from serving import ROLES, House, house_in
from test_serve_guard import ROUTES

from crossaisle.serve import Settings

schemathesis = pytest.importorskip("schemathesis", reason="no fuzzing: pip install crossaisle[dev]")


@pytest.fixture(scope="module")
def keyed(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house_in(tmp_path_factory.mktemp("fuzz"), fitted / "zero_shot", Settings(rate=1e9, burst=1e9), keys=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(keyed: House):  # type: ignore[no-untyped-def]
    return schemathesis.openapi.from_dict(keyed.client.get("/openapi.json").json())


@pytest.mark.slow
@pytest.mark.parametrize("route", sorted(ROUTES), ids=" ".join)
def test_no_request_is_a_fault(keyed: House, document, route: tuple[str, str]) -> None:  # type: ignore[no-untyped-def]
    method, path = route
    least = ROUTES[route][0]
    found: list[str] = []

    @settings(
        max_examples=20, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case) -> None:  # type: ignore[no-untyped-def]
        sent = case.as_transport_kwargs()
        for role in (None, *ROLES):
            allowed = least is None or (role is not None and ROLES.index(role) >= ROLES.index(least))
            headers = {k: v for k, v in (sent.get("headers") or {}).items() if k.lower() != "authorization"}
            if role is not None:
                headers["authorization"] = f"Bearer {keyed.secrets[role]}"
            body = {"json": sent["json"]} if "json" in sent else {"content": sent["data"]} if "data" in sent else {}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                address = case.formatted_path
                answer = keyed.client.request(method, address, headers=headers, params=sent.get("params"), **body)
            if answer.status_code >= 500:
                found.append(f"{role}: {answer.status_code} {sent}")
            if not allowed and answer.status_code < 400:
                found.append(f"{role} got in: {answer.status_code} {sent}")

    given(case=document[path][method].as_strategy())(ask)()
    assert not found
