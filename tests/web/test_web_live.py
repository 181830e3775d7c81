"""The page Live: numbers of the service itself, and versions that change under one's eyes."""

from __future__ import annotations

import pytest
from browsing import Look, Service

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_it_shows_what_happens(look: Look, service: Service) -> None:
    page = look(service).go("/live")
    service.listed("u20")
    service.listed("nobody")
    service.post("/v1/events", event_id="live-1", user="someone", item="cake01")
    assert service.client.post("/v1/similar", json={"item": "no such"}).status_code == 404
    cards = page.get_by_role("region", name="Numbers of the last five minutes")
    page.locator(".chart svg").first.wait_for()
    for name, told in (("Lists", "% by"), ("Events", "1"), ("Errors", "requests refused (4xx)"), ("Answer time", "ms")):
        card = cards.locator(".card").filter(has=page.get_by_role("heading", name=name))
        card.filter(has_text=told).wait_for()
    assert "p99" in cards.inner_text()
    assert page.locator(".chart svg").count() == 3


def test_looking_is_not_counted_as_traffic(look: Look, service: Service) -> None:
    before = service.client.get("/metrics").text.count('route="/v1/')
    page = look(service).go("/playground")
    page.get_by_role("button", name="Invent somebody").click()
    page.get_by_text("of whom nothing is known").wait_for()
    after = service.client.get("/metrics").text
    assert after.count('route="/v1/') == before


def test_a_version_that_cannot_be_read_changes_nothing(look: Look, service: Service) -> None:
    folder = service.folder / "data" / "artifacts"
    name = next(p.name for p in folder.iterdir())
    service.post("/v1/versions", name="broken", artifact=name)
    page = look(service).go("/live")
    page.get_by_role("heading", name="broken").wait_for()
    (folder / name / "users.parquet").rename(folder / "aside")
    try:
        page.get_by_role("button", name="Promote").click()
        page.get_by_role("button", name="Yes").click()
        page.get_by_text("Nothing changed:").wait_for()
    finally:
        (folder / "aside").rename(folder / name / "users.parquet")
    assert service.client.get("/health").json()["version"] != "broken"


def test_an_experiment_is_followed_and_ended(look: Look, service: Service) -> None:
    served = service.client.get("/health").json()["version"]
    name = next(p.name for p in (service.folder / "data" / "artifacts").iterdir())
    service.post("/v1/versions", name="rival", artifact=name)
    service.post("/v1/experiments", name="two-of-a-kind", variants={served: 0.5, "rival": 0.5})
    page = look(service).go("/live")
    page.get_by_role("heading", name="two-of-a-kind").wait_for()
    assert page.get_by_text("Nothing is settled yet").is_visible()
    page.locator(".versions li", has_text="rival").get_by_role("button", name="Promote").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("Nothing changed: experiment 'two-of-a-kind' is running").wait_for()
    page.get_by_role("button", name=f"End and keep {served}").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text(f"two-of-a-kind is over, and {served} is served.").wait_for()
    assert service.client.get("/v1/experiments").json()["experiments"][0]["ended"]
