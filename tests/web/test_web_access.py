"""Who may look, who may change, and where from."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from browsing import Look, Service, sign_in

from crossaisle.stores.open import open_store

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_without_a_key_there_is_only_the_door(look: Look, keyed: Service) -> None:
    page = look(keyed).go("/playground")
    assert page.url == keyed.url("/sign-in")
    assert page.title() == "Sign in · crossaisle"


def test_a_wrong_key_is_one_sentence(look: Look, keyed: Service) -> None:
    page = sign_in(look, keyed, "ca_wrong")
    assert "not known here" in page.get_by_role("alert").inner_text()


@pytest.fixture(scope="session")
def candidate(keyed: Service, folder: Path, secrets: dict[str, str]) -> str:
    """A version that was never served."""
    admin = {"authorization": f"Bearer {secrets['admin']}"}
    artifact = next(p.name for p in (folder / "data" / "artifacts").iterdir())
    sent = {"name": "next", "artifact": artifact}
    assert keyed.client.post("/v1/versions", json=sent, headers=admin).status_code == 201
    return "next"


def test_a_reader_looks_and_an_admin_may_change(
    look: Look, keyed: Service, secrets: dict[str, str], candidate: str
) -> None:
    page = sign_in(look, keyed, secrets["read"])
    page.get_by_role("link", name="Live").click()
    page.get_by_role("heading", name=candidate).wait_for()
    assert page.get_by_role("button", name="Promote").count() == 0
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").fill(secrets["admin"])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Promote").click()
    page.get_by_role("button", name="No").click()
    page.get_by_role("button", name="Promote").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text(f"{candidate} is served now").wait_for()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("button", name="Promote").wait_for()
    assert keyed.client.get("/health").json()["version"] != candidate


def test_a_key_that_is_removed_is_gone_here_too(
    look: Look, keyed: Service, secrets: dict[str, str], folder: Path
) -> None:
    page = sign_in(look, keyed, secrets["gone"])
    page.get_by_role("button", name="Sign out").wait_for()
    store = open_store(folder / "data")
    store.remove_key("gone")
    store.close()
    page.get_by_label("API key").wait_for()


def test_no_key_is_in_the_log_or_in_an_address(look: Look, keyed: Service, secrets: dict[str, str]) -> None:
    looked = look(keyed)
    page = looked.go("/sign-in")
    page.get_by_label("API key").fill(secrets["read"])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Live").wait_for()
    assert "ca_" not in keyed.log.read_text() + "".join(looked.asked)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/dashboard")


def test_pages_of_others_cannot_reach_in(keyed: Service, secrets: dict[str, str]) -> None:
    foreign = {"origin": "https://elsewhere.example"}
    form = {"key": secrets["read"]}
    assert keyed.client.post("/dashboard/session", data=form, headers=foreign).status_code == 403
    assert keyed.client.post("/dashboard/session", data=form).status_code == 303
    for headers, status in ((foreign, 403), ({}, 403), ({"origin": keyed.address}, 101)):
        assert handshake(keyed, headers) == status
    assert (
        keyed.client.get("/dashboard/sign-in").headers["content-security-policy"].count("frame-ancestors 'none'") == 1
    )


def test_without_keys_only_this_machine_is_answered(service: Service) -> None:
    assert service.client.get("/dashboard/").status_code == 200
    assert service.client.get("/dashboard/", headers={"host": "rebound.example"}).status_code == 403
    assert handshake(service, {"host": "rebound.example", "origin": "http://rebound.example"}) == 403


def handshake(service: Service, headers: dict[str, str]) -> int:
    """Status of the answer to somebody who wants a socket."""
    wanted = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    address = service.url("/_nicegui_ws/socket.io/?EIO=4&transport=websocket")
    with httpx.stream("GET", address, headers=wanted | headers, timeout=10) as answer:
        return answer.status_code
