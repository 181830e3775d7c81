"""The picture of the dashboard in the docs: a person of the demo, what they bought, and a product that does not exist.

make serve                                  # in another terminal
python benchmarks/dashboard_picture.py http://127.0.0.1:8000 docs/images/dashboard.png
"""

from __future__ import annotations

import shutil
import sys

import httpx
from playwright.sync_api import Page, sync_playwright

USER, BOUGHT = "700", 2


def main(address: str, file: str) -> None:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as driver, driver.chromium.launch(executable_path=found, args=["--no-sandbox"]) as browser:
        httpx.post(f"{address}/v1/versions/reads-content/promote", timeout=60).raise_for_status()
        page = browser.new_page(viewport={"width": 1180, "height": 1120}, color_scheme="light")
        page.goto(f"{address}/dashboard/playground")
        tried(page)
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        page.screenshot(path=file)


def tried(page: Page) -> None:
    page.get_by_label("Somebody known, by id").fill(USER)
    page.keyboard.press("Enter")
    page.get_by_text(f"This is what user {USER} would see.").wait_for()
    page.get_by_label("Title").fill("Couscous salad with mint, salads/dips, store brand")
    page.get_by_label("Category").fill("salads/dips")
    page.get_by_label("Price").fill("5")
    page.get_by_role("button", name="See where it would come").click()
    page.get_by_text("The new product is on the shelf").wait_for()
    page.get_by_role("button", name="Buys it").nth(BOUGHT).click()
    page.get_by_text("the arrows say what moved").wait_for()


if __name__ == "__main__":
    main(*sys.argv[1:])
