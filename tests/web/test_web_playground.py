"""The playground: lists, reasons, what changes them, and that nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from browsing import Look, Service

from crossaisle.stores.open import open_store

pytestmark = [pytest.mark.browser, pytest.mark.service]


def rows(page: Any) -> list[str]:
    return page.locator(".row .about .soft").all_inner_texts()


def ids(page: Any) -> list[str]:
    return [text.split(" · ")[0] for text in rows(page)]


def kept(service: Service) -> tuple[int, int]:
    """Events and items of the store."""
    store = open_store(service.folder / "data")
    found = len(store.events()), len(list(store.items()))
    store.close()
    return found


def choose(page: Any, user: str) -> None:
    page.get_by_label("Somebody known, by id").fill(user)
    page.keyboard.press("Enter")
    page.get_by_text(f"This is what user {user} would see.").wait_for()


def test_the_list_is_the_one_that_the_service_answers(look: Look, service: Service) -> None:
    page = look(service).go("/playground")
    suggested = page.locator("#person-found .hit").all_inner_texts()
    choose(page, "u20")
    assert page.locator("#person-found .hit").all_inner_texts() == suggested
    assert ids(page) == service.listed("u20")
    page.locator("summary").first.click()
    said = service.post("/v1/explain", user="u20", items=ids(page)[:1])["items"][0]["sentence"]
    assert page.locator("details p").first.inner_text() == said


def test_a_known_person_is_found_by_the_beginning_of_the_id(look: Look, service: Service) -> None:
    page = look(service).go("/playground")
    page.get_by_label("Somebody known, by id").press_sequentially("u1")
    hits = page.locator("#person-found .hit")
    page.wait_for_function(
        "[...document.querySelectorAll('#person-found .hit')].every(h => h.innerText.startsWith('u1'))"
    )
    assert hits.count() > 1
    hits.nth(1).press("Enter")
    page.get_by_text("would see.").wait_for()


def test_somebody_unknown_gets_what_suits_people_in_general(look: Look, service: Service) -> None:
    page = look(service).go("/playground")
    choose(page, "nobody/at ☃ all")
    assert page.get_by_text("Nothing is known of them.").is_visible()
    assert page.get_by_text("by what suits people in general").is_visible()
    assert ids(page) == service.listed("nobody/at ☃ all")


def test_what_somebody_buys_changes_the_list_and_is_not_kept(look: Look, service: Service) -> None:
    page, known = look(service).go("/playground"), kept(service)
    page.get_by_role("button", name="Invent somebody").click()
    page.get_by_text("of whom nothing is known").wait_for()
    before = ids(page)
    page.get_by_role("button", name="Buys it").nth(2).click()
    page.get_by_text("the arrows say what moved").wait_for()
    assert page.evaluate("document.activeElement.id") == "said"
    session = service.post("/v1/recommend/session", items=[before[2]])
    assert ids(page) == [i["item_id"] for i in session["items"]]
    after = ids(page)
    for place, item in enumerate(after):
        arrow = page.locator(".row").nth(place).locator("[role=img]")
        moved = before.index(item) - place if item in before else 0
        if moved:
            assert arrow.get_attribute("aria-label") == f"{'up' if moved > 0 else 'down'} {abs(moved)}"
    page.get_by_role("button", name="away").click()
    page.get_by_text("Taken away again").wait_for()
    assert ids(page) == before
    assert kept(service) == known


def test_products_are_found_by_title_and_added_by_the_keyboard(look: Look, service: Service) -> None:
    page = look(service).go("/playground")
    page.get_by_role("button", name="Invent somebody").press("Enter")
    page.get_by_text("of whom nothing is known").wait_for()
    page.get_by_label("They also have").fill("zzzz no such thing")
    page.get_by_text("Nothing found.").wait_for()
    page.get_by_label("They also have").fill("tea")
    first = page.locator("#product-found .hit span").first
    first.wait_for()
    title = first.inner_text()
    page.get_by_label("They also have").press("Enter")
    page.get_by_text(f"They have {title} now").wait_for()
    assert page.locator(".chips li").count() == 1


def test_a_product_that_does_not_exist_is_placed_and_not_kept(look: Look, service: Service) -> None:
    page, known = look(service).go("/playground"), kept(service)
    choose(page, "u20")
    page.get_by_label("Title").fill("<b>walnut</b> cake")
    page.get_by_label("Price").fill("3.5")
    page.get_by_role("button", name="See where it would come").click()
    page.get_by_text("The new product is on the shelf").wait_for()
    card = page.locator(".new .card")
    place = int(card.locator(".figure").inner_text().split()[1].replace(",", ""))
    assert "<b>walnut</b> cake: for somebody unknown" in card.inner_text()
    assert (page.locator(".row.tried").count() == 1) == (place <= 10)
    assert kept(service) == known
    card.get_by_role("button", name="Take it away").click()
    page.get_by_text("The new product is gone").wait_for()
    assert ids(page) == service.listed("u20")


def test_a_mistake_in_the_new_product_is_one_sentence(look: Look, service: Service) -> None:
    page = look(service).go("/playground")
    page.evaluate("document.querySelector('#new-price').type = 'text'")
    page.get_by_label("Title").fill("cake")
    page.get_by_label("Price").fill("cheap")
    page.get_by_role("button", name="See where it would come").click()
    page.get_by_text("That did not work: price:").wait_for()
