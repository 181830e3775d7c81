"""The frame that all pages share: navigation, looks, phones, and a service that stops."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from browsing import Look, Service, Start

pytestmark = [pytest.mark.browser, pytest.mark.service]
PAGES = {"Domains": "/", "Transfer": "/transfer", "Playground": "/playground", "Live": "/live"}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_can_be_found_and_read(look: Look, service: Service, name: str) -> None:
    page = look(service).go(PAGES[name])
    assert page.title() == f"{name} · crossaisle"
    assert page.locator("html").get_attribute("lang") == "en-US"
    assert page.locator("[aria-current=page]").inner_text() == name
    assert page.locator("h1").all_inner_texts() == [name]
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels)), levels
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input,select,button')].filter(e => e.checkVisibility() && !e.labels?.length"
        " && !e.ariaLabel && !e.textContent.trim()).map(e => e.outerHTML)"
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_no_sideways_scrolling_and_follows_the_system(look: Look, service: Service, scheme: str) -> None:
    looked = look(service, color_scheme=scheme, viewport={"width": 390, "height": 844})
    for path in PAGES.values():
        page = looked.go(path)
        page.wait_for_function("document.body.className.includes('body--')")
        assert looked.sideways <= 0, path
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")


def test_the_look_can_be_chosen_and_stays(look: Look, service: Service) -> None:
    page = look(service, color_scheme="light").go("/")
    page.get_by_label("Look").select_option("dark")
    page.locator("body.body--dark").wait_for()
    page.get_by_role("link", name="Live").click()
    page.locator("body.body--dark h1", has_text="Live").wait_for()
    assert page.get_by_label("Look").input_value() == "dark"


def test_the_keyboard_reaches_the_page_first_by_a_skip_link(look: Look, service: Service) -> None:
    page = look(service).go("/live")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page"


def test_nothing_is_written_where_the_service_was_started(service: Service) -> None:
    assert sorted(p.name for p in service.folder.iterdir()) == ["data", "log"]


def test_the_api_does_not_know_of_the_pages(service: Service) -> None:
    assert not [path for path in service.client.get("/openapi.json").json()["paths"] if "dashboard" in path]
    labels = {line for line in service.client.get("/metrics").text.splitlines() if 'route="/dashboard' in line}
    assert {line.split('route="')[1].split('"')[0] for line in labels} == {"/dashboard"}


def test_a_page_says_when_the_service_is_gone(look: Look, start: Start, artifacts: Path) -> None:
    service = start(artifacts / "zero_shot")
    looked = look(service)
    page = looked.go("/live")
    page.wait_for_timeout(500)
    service.close()
    page.get_by_text("Connection lost").wait_for(state="visible")
    assert service.process.returncode == 0
    looked.complaints.clear()  # a browser complains of every try to connect again
