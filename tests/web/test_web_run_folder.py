"""The folder of a run: what is read, what is said of what cannot be read, and the commands that fill it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason="no dashboard: pip install crossaisle[dashboard]")
pytest.importorskip("fastapi", reason="no dashboard: pip install crossaisle[serve]")

from crossaisle.evaluate.result import Report
from crossaisle.web.run_folder import Part, RunFolder

EMPTY = Report("tiny, cake", {"target": "cake"}, {}, ())


def test_an_empty_folder_has_nothing_and_nothing_is_wrong(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path)
    assert [folder.report(), folder.gap(), folder.advice()] == [Part(), Part(), Part()]
    assert folder.pages() == {}
    assert RunFolder.of(tmp_path / "nowhere").report() == Part()


@pytest.mark.parametrize("name", ["report", "gap", "advice"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"schema_version": 1, "rows": [', "give one that crossaisle wrote"),
        (b'{"schema_version": 99}', "has schema 99, this version reads 1; upgrade crossaisle"),
        (b"[]", "is not a whole"),
        (b"\xff\xfe", "give one that crossaisle wrote"),
        (b"[" * 100_000, "give one that crossaisle wrote"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_bytes(content)
    found: Part[object] = getattr(RunFolder.of(tmp_path), name)()
    assert found.found is None
    assert said in found.problem
    assert "\n" not in found.problem


def test_a_report_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path)
    (tmp_path / "report.json").write_text(EMPTY.to_json())
    first = folder.report().found
    assert first is not None
    assert folder.report().found is first
    (tmp_path / "report.json").write_text(EMPTY.to_json().replace("tiny, cake", "tiny, cakes"))
    again = folder.report().found
    assert again is not None
    assert again.name == "tiny, cakes"


def test_reports_on_a_recommender_lie_beside_its_folder_which_takes_nothing_else(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "artifact.json").write_text("{}")
    assert RunFolder.of(shop).path == tmp_path / "shop.reports"
    (tmp_path / "recommender").mkdir()
    assert RunFolder.of(tmp_path).path == tmp_path


def test_only_pages_of_known_names_are_listed(tmp_path: Path) -> None:
    for name in ("gap.html", "report.html", "secret.html", "advice.json"):
        (tmp_path / name).write_text("x")
    assert RunFolder.of(tmp_path).pages() == {"report.html": "Report", "gap.html": "Gap of the domains"}


def test_commands_ask_about_the_data_and_the_time_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[data]\npath = "/my shop"\ntime_unit = "s"\nlenient = true\ncache = false\nrename = {customer = "user_id"}\n'
        '[study]\ntarget = "cake"\ncut = "2024-03-25"\n'
    )
    words = shlex.split(RunFolder.of(tmp_path).command("gap", "a cake"))
    read = ["--time-unit", "s", "--lenient", "--no-cache", "--rename.customer", "user_id"]
    assert words == [
        *("crossaisle", "gap", "/my shop", "--target", "a cake", "--cut", "2024-03-25"),
        *read,
        *("--out", str(tmp_path)),
    ]
    # With --lenient the problems would be set aside and not listed.
    assert shlex.split(RunFolder.of(tmp_path).checking()) == [
        "crossaisle",
        "validate",
        "/my shop",
        *read[:2],
        *read[3:],
    ]


@pytest.mark.parametrize("config", [None, "[data", "data = 3\nstudy = 4", "[data]\n[study]\n"])
def test_without_a_configuration_the_place_of_the_data_is_left_open(config: str | None, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.toml").write_text(config)
    words = shlex.split(RunFolder.of(tmp_path).command("advise", "cake"))
    assert words == ["crossaisle", "advise", "DATA", "--target", "cake", "--out", str(tmp_path)]
    assert "DATA --target cake --cut DATE --out" in RunFolder.of(tmp_path).command("evaluate", "cake")
