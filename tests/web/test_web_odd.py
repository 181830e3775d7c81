"""Odd names, items without a title, and a method that does not read content, in a browser."""

from __future__ import annotations

import pytest
from browsing import Look, Service, sign_in
from oddities import ODD_ITEM, ODD_USER, SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_names_stay_text(look: Look, keyed: Service, secrets: dict[str, str]) -> None:
    page = sign_in(look, keyed, secrets["read"])
    page.get_by_role("link", name="Playground").click()
    page.get_by_label("Somebody known, by id").fill("u4")
    page.keyboard.press("Enter")
    page.get_by_text("This is what user u4 would see.").wait_for()
    page.get_by_label("They also have").fill("script")
    page.locator("#product-found .hit").first.wait_for()
    assert page.locator("#product-found .hit span").first.inner_text() == SCRIPT
    page.get_by_label("Somebody known, by id").fill(ODD_USER)
    page.keyboard.press("Enter")
    page.get_by_text(f"This is what user {ODD_USER} would see.").wait_for()
    titles = page.locator(".row .title").all_inner_texts()
    assert sorted(titles) == sorted([SCRIPT, "bare"])
    page.get_by_role("button", name="Buys it").first.click()
    page.get_by_text("the arrows say").wait_for()
    page.locator("summary").first.click()
    assert page.evaluate("window.broken") is None
    assert page.locator(".page b:has-text('bold')").count() == 0
    page.get_by_label("They also have").fill(ODD_ITEM)
    page.locator("#product-found .hit", has_text="Übergröße").wait_for()
    assert page.get_by_text("item_knn does not read what products are").is_visible()
    page.get_by_role("button", name="Buys it").first.click()
    page.get_by_text("There is nothing left to recommend").wait_for()
