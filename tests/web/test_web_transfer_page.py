"""The page Transfer in a browser: ladder, curves, guard, advice, pages of the run, and what can be wrong with one."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browsing import Look, Service, Start
from runs import METHODS, run_of, with_advice

from crossaisle.api import Report
from crossaisle.report import words
from crossaisle.serve.keyring import add_key
from crossaisle.stores.open import open_store
from crossaisle.testing_world import tiny_world

pytestmark = [pytest.mark.browser, pytest.mark.service]
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run_of(tiny_world(), "cake", tmp_path_factory.mktemp("tiny"))
    with_advice(tiny_world(), "cake", folder)
    return folder


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return Report.read(run / "report.json")


@pytest.fixture(scope="module")
def service(start: Start, run: Path) -> Service:
    return start(run)


def ladder(page: Any) -> dict[str, str]:
    """Method → its number, as the page orders them."""
    rows = page.get_by_role("region", name="nDCG@10 of each method").locator("tbody tr")
    return {
        rows.nth(n).locator("th").inner_text().split("\n")[0]: rows.nth(n).locator("td").nth(0).inner_text().split()[0]
        for n in range(rows.count())
    }


def wanted(report: Report, slice_name: str, week: float) -> dict[str, str]:
    found = [r for r in report.rows if (r.slice, r.week, r.metric, r.k) == (slice_name, week, "ndcg", 10)]
    return {r.method: words.fraction(r.value) for r in sorted(found, key=lambda r: -r.value)}


def test_it_says_what_the_report_says(look: Look, service: Service, report: Report) -> None:
    page = look(service).go("/transfer")
    assert page.locator(".lead").first.inner_text() == words.lead(report)
    assert ladder(page) == wanted(report, "new", 2.0)
    assert page.get_by_text(words.ships(report), exact=True).is_visible()
    for warning in report.warnings:
        assert page.get_by_text(warning).is_visible()
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert all(below - above <= 1 for above, below in pairwise(levels)), levels


def test_slice_and_week_can_be_chosen_by_the_keyboard(look: Look, service: Service, report: Report) -> None:
    page = look(service).go("/transfer")
    page.get_by_label("When").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("status").filter(has_text="best first at week 8").wait_for(state="attached")
    assert ladder(page) == wanted(report, "new", 8.0)
    page.get_by_label("Whom and what").select_option("Tail items")
    page.get_by_text("The long tail: items below").wait_for()
    assert ladder(page) == wanted(report, "tail", 8.0)


def test_charts_are_drawn_and_told(look: Look, service: Service) -> None:
    page = look(service).go("/transfer")
    page.wait_for_function("document.querySelectorAll('.chart svg path').length > 10")
    labels = page.locator(".chart").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    assert [label.split(":")[0].split(";")[0].split(".")[0] for label in labels] == [
        "nDCG@10",
        "nDCG@10 over the steps",
        "Expected gains with 80 % intervals",
    ]
    assert page.locator(".chart").evaluate_all("all => all.map(e => e.getAttribute('role'))") == ["img"] * 3


def test_the_advice_is_there_with_its_reasons(look: Look, service: Service, run: Path) -> None:
    page = look(service).go("/transfer")
    body = json.loads((run / "advice.json").read_text())
    assert page.get_by_text(body["sentence"], exact=True).is_visible()
    rows = page.get_by_role("region", name="First recipes").locator("tbody th")
    assert rows.all_inner_texts()[:3] == [r["recipe"] for r in body["rows"][:3]]
    assert page.get_by_text(body["rows"][0]["reasons"][0], exact=True).first.is_visible()
    hidden = page.get_by_text(body["rows"][1]["reasons"][-1], exact=True).last
    assert not hidden.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(look: Look, service: Service, scheme: str) -> None:
    looked = look(service, color_scheme=scheme, **PHONE)
    page = looked.go("/transfer")
    page.wait_for_function("document.querySelectorAll('.chart svg').length === 3")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert looked.sideways <= 0


def test_pages_of_the_run_are_shown_and_can_do_nothing(look: Look, service: Service) -> None:
    looked = look(service)
    page = looked.go("/transfer")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report").click()
    assert "what the old knowledge is worth" in opened.value.locator("h1").inner_text()
    answer = service.client.get("/dashboard/run/advice.html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["report.json", "config.toml", "recommender", "..%2fconfig.toml", "%2e%2e%2fconfig.toml", "report.html%00", ""],
)
def test_nothing_else_of_the_folder_can_be_had(service: Service, name: str) -> None:
    assert service.client.get(f"/dashboard/run/{name}").status_code == 404


def test_pages_of_the_run_ask_for_a_key_where_there_is_one(start: Start, run: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    add_key(store, "reader", "read")
    store.close()
    service = start(run, folder=tmp_path)
    answer = service.client.get("/dashboard/run/report.html")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/sign-in")
    assert b"old knowledge" not in answer.content


def test_one_method_at_one_step(look: Look, start: Start, run: Path, tmp_path: Path) -> None:
    from crossaisle.api import Study, evaluate
    from crossaisle.report import write

    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("advice.*", "report.*"))
    study = Study("cake", split="cold_users", share=0.4, ship="ease_all")
    write(evaluate(tiny_world(), study, METHODS[2:]), tmp_path / "run")
    page = look(start(tmp_path / "run")).go("/transfer")
    page.get_by_text("No transfer could be compared with a control.").wait_for()
    assert list(ladder(page)) == ["ease_all"]
    assert page.get_by_label("When").count() == 0
    assert page.get_by_text("The cold start").count() == 0
    assert page.get_by_text("crossaisle advise /data/tiny --target cake").is_visible()


def spoilt(text: str, how: str) -> str:
    body = json.loads(text)
    if how == "cut off":
        return text[: len(text) // 2]
    if how == "newer":
        body["schema_version"] = 99
    if how == "no steps":
        body["ships"] = []
    if how == "words for numbers":
        body["rows"] = [r | {"value": "much"} for r in body["rows"]]
    return json.dumps(body)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut off", "is not a report.json"),
        ("newer", "has schema 99, this version reads 1; upgrade crossaisle."),
        ("no steps", "report.json holds something else than crossaisle writes"),
        ("words for numbers", "report.json holds something else than crossaisle writes"),
    ],
)
def test_a_bad_report_is_one_sentence(look: Look, start: Start, run: Path, tmp_path: Path, how: str, said: str) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "report.json").write_text(spoilt((run / "report.json").read_text(), how))
    page = look(start(folder)).go("/transfer")
    page.get_by_text(said).wait_for()
    assert page.get_by_text("crossaisle evaluate /data/tiny --target cake --cut 2024-03-25").is_visible()
    assert page.get_by_role("region", name="First recipes").is_visible()


def test_numbers_without_intervals_are_shown_without(look: Look, start: Start, run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    body = json.loads((run / "report.json").read_text())
    body["rows"] = [r | ({"low": None, "high": None} if r["week"] == 8 else {}) for r in body["rows"]]
    (folder / "report.json").write_text(json.dumps(body))
    page = look(start(folder)).go("/transfer")
    page.get_by_label("When").select_option("week 8")
    page.locator('[aria-label*="at week 8"]').wait_for()
    cells = page.get_by_role("region", name="nDCG@10 of each method").locator("tbody td:nth-child(2)").all_inner_texts()
    assert len(cells) == 3
    assert all(cell.startswith(".") and "to" not in cell for cell in cells)
