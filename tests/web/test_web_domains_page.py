"""The page Domains in a browser: what is known today, the data, the gap, and what is said where one is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from browsing import Look, Service, Start
from runs import run_of, with_gap

from crossaisle.api import Recommender, World
from crossaisle.testing_world import tiny_world

pytestmark = [pytest.mark.browser, pytest.mark.service]
PHONE = {"viewport": {"width": 390, "height": 844}}
LONG, SCRIPT, KEY = "x" * 200, "<img src=x onerror='window.broken=1'>", ":formatter"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run_of(tiny_world(), "cake", tmp_path_factory.mktemp("tiny"))
    with_gap(tiny_world(), "cake", folder)
    return folder


@pytest.fixture(scope="module")
def service(start: Start, run: Path) -> Service:
    return start(run)


def wild_world() -> World:
    """28 domains, some with names that are markup, code or very long; ten people who have something in each."""
    names = [SCRIPT, KEY, LONG, *(f"domain {n}" for n in range(25))]
    rows, items = [], []
    for d, name in enumerate(names):
        for i in range(31):
            items.append((f"{d}-{i}", name, f"{('red', 'blue')[i % 2]} thing {d % 7} {i}"))
            rows.append((f"u{i % 10}", f"{d}-{i}", name, f"2024-0{1 + i % 4}-01"))
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "domain", "timestamp"], orient="row")
    return World.from_frames(events, pl.DataFrame(items, schema=["item_id", "domain", "title"], orient="row"))


def test_it_counts_what_came_since(look: Look, start: Start, run: Path) -> None:
    service = start(run)
    page = look(service).go("/")
    figures = page.get_by_role("region", name="Today").locator(".card")
    assert figures.nth(0).locator("p").all_inner_texts() == ["24", "0 came after the training"]
    assert figures.nth(1).locator("p").all_inner_texts() == ["80", "0 more came since"]
    service.post("/v1/events", event_id="e1", user="somebody new", item="cake-00", event="purchase")
    page.reload()
    figures.nth(1).get_by_text("1 more came since").wait_for()


def test_the_data_and_what_was_read(look: Look, service: Service) -> None:
    page = look(service).go("/")
    rows = page.get_by_role("region", name="The domains").locator("tbody tr")
    assert rows.locator("th").all_inner_texts() == ["cake\nthe target", "coffee", "tea"]
    assert rows.nth(2).locator("td").all_inner_texts()[:3] == ["470", "80", "24"]
    page.get_by_text("Read and checked: 1,365 interactions, 72 items.").wait_for()
    page.get_by_text("crossaisle validate /data/tiny").wait_for()


def test_the_gap_is_drawn_and_written(look: Look, service: Service) -> None:
    page = look(service).go("/")
    page.get_by_text("By content, of the 2 sources for cake").wait_for()
    charts = page.locator(".chart")
    assert charts.count() == 1
    assert charts.get_attribute("role") == "img"
    assert (charts.get_attribute("aria-label") or "").startswith("Distances by content")
    grid = page.get_by_role("region", name="Distances to cake")
    assert set(grid.locator("tbody th").all_inner_texts()) == {"coffee", "tea", "all sources"}
    assert "too little to say" in grid.inner_text()


def test_without_a_gap_it_names_the_command(look: Look, start: Start, run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("gap.*"))
    page = look(start(tmp_path / "run")).go("/")
    page.get_by_text(
        f"crossaisle gap /data/tiny --target cake --cut 2024-03-25 --out {tmp_path / 'run'}", exact=True
    ).wait_for()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema_version": 99}', "has schema 99, this version reads 1; upgrade crossaisle."),
        ('{"schema_version": 1, "name": ', "is not a gap.json"),
        (
            '{"schema_version": 1, "name": "x", "protocol": {}, "domains": [], "measures": [], "aligned": [], '
            '"environment": {}, "warnings": []}',
            "holds something else than crossaisle writes",
        ),
    ],
)
def test_a_bad_gap_is_one_sentence(look: Look, start: Start, run: Path, tmp_path: Path, text: str, said: str) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "gap.json").write_text(text)
    page = look(start(tmp_path / "run")).go("/")
    page.get_by_text(said).wait_for()
    page.get_by_text("crossaisle gap /data/tiny").wait_for()
    assert page.get_by_role("region", name="The domains").is_visible()


def test_a_recommender_without_a_run_says_what_it_does_not_know(look: Look, start: Start, tmp_path: Path) -> None:
    old = Recommender.load(run_of(tiny_world(), "tea", tmp_path / "run", (2,)) / "recommender")
    type(old)(**{**vars(old), "facts": {}, "index": None}).save(tmp_path / "old")
    page = look(start(tmp_path / "old")).go("/")
    page.get_by_text("This version does not say what it was made of").wait_for()
    page.get_by_text(f"crossaisle gap DATA --target tea --out {tmp_path / 'old.reports'}", exact=True).wait_for()
    page.get_by_text("DATA stands for the folder, file or address of your data.").first.wait_for()


def test_many_domains_with_odd_names_stay_text_and_fit_a_phone(look: Look, start: Start, tmp_path: Path) -> None:
    world = wild_world()
    with_gap(world, SCRIPT, run_of(world, SCRIPT, tmp_path, (2,)))
    service = start(tmp_path)
    looked = look(service, **PHONE)
    page = looked.go("/")
    page.get_by_text("Map of the domains by content", exact=True).wait_for()
    page.locator(".chart svg text").first.wait_for()
    assert page.get_by_role("region", name="The domains").locator("tbody tr").count() == 28
    page.get_by_text("Distances by content, all pairs").click()
    page.wait_for_function("document.querySelectorAll('.chart svg').length === 2")
    assert looked.sideways <= 0
    too_wide = "[...document.querySelectorAll('.name')].filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.evaluate(too_wide) == 0
    assert page.locator(".page img").count() == 0
    assert page.evaluate("window.broken") is None
    assert SCRIPT in page.locator(".lead").first.inner_text()
